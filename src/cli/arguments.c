/* arguments.c: the command line by the table of options: getopt's arrays, range errors, and the text of a run's
 * settings. */
#include "base/show.h"
#include "cli/options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static nst_status wrong(nst_error *e, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    nst_show_format(e->text, sizeof e->text, format, args);
    va_end(args);
    return NST_EARG;
}

static int word_index(const char *words, const char *text)
{
    char word[64];

    for (int i = 0; nst_word_at(words, i, word, sizeof word); i++)
        if (!strcmp(word, text))
            return i;
    return -1;
}

/* "a, b or c" */
static const char *word_list(const char *words, char *out, size_t bytes)
{
    char word[64], next[64];

    *out = 0;
    for (int i = 0; nst_word_at(words, i, word, sizeof word); i++) {
        size_t used = strlen(out);
        const char *joint = nst_word_at(words, i + 1, next, sizeof next) ? ", " : " or ";

        snprintf(out + used, bytes - used, "%s%s", i ? joint : "", word);
    }
    return out;
}

static nst_status number(const nst_option *r, const char *text, bool whole, double *v, nst_error *e)
{
    char *end;

    errno = 0;
    *v = strtod(text, &end);
    if (end == text || *end || errno || strpbrk(text, "xXnN") || !(*v >= r->min && *v <= r->max) ||
        (whole && *v != (double)(long)*v))
        return wrong(e, "--%s: \"%s\" is not a %snumber from %g to %.10g%s", r->name, text, whole ? "whole " : "",
                     r->min, r->max, r->kind == NST_OPTION_SIZE ? ", nor \"native\"" : "");
    return NST_OK;
}

/* "1h30m", "90s", "90": falling units, each once. */
static nst_status duration(const nst_option *r, const char *text, double *v, nst_error *e)
{
    static const char units[] = "hms";
    static const double seconds[] = { 3600, 60, 1 };
    const char *at = text;
    size_t next = 0;

    *v = 0;
    while (*at) {
        size_t digits = strspn(at, "0123456789.");
        const char *unit;
        char number[32], *end;

        if (!digits || digits >= sizeof number)
            break;
        memcpy(number, at, digits);
        number[digits] = 0;
        unit = at[digits] ? strchr(units + next, at[digits]) : units + 2;
        if (!unit || (!at[digits] && at != text))
            break;
        *v += strtod(number, &end) * seconds[unit - units];
        if (*end)
            break;
        next = (size_t)(unit - units) + 1;
        at += digits + (at[digits] != 0);
    }
    if (*at || !*text || !(*v >= r->min && *v <= r->max))
        return wrong(e, "--%s: \"%s\" is not a time as 90s, 5m or 1h30m", r->name, text);
    return NST_OK;
}

static nst_status seed(const nst_option *r, const char *text, uint64_t *v, nst_error *e)
{
    char *end;

    errno = 0;
    *v = strtoull(text, &end, 10);
    if (strspn(text, "0123456789") != strlen(text) || end == text || errno)
        return wrong(e, "--%s: \"%s\" is not a whole number from 0 to %" PRIu64, r->name, text, UINT64_MAX);
    return NST_OK;
}

static nst_status bytes(const nst_option *r, const char *text, uint64_t *v, nst_error *e)
{
    static const char units[] = "KMGT";
    const char *unit;
    char *end;
    double n;

    errno = 0;
    n = strtod(text, &end);
    if (end != text && *end) {
        unit = strchr(units, toupper((unsigned char)*end));
        if (unit) {
            n *= (double)((uint64_t)1 << 10 * (unit - units + 1));
            end++;
            if (end[0] == 'i' && end[1] == 'B')
                end += 2;
            else if (end[0] == 'B')
                end++;
        }
    }
    if (end == text || *end || errno || strpbrk(text, "xXnN") || !(n >= r->min && n <= r->max))
        return wrong(e, "--%s: \"%s\" is not an amount of memory, expected one as 2G, 800M or 1500000000", r->name,
                     text);
    *v = (uint64_t)n;
    return NST_OK;
}

static nst_status add_name(const nst_option *r, const char *text, nst_names *names, nst_error *e)
{
    if (names->replaced)
        *names = (nst_names){ .n = 0 };
    if (names->n == NST_MAX_STYLES)
        return wrong(e, "--%s: more than %d, and no more styles are taken", r->name, NST_MAX_STYLES);
    names->name[names->n++] = text;
    return NST_OK;
}

/* One option's value into its place.  s is NULL in the first pass, which only looks at what is not a setting. */
static nst_status apply(const nst_option *r, const char *text, nst_command *c, nst_settings *s, nst_error *e)
{
    char *place = (r->setting && s ? (char *)s : (char *)c) + r->offset;
    char list[200];
    nst_status status;
    double v;
    int i;

    if (r->setting != (s != NULL))
        return NST_OK;
    if (r->argument && !*text)
        return wrong(e, "--%s: its value is empty, expected %s", r->name, r->argument);
    switch (r->kind) {
    case NST_OPTION_FLAG:
        i = word_index("no yes false true off on 0 1", text);
        if (i < 0)
            return wrong(e, "--%s: \"%s\" is neither yes nor no", r->name, text);
        *(int *)place = i % 2;
        return NST_OK;
    case NST_OPTION_SIZE:
        if (!strcmp(text, "native")) {
            s->size = 0;
            return NST_OK;
        }
        s->size_rule = NST_SIZE_LONGEST;
        s->size_enlarge = 1;
        /* fall through */
    case NST_OPTION_INT:
    case NST_OPTION_ROUNDS:
        status = number(r, text, true, &v, e);
        if (status)
            return status;
        *(int *)place = (int)v;
        if (r->kind == NST_OPTION_ROUNDS)
            s->first_iterations = 0;
        return NST_OK;
    case NST_OPTION_DOUBLE:
        return number(r, text, false, (double *)place, e);
    case NST_OPTION_TIME:
        return duration(r, text, (double *)place, e);
    case NST_OPTION_SEED:
        return seed(r, text, (uint64_t *)place, e);
    case NST_OPTION_BYTES:
        return bytes(r, text, (uint64_t *)place, e);
    case NST_OPTION_CHOICE:
    case NST_OPTION_WORD:
        i = word_index(r->choices, text);
        if (i < 0)
            return wrong(e, "--%s: \"%s\" is not %s", r->name, text, word_list(r->choices, list, sizeof list));
        if (r->kind == NST_OPTION_CHOICE)
            *(int *)place = i;
        else
            snprintf(place, (size_t)r->max, "%s", text);
        return NST_OK;
    case NST_OPTION_TEXT:
        if (strlen(text) >= (size_t)r->max)
            return wrong(e, "--%s: %zu characters, at most %g are taken", r->name, strlen(text), r->max - 1);
        snprintf(place, (size_t)r->max, "%s", text);
        return NST_OK;
    case NST_OPTION_PATH:
        *(const char **)place = text;
        return NST_OK;
    case NST_OPTION_PATHS:
        return add_name(r, text, (nst_names *)(void *)place, e);
    case NST_OPTION_START:
        i = word_index(r->choices, text);
        *(int *)place = i < 0 ? NST_INIT_IMAGE : i;
        c->init = i < 0 ? text : NULL;
        return NST_OK;
    }
    return NST_OK;
}

static void make_getopt(char *letters, struct option *names)
{
    *letters++ = ':'; /* a missing value is told from an unknown option, and getopt itself prints nothing */
    for (int i = 0; i < nst_option_count; i++) {
        const nst_option *r = &nst_options[i];

        names[i] = (struct option){ r->name, r->argument ? required_argument : no_argument, NULL, 256 + i };
        if (r->letter) {
            *letters++ = r->letter;
            if (r->argument)
                *letters++ = ':';
        }
    }
    *letters = 0;
    names[nst_option_count] = (struct option){ 0 };
}

static const nst_option *find(int code)
{
    if (code >= 256)
        return &nst_options[code - 256];
    for (int i = 0; i < nst_option_count; i++)
        if (nst_options[i].letter && nst_options[i].letter == code)
            return &nst_options[i];
    return NULL;
}

const nst_option *nst_options_find(const char *name)
{
    for (int i = 0; i < nst_option_count; i++)
        if (!strcmp(nst_options[i].name, name))
            return &nst_options[i];
    return NULL;
}

nst_status nst_options_set(const nst_option *r, const char *value, nst_command *c, nst_settings *s, nst_error *e)
{
    return apply(r, value, c, s, e);
}

void nst_options_settle(nst_settings *s, int optimizer, double rate)
{
    if (s->optimizer != optimizer && s->learning_rate == rate)
        s->learning_rate = 0;
}

static nst_status misused(int code, const char *word, nst_error *e)
{
    const nst_option *r = find(optopt);

    if (code == ':' && r)
        return wrong(e, "--%s: its value is missing, expected %s", r->name, r->argument);
    if (r && !r->argument && optopt >= 256)
        return wrong(e, "--%s: takes no value", r->name);
    if (optopt && optopt < 256)
        return wrong(e, "unknown option -%c", optopt);
    r = nst_options_nearest(word + strspn(word, "-"));
    if (r)
        return wrong(e, "unknown or ambiguous option %s, did you mean --%s?", word, r->name);
    return wrong(e, "unknown or ambiguous option %s", word);
}

/* Whether it belongs to another command than the first word; its help begins "nst COMMAND: ". */
static bool is_misplaced(const nst_option *r, const char *command)
{
    size_t n = strlen(command);

    return NST_GROUP(r) == NST_GROUP_COMMANDS && (strncmp(r->help + 4, command, n) || !strchr(": ", r->help[4 + n]));
}

static nst_status parse(int argc, char **argv, nst_command *c, nst_settings *s, nst_error *e)
{
    char letters[2 * NST_MAX_OPTIONS + 2];
    struct option names[NST_MAX_OPTIONS + 1];
    int optimizer = s ? s->optimizer : 0;
    double rate = s ? s->learning_rate : 0;
    nst_status status;
    int code;

    make_getopt(letters, names);
    for (int i = 0; i < nst_option_count; i++)
        if (nst_options[i].kind == NST_OPTION_PATHS)
            ((nst_names *)(void *)((char *)c + nst_options[i].offset))->replaced = 1;
    optind = 1;
    opterr = 0;
    for (;;) {
        optopt = 0;
        code = getopt_long(argc, argv, letters, names, NULL);
        if (code == -1)
            break;
        if (code == '?' || code == ':')
            return misused(code, argv[optind - 1], e);
        if (is_misplaced(find(code), argv[0]))
            return wrong(e, "--%s: is an option of %.*s", find(code)->name, (int)strcspn(find(code)->help, ":"),
                         find(code)->help);
        status = apply(find(code), optarg ? optarg : "yes", c, s, e);
        if (status)
            return status;
    }
    if (s) {
        nst_options_settle(s, optimizer, rate);
        return NST_OK;
    }
    c->operand = argv + optind;
    c->operands = argc - optind;
    if (optind < argc)
        c->content = argv[optind++];
    while (optind < argc && c->styles < NST_MAX_STYLES)
        c->style[c->styles++] = argv[optind++];
    return NST_OK;
}

nst_status nst_options_parse(int argc, char **argv, nst_command *c, nst_settings *s, nst_error *e)
{
    if (!s)
        *c = (nst_command){ 0 };
    return parse(argc, argv, c, s, e);
}

nst_status nst_options_parse_over(int argc, char **argv, nst_command *c, nst_error *e)
{
    return parse(argc, argv, c, NULL, e);
}

static int describe_one(const nst_option *r, const nst_settings *s, char *text, size_t bytes)
{
    const char *place = (const char *)s + r->offset;
    char word[64] = "picture";

    switch (r->kind) {
    case NST_OPTION_SIZE:
        if (s->size == 0)
            return snprintf(text, bytes, " --size native");
        /* fall through */
    case NST_OPTION_INT:
    case NST_OPTION_ROUNDS:
        return snprintf(text, bytes, " --%s %d", r->name, *(const int *)place);
    case NST_OPTION_DOUBLE:
        return snprintf(text, bytes, " --%s %.9g", r->name, *(const double *)place);
    case NST_OPTION_TIME:
        return *(const double *)place > 0 ? snprintf(text, bytes, " --%s %.9g", r->name, *(const double *)place) : 0;
    case NST_OPTION_SEED:
        return snprintf(text, bytes, " --%s %" PRIu64, r->name, *(const uint64_t *)place);
    case NST_OPTION_CHOICE:
    case NST_OPTION_START:
        nst_word_at(r->choices, *(const int *)place, word, sizeof word);
        return snprintf(text, bytes, " --%s %s", r->name, word);
    case NST_OPTION_WORD:
    case NST_OPTION_TEXT:
        return *place ? snprintf(text, bytes, " --%s %s", r->name, place) : 0;
    case NST_OPTION_BYTES: /* changes nothing but rounding */
    case NST_OPTION_FLAG:
    case NST_OPTION_PATH:
    case NST_OPTION_PATHS:
        break;
    }
    return 0;
}

void nst_options_describe(const nst_settings *s, char *text, size_t bytes)
{
    size_t used = (size_t)snprintf(text, bytes, "--preset %s", s->preset);

    for (int i = 0; i < nst_option_count && used < bytes; i++)
        if (nst_options[i].setting && strcmp(nst_options[i].name, "threads") && strcmp(nst_options[i].name, "window"))
            /* which do not change the result */
            used += (size_t)describe_one(&nst_options[i], s, text + used, bytes - used);
}
