/* files.c: the program's picture files: from and to names or "-", and what is left for a picture that has no place. */
#include "cli/files.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/paths.h"

nst_status nst_files_read(nst_image **out, const char *name, const nst_fit *fit, nst_error *e)
{
    if (nst_paths_is_stream(name))
        return nst_image_read_fd(out, STDIN_FILENO, "standard input", fit, e);
    return nst_image_read_fit(out, name, fit, e);
}

nst_status nst_files_write(const nst_command *c, const nst_image *image, const char *name, const char *comment,
                           nst_error *e)
{
    const nst_format *format = nst_paths_format(c, name);
    nst_write_options o = { .bits = 8 << c->bits, .jpeg_quality = c->quality, .comment = comment,
                            .format = format ? format->name : NULL };
    nst_status s;

    /* a reader that has gone is a failure to write */
    if (nst_paths_is_stream(name) && signal(SIGPIPE, SIG_IGN) != SIG_ERR)
        return nst_image_write_fd(image, STDOUT_FILENO, "standard output", &o, e);
    return (s = nst_paths_check(c, name, e)) ? s : nst_image_write(image, name, &o, e);
}

void nst_files_rescue(const nst_command *c, const nst_image *image, const char *name, const char *comment, nst_error *e)
{
    const char *base = nst_paths_is_stream(name) ? "result" : nst_paths_base(name), *top = getenv("TMPDIR");
    nst_write_options o = { .bits = 8 << c->bits, .comment = comment, .format = "png" };
    char folder[NST_PATH_BYTES], path[NST_PATH_BYTES];
    size_t used = strlen(e->text);
    int n = snprintf(folder, sizeof folder, "%s/nst-XXXXXX", top && *top ? top : "/tmp");

    /* a folder of our own: nobody else can have put a link there */
    if (n < 0 || (size_t)n >= sizeof folder || !mkdtemp(folder))
        return;
    n = snprintf(path, sizeof path, "%s/%.*s.png", folder, nst_paths_stem(base), base);
    if (n < 0 || (size_t)n >= sizeof path || nst_image_write(image, path, &o, NULL))
        rmdir(folder);
    else
        snprintf(e->text + used, sizeof e->text - used, "; the picture is kept as %s", path);
}
