/* beside.c: what libnst does for its own files (src/base/atomic_file.c), for those that FFmpeg writes by name: a name
 * that nobody can know before, so that neither a file of the user's nor a link that somebody put there is written over;
 * and the rights and links of what is replaced.  What a killed run leaves libnst sweeps, as it does its own. */
#include "cli/video/beside.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/fail.h"
#include "cli/password.h"

static nst_status cannot(const char *path, nst_error *e)
{
    return fail(e, NST_EIO, "%s: cannot write: %s", path, strerror(errno));
}

/* The owner too, where we may give files away, as root may. */
static bool take_over(int fd, const struct stat *old)
{
    if (fchown(fd, old->st_uid, old->st_gid) && fchown(fd, (uid_t)-1, old->st_gid))
        errno = 0;
    return fchmod(fd, old->st_mode & 0777) == 0;
}

nst_status nst_beside_open(nst_beside *b, const char *path, nst_error *e)
{
    char secret[33];
    struct stat old;
    bool there = stat(path, &old) == 0;

    b->fd = -1;
    *b->name = 0;
    if (!nst_paths_follow(path, b->real))
        return fail(e, NST_EARG, "%.100s...: its name is too long, or a link that leads to itself", path);
    if (!nst_password_make(secret))
        return fail(e, NST_EIO, "%s: /dev/urandom gives no numbers for a temporary name", path);
    snprintf(b->name, sizeof b->name, "%.*s.nst-%.12s.tmp", (int)(nst_paths_base(b->real) - b->real), b->real, secret);
    b->fd = open(b->name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (b->fd < 0) {
        *b->name = 0;
        return cannot(path, e);
    }
    flock(b->fd, LOCK_EX | LOCK_NB);
    if (!there || take_over(b->fd, &old))
        return NST_OK;
    cannot(path, e);
    nst_beside_drop(b);
    return NST_EIO;
}

nst_status nst_beside_keep(nst_beside *b, const char *path, nst_error *e)
{
    if (fsync(b->fd) || rename(b->name, b->real)) {
        cannot(path, e);
        nst_beside_drop(b);
        return NST_EIO;
    }
    *b->name = 0;
    nst_beside_drop(b);
    return NST_OK;
}

void nst_beside_drop(nst_beside *b)
{
    if (*b->name)
        unlink(b->name);
    *b->name = 0;
    if (b->fd >= 0)
        close(b->fd);
    b->fd = -1;
}
