/* doctor.c: `nst doctor`: the program, the machine, the models, and what a painting would take here, measured. */
#include "cli/doctor.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/lazy.h"
#include "cli/config.h"
#include "cli/fail.h"
#include "cli/models/models.h"
#include "cli/models/places.h"
#include "cli/report.h"

#define ENOUGH 1.  /* seconds of measuring; an iteration that has begun is finished */
#define ROUNDS 3

static int bad; /* lines that tell of something that does not work */

static void line(const char *what)
{
    printf("%-12s", what);
}

/* Words in lines of 79, after the first twelve columns. */
static void words(const char *text)
{
    int column = 12;

    while (*text) {
        int n = (int)strcspn(text, " ");

        if (column > 12 && column + n > 78) {
            printf("\n%12s", "");
            column = 12;
        }
        printf("%s%.*s", column > 12 ? " " : "", n, text);
        column += n + (column > 12);
        text += n + (text[n] == ' ');
    }
    putchar('\n');
}

/* The value of a line "KEY : value" of a file of the kernel's, or false. */
static bool from_file(const char *path, const char *key, char *out, size_t bytes)
{
    FILE *f = fopen(path, "r");
    char text[512];
    bool found = false;

    while (f && !found && fgets(text, sizeof text, f))
        if (!strncmp(text, key, strlen(key)) && strchr(text, ':')) {
            const char *value = strchr(text, ':') + 1;

            value += strspn(value, " \t");
            snprintf(out, bytes, "%.*s", (int)strcspn(value, "\n"), value);
            found = true;
        }
    if (f)
        fclose(f);
    return found;
}

/* What is in this build and what is not; nst --version tells what is missed, too, which takes a screen when all is. */
static void say_build(void)
{
    char text[2048];
    size_t n = 0;
    bool inside = false;

    for (const char *c = nst_build_info(); *c && n + 1 < sizeof text; c++) {
        if (*c == ' ' && c[1] == '(')
            inside = true;
        if (!inside)
            text[n++] = *c;
        if (*c == ')')
            inside = false;
    }
    text[n] = 0;
    line("build");
    words(text);
}

static void say_program(void)
{
    struct utsname u;
    char text[256];

    printf("nst %s\n", nst_version());
    say_build();
    if (uname(&u))
        return;
    line("system");
    printf("%s %s, %s\n", u.sysname, u.release, u.machine);
    line("processor");
    puts(from_file("/proc/cpuinfo", "model name", text, sizeof text) ? text : u.machine);
}

/* A library that is missing is missed by what needs it only, so it is not bad. */
static void say_libraries(void)
{
    char text[2048] = "loaded when needed:";
    const char *file, *what;
    bool there, any = false;

    for (int i = 0; i < NST_LAZY_COUNT; i++)
        if (nst_lazy_about(i, &file, &what, &there)) {
            size_t n = strlen(text);

            snprintf(text + n, sizeof text - n, "%s %s%s%s%s", any ? "," : "", file,
                     there ? "" : " (not installed: no ", there ? "" : what, there ? "" : ")");
            any = true;
        }
    if (any) {
        line("libraries");
        words(text);
    }
}

static void say_kernels(const nst_settings *s)
{
    line("kernels");
    for (int i = 0; nst_simd_name(i); i++)
        printf("%s%s ", nst_simd_name(i), nst_simd_usable(i) ? "" : " (not on this machine)");
    printf("; used: %s\n", *s->simd ? s->simd : nst_simd_chosen());
    line("threads");
#ifdef _SC_NPROCESSORS_ONLN
    if (!s->threads)
        printf("one for each of %ld cores\n", sysconf(_SC_NPROCESSORS_ONLN));
    else
#endif
        printf("%d\n", s->threads);
}

/* Who else computes; 0 where the system does not say. */
static double load(void)
{
    FILE *f = fopen("/proc/loadavg", "r");
    double one = 0;

    if (f) {
        if (fscanf(f, "%lf", &one) != 1)
            one = 0;
        fclose(f);
    }
    return one;
}

static void say_memory(void)
{
    char text[64];

#ifdef _SC_PHYS_PAGES
    line("memory");
    printf("%.1f GB", (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE) / 1e9);
    if (from_file("/proc/meminfo", "MemAvailable", text, sizeof text))
        printf(", of which %.1f GB are free", strtod(text, NULL) * 1024 / 1e9);
    putchar('\n');
#endif
}

static void say_devices(const nst_settings *s)
{
    nst_device_info d;
    char why[256];
    nst_error e;

    line("devices");
    for (int i = 0; nst_device_at(i, &d); i++)
        printf("%s%s (%s)", i ? ", " : "", d.device, d.name);
    putchar('\n');
    line("");
    if (nst_device_find(s->device, &d, why, sizeof why, &e)) {
        nst_say(stdout, "bad: %s", e.text);
        bad++;
    } else {
        nst_say(stdout, "--device %s takes %s%s%s", s->device, d.device, *why ? ": " : "", why);
    }
}

static void say_folder(const char *path)
{
    struct dirent *entry;
    DIR *d = opendir(path);
    char shown[NST_PATH_BYTES];
    int n = 0;

    line("");
    nst_show(shown, sizeof shown, path);
    printf("%s: ", shown);
    if (!d) {
        puts("not there");
        return;
    }
    for (entry = readdir(d); entry; entry = readdir(d)) {
        size_t letters = strlen(entry->d_name), suffix = strlen(NST_PLACES_SUFFIX);

        if (letters > suffix && !strcmp(entry->d_name + letters - suffix, NST_PLACES_SUFFIX)) {
            entry->d_name[letters - suffix] = 0;
            nst_show(shown, sizeof shown, entry->d_name);
            printf("%s%s", n++ ? ", " : "", shown);
        }
    }
    putchar('\n');
    closedir(d);
}

static void say_models(const nst_model *m)
{
    char path[NST_PATH_BYTES];

    line("model");
    words(m ? nst_model_describe(m) : "bad: see below");
    if (nst_places_user(path, sizeof path))
        say_folder(path);
    for (int i = 0; nst_places_system(i, path, sizeof path); i++)
        if (access(path, F_OK) == 0)
            say_folder(path);
}

static void say_writable(const char *what, const char *folder)
{
    line(what);
    if (access(folder, W_OK | X_OK) == 0) {
        nst_say(stdout, "%s can be written", folder);
    } else {
        nst_say(stdout, "bad: nothing can be written into %s", folder);
        bad++;
    }
}

/* ---- what a painting would take ---------------------------------------------------------------------------------- */

struct watch {
    double least;
    nst_report report; /* on a terminal only: on a slow machine this takes a while */
};

static int watch(void *arg, const nst_progress *p)
{
    struct watch *w = arg;

    nst_report_progress(&w->report, p);
    w->least = p->iteration == 1 || p->seconds < w->least ? p->seconds : w->least;
    return p->elapsed > ENOUGH;
}

static nst_status picture(nst_image **out, int step, nst_error *e)
{
    nst_status s = nst_image_create(out, 512, 384, 3, e);

    for (int c = 0; c < 3 && !s; c++)
        for (int i = 0; i < 512 * 384; i++)
            nst_image_plane(*out, c)[i] = (float)((i / 512 * step + i % 512 * (c + 2)) % 251) / 251;
    return s;
}

/* The settings as they are, at 512 pixels; the last scale is measured, the others follow by pixels, as in a run. */
static nst_status measure(nst_settings *s, const nst_model *m, nst_error *e)
{
    nst_image *content = NULL, *style = NULL, *out = NULL;
    const nst_image *one;
    struct watch w = { .report = { .quiet = !isatty(STDERR_FILENO), .terminal = true } };
    double total = 0, others = load();
    nst_plan plan;
    nst_status status;
    int last;

    status = picture(&content, 7, e);
    if (!status)
        status = picture(&style, 3, e);
    if (status)
        goto end;
    one = style;
    s->size = 512, s->size_rule = NST_SIZE_LONGEST, s->init = NST_INIT_CONTENT;
    status = nst_transfer_plan(s, m, content, &one, 1, &plan, e);
    if (status)
        goto end;
    s->scales = 1, s->iterations = ROUNDS, s->time_limit = 0;
    w.report.line_open = !w.report.quiet;
    if (w.report.line_open)
        fputs("measuring an iteration at 512 pixels", stderr);
    status = nst_transfer(s, m, content, &one, 1, NULL, watch, &w, &out, e);
    nst_report_end(&w.report);
    if (status)
        goto end;
    last = plan.scales - 1;
    for (int i = 0; i <= last; i++)
        total += plan.iterations[i] * w.least * pow((double)plan.width[i] / plan.width[last], 1.8);
    line("speed");
    printf("%.2g s an iteration at %dx%d; preset %s, %d scale%s: about %.0f s\n", w.least, plan.width[last],
           plan.height[last], s->preset, plan.scales, last ? "s" : "", total);
    if (others > .5) {
        line("");
        printf("other programs kept the processor busy (load %.1f); without them it is faster\n", others);
    }

end:
    nst_image_destroy(&content);
    nst_image_destroy(&style);
    nst_image_destroy(&out);
    return status;
}

nst_status nst_doctor_run(int argc, char **argv, nst_error *e)
{
    const char *cache = getenv("TMPDIR"), *file;
    nst_settings *s = NULL;
    nst_model *m = NULL;
    nst_error options = { "" }, wrong = { "" };
    nst_command c;
    nst_status status;

    bad = 0;
    status = nst_config_parse(argc, argv, &c, &options);
    if (status && status != NST_EARG)
        status = nst_options_parse(argc, argv, &c, NULL, &options);
    if (status) {
        *e = options;
        return status;
    }
    if (c.operands) {
        snprintf(e->text, sizeof e->text, "doctor: \"%.100s\" is not an option, and it takes no pictures",
                 c.operand[0]);
        return NST_EARG;
    }
    status = *options.text ? nst_settings_create(&s, NULL, e) : nst_config_settings(argc, argv, &c, &s, e);
    if (status)
        return status;
    say_program();
    say_libraries();
    say_kernels(s);
    say_memory();
    say_devices(s);
    bad += nst_models_open(&m, &c, &wrong) != NST_OK;
    say_models(m);
    line("options");
    file = nst_config_path();
    if (*options.text)
        nst_say(stdout, "bad: %s", options.text);
    else
        nst_say(stdout, "%s", file ? file : "no file");
    bad += *options.text != 0;
    say_writable("folders", ".");
    say_writable("", cache && *cache ? cache : "/tmp");
    fflush(stdout);
    if (m && measure(s, m, &wrong))
        bad++;
    if (*wrong.text)
        nst_say(stdout, "%-12sbad: %s", m ? "speed" : "model", wrong.text);
    nst_model_close(&m);
    nst_settings_destroy(&s);
    *e->text = 0;
    return bad ? NST_EIO : NST_OK;
}
