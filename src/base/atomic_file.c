/* atomic_file.c: a file that is written whole or not at all: beside its name, synced, renamed. */
#define _XOPEN_SOURCE 700 /* realpath */
#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Length of the folder's part of path, the slash included; 0 where there is none. */
static size_t folder(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? (size_t)(slash - path) + 1 : 0;
}

/* A new file beside path, with the rights of the one that it will replace. temp has room for 64 bytes more than
 * path. */
static FILE *open_beside(const char *path, const struct stat *old, char *temp)
{
    static const int tries = 100;
    size_t n = folder(path);
    FILE *f;
    int fd = -1;

    memcpy(temp, path, n);
    for (int i = 0; i < tries && fd < 0; i++) {
        snprintf(temp + n, 64, ".nst-%ld-%d.tmp", (long)getpid(), i);
        fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd < 0 && errno != EEXIST)
            return NULL;
    }
    if (fd < 0)
        return NULL;
    if ((!old || !fchmod(fd, old->st_mode & 0777)) && (f = fdopen(fd, "wb")))
        return f;
    close(fd);
    unlink(temp);
    return NULL;
}

/* The new name reaches the disk when its folder does.  Some file systems cannot: the file itself is safe. */
static void sync_folder(const char *path, char *scratch)
{
    size_t n = folder(path);
    int fd;

    memcpy(scratch, path, n);
    strcpy(scratch + n, ".");
    fd = open(scratch, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
}

/* path is what the caller calls it, real what lies behind a symbolic link. */
static nst_status replace(const char *path, const char *real, const struct stat *old, nst_whole_fn *write, void *arg,
                          nst_error *e)
{
    char *temp = nst_alloc(strlen(real) + 64);
    nst_status s;
    FILE *f;

    if (!temp)
        return nst_fail(e, NST_EMEM, "%s: out of memory", path);
    if (!(f = open_beside(real, old, temp))) {
        s = nst_fail(e, NST_EIO, "%s: cannot write: %s", path, strerror(errno));
        nst_free(temp);
        return s;
    }
    s = write(arg, f, e);
    if (!s && (fflush(f) || ferror(f) || fsync(fileno(f))))
        s = nst_fail(e, NST_EIO, "%s: cannot write: %s", path, strerror(errno));
    if (fclose(f) && !s)
        s = nst_fail(e, NST_EIO, "%s: cannot write: %s", path, strerror(errno));
    if (!s && rename(temp, real))
        s = nst_fail(e, NST_EIO, "%s: cannot be put in place: %s", path, strerror(errno));
    if (s)
        unlink(temp);
    else
        sync_folder(real, temp);
    nst_free(temp);
    return s;
}

/* A pipe or a device is written in place: there is no old content to protect. */
static nst_status stream(const char *path, nst_whole_fn *write, void *arg, nst_error *e)
{
    FILE *f = fopen(path, "wb");
    nst_status s;

    if (!f)
        return nst_fail(e, NST_EIO, "%s: cannot write: %s", path, strerror(errno));
    s = write(arg, f, e);
    if (!s && (fflush(f) || ferror(f)))
        s = nst_fail(e, NST_EIO, "%s: cannot write: %s", path, strerror(errno));
    if (fclose(f) && !s)
        s = nst_fail(e, NST_EIO, "%s: cannot write: %s", path, strerror(errno));
    return s;
}

nst_status nst_whole_write(const char *path, nst_whole_fn *write, void *arg, nst_error *e)
{
    struct stat st;
    bool old = stat(path, &st) == 0;
    char *real = NULL;
    nst_status s;

    if (old && S_ISDIR(st.st_mode))
        return nst_fail(e, NST_EIO, "%s: is a directory, expected the name of a file", path);
    /* renaming would get around a file that is marked read-only */
    if (old && faccessat(AT_FDCWD, path, W_OK, AT_EACCESS))
        return nst_fail(e, NST_EIO, "%s: cannot write: %s", path, strerror(errno));
    if (old && !S_ISREG(st.st_mode))
        return stream(path, write, arg, e);
    if (old && !(real = nst_alloc(PATH_MAX)))
        return nst_fail(e, NST_EMEM, "%s: out of memory", path);
    if (old && !realpath(path, real)) {
        nst_free(real);
        real = NULL;
    }
    s = replace(path, real ? real : path, old ? &st : NULL, write, arg, e);
    nst_free(real);
    return s;
}
