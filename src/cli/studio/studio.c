/* studio.c: `nst studio`: makes its folder, serves the page to this machine, opens the browser, and paints. */
#include "cli/studio/studio.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/config.h"
#include "cli/fail.h"
#include "cli/http.h"
#include "cli/interrupt.h"
#include "cli/password.h"

#define S (&nst_the_studio)
#define PORT 8643
#define THREADS 4
#define ADDRESS 256

extern char **environ;

/* ---- the command line -------------------------------------------------------------------------------------------- */

/* What belongs to one picture, or watches one. */
static nst_status check(const nst_command *c, nst_error *e)
{
    const char *wrong = nst_first_said(NST_SAID(
        { c->output, "output" }, { c->init, "init" }, { c->content_mask.n, "content-mask" },
        { c->style_mask.n, "style-mask" }, { c->log, "log" }, { c->checkpoint, "checkpoint" },
        { c->save_every, "save-every" }, { c->preview, "preview" }, { c->web || c->web_port || c->web_host, "web" },
        { c->dry_run, "dry-run" }));

    if (wrong)
        return fail(e, NST_EARG, "studio: --%s belongs to one painting; leave it out", wrong);
    if (c->operands > 1)
        return fail(e, NST_EARG, "studio: \"%s\" is one picture too many, expected at most one photograph",
                    c->operand[1]);
    return NST_OK;
}

/* --port 1, --port=1 and so on say where the page is, not how it paints. */
static bool is_own(const char *word, bool *value)
{
    static const char *const own[] = { "--port", "--folder", "--host", "--no-browser" };

    *value = false;
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        size_t n = strlen(own[i]);

        if (!strncmp(word, own[i], n) && (!word[n] || word[n] == '=')) {
            *value = !word[n] && i < 3;
            return true;
        }
    }
    return false;
}

/* The options that every painting has; getopt has put the operands behind them. */
static nst_status keep_words(int argc, char **argv, const nst_command *c, nst_error *e)
{
    int last = argc - c->operands;
    bool value;

    for (int i = 1; i < last; i++) {
        if (is_own(argv[i], &value)) {
            i += value;
            continue;
        }
        if (!strcmp(argv[i], "--"))
            continue;
        if (S->start.n_words == (int)(sizeof S->start.words / sizeof *S->start.words))
            return fail(e, NST_EARG, "studio: too many options");
        S->start.words[S->start.n_words++] = argv[i];
    }
    return NST_OK;
}

/* The values that the controls begin with are those of the options. */
static nst_status begin_choice(int argc, char **argv, nst_command *c, nst_error *e)
{
    nst_settings *s;
    nst_status status = nst_config_settings(argc, argv, c, &s, e);

    if (!status)
        S->start.choice = (nst_choice){ .strength = s->strength, .stroke = s->style_scale, .color = s->color,
                               .size = s->size ? s->size : 512, .rest = -1 };
    nst_settings_destroy(&s);
    return status;
}

/* ---- the browser ------------------------------------------------------------------------------------------------- */

/* A page of the user's own leads there: an address in a command line could be read by others of this machine. */
static nst_status write_address(const char *url, nst_error *e)
{
    char path[NST_PATH_BYTES];
    int fd;
    FILE *f;

    nst_folder_path(NST_FILE_ADDRESS, 0, path);
    unlink(path);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    f = fd < 0 ? NULL : fdopen(fd, "w");
    if (!f)
        return fail(e, NST_EIO, "studio: %s: %s", path, strerror(errno));
    fprintf(f, "<!DOCTYPE html>\n<meta charset=\"utf-8\">\n<title>nst studio</title>\n");
    if (*S->start.password)
        fprintf(f, "<p>The studio asks for a user, which may be any, and for the password <code>%s</code>:\n",
                S->start.password);
    else
        fprintf(f, "<meta http-equiv=\"refresh\" content=\"0; url=%s\">\n", url);
    fprintf(f, "<a href=\"%s\">nst studio</a>\n", url);
    return fclose(f) ? fail(e, NST_EIO, "studio: %s: %s", path, strerror(errno)) : NST_OK;
}

static void open_browser(void)
{
#ifdef __APPLE__
    static char opener[] = "open";
#else
    static char opener[] = "xdg-open";
#endif
    static char path[NST_PATH_BYTES];
    char *words[] = { opener, path, NULL };
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t group; /* of its own: Ctrl-C is for the studio */
    pid_t pid;

    nst_folder_path(NST_FILE_ADDRESS, 0, path);
    if (posix_spawn_file_actions_init(&actions) || posix_spawnattr_init(&group))
        return;
    posix_spawnattr_setflags(&group, POSIX_SPAWN_SETPGROUP);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    if (posix_spawnp(&pid, opener, &actions, &group, words, environ)) /* there is none: the address was said */
        pid = 0;
    posix_spawnattr_destroy(&group);
    posix_spawn_file_actions_destroy(&actions);
}

/* ---- start and end ----------------------------------------------------------------------------------------------- */

/* A photograph that the command line names is chosen. */
static nst_status choose_photo(const char *path, nst_error *e)
{
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1, number;
    nst_error why;

    if (!path)
        return NST_OK;
    if (fd < 0)
        return fail(e, NST_EIO, "%s: %s", path, strerror(errno));
    number = nst_sources_add(fd, true, &why);
    close(fd);
    if (!number)
        return fail(e, NST_EFORMAT, "%s: %s", path, why.text);
    nst_choice_add(number);
    return NST_OK;
}

/* How this machine reaches a host that stands for all of its addresses. */
static const char *near(const char *host)
{
    if (!host || !strcmp(host, "0.0.0.0"))
        return "127.0.0.1";
    return strcmp(host, "::") ? host : "::1";
}

/* *said: the address for others, who have the password; *address: with the token. */
static nst_status serve(const nst_command *c, char said[ADDRESS], char address[ADDRESS], nst_error *e)
{
    static char password[33];
    char url[128];
    nst_http_server server = { .name = "studio", .port_option = "--port", .host_option = "--host", .host = c->host,
                               .port = c->port ? c->port : PORT, .threads = THREADS, .password = password,
                               .answer = nst_pages_answer, .room = nst_pages_room };
    nst_status s;

    if (!nst_password_make(S->start.token) || !nst_password_make(password))
        return fail(e, NST_EIO, "studio: /dev/urandom gives no numbers for the page's token");
    s = nst_http_open(&server, url, e);
    if (s == NST_EIO && !c->port) { /* another studio has the usual port */
        server.port = 0;
        s = nst_http_open(&server, url, e);
    }
    if (s)
        return s;
    snprintf(address, ADDRESS, strchr(near(c->host), ':') ? "http://[%s]:%d/%s/" : "http://%s:%d/%s/", near(c->host),
             server.port, S->start.token);
    snprintf(said, ADDRESS, "%s", server.guarded ? url : address);
    if (server.guarded)
        memcpy(S->start.password, password, sizeof password);
    return NST_OK;
}

static void tell(const nst_command *c, const char *said)
{
    nst_say(stdout, "nst: the studio is at %s", said);
    if (*S->start.password)
        nst_say(stdout, "nst: it asks for a user, which may be any, and for the password %s", S->start.password);
    if (!c->quiet)
        nst_say(stdout, "nst: pictures go to %s; Ctrl-C ends the studio, and a painting goes on next time",
                S->start.folder);
    fflush(stdout);
}

static nst_status run(const nst_command *c, nst_error *e)
{
    char said[ADDRESS], address[ADDRESS], path[NST_PATH_BYTES];
    nst_status s = nst_wake_begin(e);

    s = s ? s : nst_folder_scan(e);
    s = s ? s : nst_sources_begin(e);
    if (s)
        return s;
    nst_choice_check();
    s = choose_photo(c->content, e);
    if (s)
        return s;
    s = serve(c, said, address, e);
    s = s ? s : write_address(address, e);
    s = s ? s : nst_preview_start(e);
    if (!s) {
        nst_interrupt_hold();
        tell(c, said);
        if (!c->no_browser)
            open_browser();
        nst_painter_run();
    }
    nst_http_close();
    nst_preview_end();
    unlink(nst_folder_path(NST_FILE_ADDRESS, 0, path));
    return s;
}

nst_status nst_studio_run(int argc, char **argv, nst_error *e)
{
    nst_command c;
    bool taken;
    nst_status s = nst_config_parse(argc, argv, &c, e);

    s = s ? s : check(&c, e);
    s = s ? s : keep_words(argc, argv, &c, e);
    s = s ? s : begin_choice(argc, argv, &c, e);
    s = s ? s : nst_folder_begin(c.folder, &taken, e);
    if (s)
        return s;
    S->start.base = c;
    S->start.base.content = NULL;
    S->start.base.operands = S->start.base.styles = 0;
    S->start.base.port = 0;
    S->start.base.host = NULL;
    if (!taken)
        return run(&c, e);
    s = c.content ? nst_handover(c.content, e) : NST_OK;
    if (s)
        return s;
    nst_say(stdout, "nst: the studio is open already, with the folder %s", S->start.folder);
    if (!c.no_browser)
        open_browser();
    return NST_OK;
}
