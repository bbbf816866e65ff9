/* config.c: options from a file: NAME = VALUE, and sections that make presets.  inih reads the form; here are the
 * lines' numbers and columns, the names, the values, and who wins over whom. */
#include "cli/config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/fail.h"
#include "cli/paths.h"

#ifdef HAVE_INIH
#include <ini.h>
#endif

#define ENTRIES 256
#define SECTIONS 32
#define TEXT 16384

/* What the file says; lives as long as the program. */
static struct {
    char path[NST_PATH_BYTES];
    struct entry {
        const nst_option *option;
        const char *value;
        int section; /* 0: before the first */
        int line, column; /* of the value */
    } entry[ENTRIES];
    int entries;
    struct section {
        char name[32];
        const char *base; /* what it inherits; NULL: the default preset */
        int line, column; /* of that */
    } section[SECTIONS];
    int sections; /* the first is the file's beginning, and has no name */
    char text[TEXT];
    size_t used;
} file;

static const struct section *find_section(const char *name)
{
    for (int i = 1; name && i < file.sections; i++)
        if (!strcmp(file.section[i].name, name))
            return &file.section[i];
    return NULL;
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

#ifdef HAVE_INIH

struct reading {
    FILE *f;
    int line;
    char raw[1024];
    nst_settings *scratch; /* values are tried out on it */
    nst_status status;
    nst_error *e;
};

/* Characters, not bytes, from 1. */
static int column(const struct reading *r, const char *at)
{
    int n = 1;

    for (const char *p = r->raw; p < at; p++)
        n += ((unsigned char)*p & 0xc0) != 0x80;
    return n;
}

static int wrong(struct reading *r, const char *at, const char *format, ...)
{
    char text[400];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (!r->status)
        r->status = fail(r->e, NST_EFORMAT, "%.200s:%d:%d: %s", file.path, r->line, column(r, at), text);
    return 0;
}

static const char *keep(struct reading *r, const char *text)
{
    const char *home = getenv("HOME");
    bool tilde = text[0] == '~' && text[1] == '/' && home;
    size_t room = TEXT - file.used;
    int n = snprintf(file.text + file.used, room, "%s%s", tilde ? home : "", text + tilde);
    const char *kept = file.text + file.used;

    if (n < 0 || (size_t)n >= room) {
        wrong(r, r->raw, "the file's values are longer than %d characters together", TEXT);
        return NULL;
    }
    file.used += (size_t)n + 1;
    return kept;
}

/* "[preset NAME]" begins at start. */
static int open_section(struct reading *r, const char *start)
{
    struct section *s = &file.section[file.sections];
    char name[40], end[2];

    if (strncmp(start, "[preset ", 8) || sscanf(start, "[preset %39[^] \t]%1[]]", name, end) != 2)
        return wrong(r, start, "expected [preset NAME]");
    if (strlen(name) >= sizeof s->name)
        return wrong(r, start, "preset \"%s\": its name has more than %zu characters", name, sizeof s->name - 1);
    for (int i = 0; nst_preset_name(i); i++)
        if (!strcmp(name, nst_preset_name(i)))
            return wrong(r, start, "preset \"%s\": the program has one of that name, expected another name", name);
    if (find_section(name) || !strcmp(name, "list"))
        return wrong(r, start, "preset \"%s\": %s, expected another name", name,
                     *name == 'l' ? "lists the presets" : "is there already");
    if (file.sections == SECTIONS)
        return wrong(r, start, "preset \"%s\": there are more than %d", name, SECTIONS - 1);
    snprintf(s->name, sizeof s->name, "%.31s", name);
    file.sections++;
    return 1;
}

/* inih's fgets: the next line without the blanks before it, which would mean more of the value above. */
static char *next_line(char *out, int room, void *stream)
{
    struct reading *r = stream;
    const char *start;
    size_t n;

    if (r->status || !fgets(r->raw, sizeof r->raw, r->f))
        return NULL;
    r->line++;
    if (r->line == 1 && !strncmp(r->raw, "\xef\xbb\xbf", 3)) /* what some editors put before UTF-8 */
        memmove(r->raw, r->raw + 3, strlen(r->raw + 3) + 1);
    start = r->raw + strspn(r->raw, " \t");
    n = strcspn(start, "\r\n");
    if (n + 3 > (size_t)room || (!start[n] && !feof(r->f))) {
        wrong(r, r->raw, "the line has more than %d characters", room - 3);
        return NULL;
    }
    if (*start == '[' && !open_section(r, start))
        return NULL;
    snprintf(out, (size_t)room, "%s", start);
    return out;
}

static void inherit(struct section *s, const char *base, int line, int at)
{
    s->base = base, s->line = line, s->column = at;
}

static int add(struct reading *r, const char *name, const char *value)
{
    const char *at = r->raw + strspn(r->raw, " \t"), *value_at = at + strcspn(at, "=:");
    const nst_option *o = nst_options_find(name), *near = o ? NULL : nst_options_nearest(name);
    nst_command scratch = { 0 };
    nst_error why;

    value_at += *value_at ? 1 : 0;
    value_at += strspn(value_at, " \t");
    if (near)
        return wrong(r, at, "unknown option \"%.60s\", did you mean %s?", name, near->name);
    if (!o)
        return wrong(r, at, "unknown option \"%.60s\"; nst help all lists them", name);
    if (!strcmp(name, "help") || !strcmp(name, "version") || !strcmp(name, "config"))
        return wrong(r, at, "%s: has a meaning on the command line only", name);
    if (file.entries == ENTRIES)
        return wrong(r, at, "there are more than %d lines with values", ENTRIES);
    value = keep(r, value);
    if (!value)
        return 0;
    if (nst_options_set(o, value, &scratch, o->setting ? r->scratch : NULL, &why))
        return wrong(r, value_at, "%.300s", why.text + (strncmp(why.text, "--", 2) ? 0 : 2));
    if (!strcmp(name, "preset") && !strcmp(value, "list"))
        return wrong(r, value_at, "preset: \"list\" is not a preset");
    if (!strcmp(name, "preset") && file.sections > 1)
        inherit(&file.section[file.sections - 1], value, r->line, column(r, value_at));
    else
        file.entry[file.entries++] = (struct entry){ o, value, file.sections - 1, r->line, column(r, value_at) };
    return 1;
}

#if INI_HANDLER_LINENO
static int handle(void *user, const char *section, const char *name, const char *value, int line)
{
    (void)section, (void)line;
    return add(user, name, value ? value : "");
}
#else
static int handle(void *user, const char *section, const char *name, const char *value)
{
    (void)section;
    return add(user, name, value ? value : "");
}
#endif

static bool known(const char *preset)
{
    for (int k = 0; nst_preset_name(k); k++)
        if (!strcmp(nst_preset_name(k), preset))
            return true;
    return find_section(preset) != NULL;
}

/* Presets that are named are there, and a chain of sections ends at one of the program's. */
static nst_status check_bases(nst_error *e)
{
    for (int i = 0; i < file.entries; i++) {
        const struct entry *n = &file.entry[i];

        if (!strcmp(n->option->name, "preset") && !known(n->value))
            return fail(e, NST_EFORMAT, "%.200s:%d:%d: preset: \"%.60s\" is unknown, see nst --preset list", file.path,
                        n->line, n->column, n->value);
    }
    for (int i = 1; i < file.sections; i++) {
        const struct section *s = &file.section[i];
        int steps = 0;

        while (s && steps++ < SECTIONS) {
            if (s->base && !known(s->base))
                return fail(e, NST_EFORMAT, "%.200s:%d:%d: preset %s inherits \"%.60s\", which is unknown", file.path,
                            s->line, s->column, s->name, s->base);
            s = find_section(s->base);
        }
        if (s)
            return fail(e, NST_EFORMAT, "%.200s:%d:%d: preset %s inherits itself", file.path, file.section[i].line,
                        file.section[i].column, file.section[i].name);
    }
    return NST_OK;
}

static nst_status read_file(FILE *f, nst_error *e)
{
    static struct reading r;
    nst_status s;
    int bad;

    r = (struct reading){ .f = f, .e = e };
    s = nst_settings_create(&r.scratch, NULL, e);
    if (s)
        return s;
    bad = ini_parse_stream(next_line, &r, handle, &r);
    nst_settings_destroy(&r.scratch);
    if (ferror(f))
        return fail(e, NST_EIO, "%.300s: %s", file.path, strerror(errno));
    if (bad > 0 && (!r.status || bad < r.line))
        return fail(e, NST_EFORMAT, "%.300s:%d:1: expected NAME = VALUE", file.path, bad);
    return r.status ? r.status : check_bases(e);
}

#else

static nst_status read_file(FILE *f, nst_error *e)
{
    (void)f;
    return fail(e, NST_EUNSUPPORTED,
                "%.300s: this build reads no file of options, it was made without inih; --config none "
                "does without", file.path);
}

#endif

/* Whether the user's own file, which nobody asked for here, can be read: it may be of sudo's caller, say. */
static bool is_usable(const char *path)
{
    struct stat st;
    const char *why;

    if (stat(path, &st) == 0) {
        if (S_ISREG(st.st_mode) && access(path, R_OK) == 0)
            return true;
        why = S_ISREG(st.st_mode) ? strerror(errno) : "not a file"; /* opening a pipe could wait for ever */
    } else {
        if (errno == ENOENT || errno == ENOTDIR)
            return false;
        why = strerror(errno);
    }
    nst_say(stderr, "nst: %s: %s; its options are left out", path, why);
    return false;
}

/* named: what --config says, or NULL. */
static nst_status load(const char *named, nst_error *e)
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    nst_status s;
    FILE *f;

    file.sections = 1;
    file.entries = 0;
    file.used = 0;
    file.path[0] = 0;
    if (named && !strcmp(named, "none"))
        return NST_OK;
    if (named)
        snprintf(file.path, sizeof file.path, "%s", named);
    else if (config && *config == '/')
        snprintf(file.path, sizeof file.path, "%s/nst/config", config);
    else if (home && *home)
        snprintf(file.path, sizeof file.path, "%s/.config/nst/config", home);
    if (!named && !*file.path)
        return NST_OK;
    if (!named && !is_usable(file.path)) {
        file.path[0] = 0;
        return NST_OK;
    }
    f = fopen(file.path, "r");
    if (!f)
        return fail(e, NST_EIO, "%.300s: %s", file.path, strerror(errno));
    s = read_file(f, e);
    fclose(f);
    return s;
}

/* ---- who wins --------------------------------------------------------------------------------------------------- */

/* The lines of a section, after those of what it inherits.  Loops have been looked for. */
static nst_status apply_section(const struct section *section, nst_command *c, nst_settings *s, nst_error *e)
{
    const struct section *base = find_section(section->base);
    nst_status status = base ? apply_section(base, c, s, e) : NST_OK;

    for (int i = 0; i < file.entries && !status; i++)
        if (&file.section[file.entry[i].section] == section)
            status = nst_options_set(file.entry[i].option, file.entry[i].value, c, s, e);
    return status;
}

/* The whole file's beginning, then the section of the preset's name. */
static nst_status apply_file(const char *preset, nst_command *c, nst_settings *s, nst_error *e)
{
    const struct section *own = find_section(preset);
    nst_status status = apply_section(&file.section[0], c, s, e);

    return status || !own ? status : apply_section(own, c, s, e);
}

nst_status nst_config_parse(int argc, char **argv, nst_command *c, nst_error *e)
{
    nst_command line, first = { 0 };
    const char *preset;
    nst_status s = nst_options_parse(argc, argv, &line, NULL, e);

    *c = s ? first : line;
    if (s || line.help || line.version)
        return s;
    s = load(line.config, e);
    if (!s)
        s = apply_section(&file.section[0], &first, NULL, e);
    if (s)
        return s;
    preset = line.preset ? line.preset : first.preset;
    *c = (nst_command){ 0 };
    s = apply_file(preset, c, NULL, e);
    if (!s)
        s = nst_options_parse_over(argc, argv, c, e);
    if (!s)
        c->preset = preset;
    return s;
}

nst_status nst_config_settings(int argc, char **argv, nst_command *c, nst_settings **out, nst_error *e)
{
    const char *base = c->preset;
    nst_status s;

    for (const struct section *own = find_section(base); own; own = find_section(base))
        base = own->base;
    s = nst_settings_create(out, base, e);
    if (s)
        return s;

    int optimizer = (*out)->optimizer;
    double rate = (*out)->learning_rate;

    s = apply_file(c->preset, c, *out, e);
    if (!s) {
        nst_options_settle(*out, optimizer, rate);
        s = nst_options_parse(argc, argv, c, *out, e);
    }
    if (s)
        nst_settings_destroy(out);
    return s;
}

const char *nst_config_path(void)
{
    return *file.path ? file.path : NULL;
}

const char *nst_config_preset(int i, const char **base)
{
    if (i < 0 || i + 1 >= file.sections)
        return NULL;
    *base = file.section[i + 1].base ? file.section[i + 1].base : nst_preset_name(0);
    return file.section[i + 1].name;
}
