/* files.c: the program's picture files: from and to names or "-", and what is left for a picture that has no place. */
#include "cli/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/clock.h"
#include "cli/fail.h"
#include "cli/interrupt.h"
#include "cli/paths.h"

nst_status nst_files_read(nst_image **out, const char *name, const nst_fit *fit, nst_error *e)
{
    if (nst_paths_is_stream(name))
        return nst_image_read_fd(out, STDIN_FILENO, "standard input", fit, e);
    return nst_image_read_fit(out, name, fit, e);
}

bool nst_files_is_picture(const char *name)
{
    nst_fit fit = { .longest = 1 };
    nst_image *picture = NULL;
    bool known = nst_paths_is_picture(name) || !nst_image_read_fit(&picture, name, &fit, NULL);

    nst_image_destroy(&picture);
    return known;
}

/* A descriptor for a named pipe; -1 with errno when it cannot be had, and EINTR when a signal came before a reader. */
static int open_pipe(const char *name, bool quiet)
{
    bool said = quiet;
    int fd;

    for (;;) {
        fd = open(name, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        if (fd >= 0 || errno != ENXIO)
            break;
        if (nst_interrupt_pending()) {
            errno = EINTR;
            return -1;
        }
        if (!said)
            nst_say(stderr, "nst: %s: waits for somebody to read this pipe", name);
        said = true;
        nst_clock_rest(.05);
    }
    if (fd >= 0)
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    return fd;
}

/* A reader that does not read is not waited for when a signal comes. */
static nst_status write_stream(const nst_image *image, int fd, const char *label, const nst_write_options *o,
                               nst_error *e)
{
    nst_status s;

    nst_interrupt_free();
    s = nst_image_write_fd(image, fd, label, o, e);
    nst_interrupt_hold();
    return s;
}

static nst_status write_pipe(const nst_command *c, const nst_image *image, const char *name, const nst_write_options *o,
                             nst_error *e)
{
    int fd = open_pipe(name, c->quiet);
    nst_status s;

    if (fd < 0)
        return fail(e, NST_EIO, "%s: %s", name, errno == EINTR ? "nobody reads this pipe" : strerror(errno));
    s = write_stream(image, fd, name, o, e);
    close(fd);
    return s;
}

nst_status nst_files_write(const nst_command *c, const nst_image *image, const char *name, const char *comment,
                           nst_error *e)
{
    const nst_format *format = nst_paths_format(c, name);
    nst_write_options o = { .bits = 8 << c->bits, .jpeg_quality = c->quality, .comment = comment,
                            .format = format ? format->name : NULL };
    struct stat st;
    nst_status s;

    if (nst_paths_is_stream(name))
        return write_stream(image, STDOUT_FILENO, nst_paths_label(name), &o, e);
    s = nst_paths_check(c, name, e);
    if (s)
        return s;
    if (stat(name, &st) == 0 && S_ISFIFO(st.st_mode))
        return write_pipe(c, image, name, &o, e);
    return nst_image_write(image, name, &o, e);
}

/* In a folder of our own: nobody else can have put a link there. */
static bool rescue_into(const char *top, const nst_image *image, const nst_write_options *o, char path[NST_PATH_BYTES])
{
    static const char name[] = "/painting.png";
    int n = snprintf(path, NST_PATH_BYTES, "%s/nst-XXXXXX", top);

    if (n < 0 || (size_t)n >= NST_PATH_BYTES - sizeof name || !mkdtemp(path))
        return false;
    memcpy(path + n, name, sizeof name);
    if (!nst_image_write(image, path, o, NULL))
        return true;
    path[n] = 0;
    rmdir(path);
    return false;
}

void nst_files_rescue(const nst_command *c, const nst_image *image, const char *comment, nst_error *e)
{
    const char *temp = getenv("TMPDIR"), *tops[] = { temp, getenv("HOME"), ".", "/tmp" };
    nst_write_options o = { .bits = 8 << c->bits, .comment = comment, .format = "png" };
    char path[NST_PATH_BYTES];
    nst_error why = *e;

    for (size_t i = 0; i < sizeof tops / sizeof *tops; i++)
        if (tops[i] && *tops[i] && rescue_into(tops[i], image, &o, path)) {
            fail(e, NST_EIO, "%.200s; the picture is kept as %s", why.text, path);
            return;
        }
}
