/* atomic_file.c: a file that is written whole or not at all: beside its name or without one, synced, renamed. */
#define _GNU_SOURCE /* O_TMPFILE */
#include "base/base.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NAME 4096  /* bytes of a path */
#define LINKS 40   /* that lead to each other, as many as the kernel follows */
#define SPARE 64   /* for a temporary name */
#define TRIES 100
#define OLD 3600   /* seconds */

/* Length of the folder's part of path, the slash included; 0 where there is none. */
static size_t folder(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? (size_t)(slash - path) + 1 : 0;
}

/* What path leads to when symbolic links are followed, be it there or not; false, and errno says why. */
static bool follow(const char *path, char at[NAME])
{
    char to[NAME];

    if ((size_t)snprintf(at, NAME, "%s", path) >= NAME) {
        errno = ENAMETOOLONG;
        return false;
    }
    for (int i = 0; i < LINKS; i++) {
        ssize_t n = readlink(at, to, sizeof to - 1);
        size_t kept = n > 0 && *to == '/' ? 0 : folder(at);

        if (n < 0)
            return true;
        if (kept + (size_t)n >= NAME) {
            errno = ENAMETOOLONG;
            return false;
        }
        memcpy(at + kept, to, (size_t)n);
        at[kept + (size_t)n] = 0;
    }
    errno = ELOOP;
    return false;
}

/* ---- the new file before it has its name ------------------------------------------------------------------------ */

struct temp {
    int fd;
    bool nameless; /* as Linux has them: a run that is killed leaves nothing */
    char *name;    /* beside the file that it will be */
    size_t folder; /* letters of name's folder */
};

/* Nobody else's, and not one that a run left which had this process's number. */
static void make_name(struct temp *t)
{
    static atomic_uint count;
    struct timespec now;
    uint64_t z;

    clock_gettime(CLOCK_REALTIME, &now);
    z = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec + ((uint64_t)getpid() << 40) + (uintptr_t)&now;
    z += (uint64_t)atomic_fetch_add(&count, 1u) * 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    snprintf(t->name + t->folder, SPARE, ".nst-%012llx.tmp", (unsigned long long)(z >> 16));
}

/* Where the system shows a nameless file, through which it gets a name. */
static const char *shown_at(const struct temp *t, char out[64])
{
    snprintf(out, 64, "/proc/self/fd/%d", t->fd);
    return out;
}

static bool open_nameless(struct temp *t)
{
#ifdef O_TMPFILE
    char at[64];

    strcpy(t->name + t->folder, ".");
    t->fd = open(t->name, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
    if (t->fd >= 0 && access(shown_at(t, at), F_OK) == 0)
        return true;
    if (t->fd >= 0)
        close(t->fd);
#else
    (void)t;
#endif
    return false;
}

/* Locked as long as it is written: by that a sweeper knows that its run lives. */
static bool open_named(struct temp *t)
{
    t->fd = -1;
    for (int i = 0; i < TRIES && t->fd < 0; i++) {
        make_name(t);
        t->fd = open(t->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (t->fd < 0 && errno != EEXIST)
            return false;
    }
    if (t->fd >= 0)
        flock(t->fd, LOCK_EX | LOCK_NB);
    return t->fd >= 0;
}

static bool give_name(struct temp *t)
{
    char at[64];

    for (int i = 0; i < TRIES; i++) {
        make_name(t);
        if (linkat(AT_FDCWD, shown_at(t, at), AT_FDCWD, t->name, AT_SYMLINK_FOLLOW) == 0)
            return true;
        if (errno != EEXIST)
            return false;
    }
    return false;
}

/* The owner and rights of the file that it will replace; the owner only where we may, as root may. */
static bool take_over(int fd, const struct stat *old)
{
    struct stat st;

    if (fstat(fd, &st) == 0 && (st.st_uid != old->st_uid || st.st_gid != old->st_gid) &&
        fchown(fd, old->st_uid, old->st_gid) && fchown(fd, (uid_t)-1, old->st_gid))
        errno = 0;
    return fchmod(fd, old->st_mode & 0777) == 0;
}

/* A new file beside t->name's. */
static FILE *open_temp(struct temp *t, const struct stat *old, bool nameless)
{
    FILE *f;

    t->nameless = nameless && open_nameless(t);
    if (!t->nameless && !open_named(t))
        return NULL;
    if (!old || take_over(t->fd, old)) {
        f = fdopen(t->fd, "wb");
        if (f)
            return f;
    }
    close(t->fd);
    if (!t->nameless)
        unlink(t->name);
    return NULL;
}

/* Takes away what a run left here that was killed: our own, an hour old, and nobody holds its lock. */
static void sweep_one(int folder, const char *name)
{
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat st;

    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() && time(NULL) - st.st_mtime > OLD &&
        flock(fd, LOCK_EX | LOCK_NB) == 0)
        unlinkat(folder, name, 0);
    close(fd);
}

/* Once a folder, or checkpoint by checkpoint a large one would be read in vain. */
static void sweep(struct temp *t)
{
    static _Atomic uint64_t swept;
    struct stat st;
    uint64_t id;
    DIR *d;

    strcpy(t->name + t->folder, ".");
    d = opendir(t->name);
    if (!d)
        return;
    id = fstat(dirfd(d), &st) == 0 ? (uint64_t)st.st_ino ^ (uint64_t)st.st_dev << 48 : 0;
    while (id != swept) {
        const struct dirent *entry = readdir(d);
        size_t n = entry ? strlen(entry->d_name) : 0;

        if (!entry)
            break;
        if (n > 9 && !strncmp(entry->d_name, ".nst-", 5) && !strcmp(entry->d_name + n - 4, ".tmp"))
            sweep_one(dirfd(d), entry->d_name);
    }
    swept = id;
    closedir(d);
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

static nst_status cannot(const char *path, nst_error *e)
{
    return nst_fail(e, NST_EIO, "%s: cannot write: %s", path, strerror(errno));
}

/* Everything written and on the disk, under t->name.  *again: all is well but for a nameless file's name. */
static nst_status fill(const char *path, struct temp *t, FILE *f, nst_whole_fn *write, void *arg, bool *again,
                       nst_error *e)
{
    nst_status s = write(arg, f, e);

    *again = false;
    if (!s && (fflush(f) || ferror(f) || fsync(t->fd)))
        s = cannot(path, e);
    if (!s && t->nameless) {
        if (!give_name(t)) {
            s = cannot(path, e);
            *again = true;
        } else {
            t->nameless = false;
        }
    }
    if (fclose(f) && !s)
        s = cannot(path, e);
    return s;
}

/* path is what the caller calls it, real what lies behind a symbolic link. */
static nst_status replace(const char *path, const char *real, const struct stat *old, nst_whole_fn *write, void *arg,
                          nst_error *e)
{
    struct temp t = { .fd = -1, .name = nst_alloc(strlen(real) + SPARE), .folder = folder(real) };
    bool again = true;
    nst_status s = NST_OK;

    if (!t.name)
        return nst_fail(e, NST_EMEM, "%s: out of memory", path);
    memcpy(t.name, real, t.folder);
    sweep(&t);
    for (int nameless = 1; again && nameless >= 0; nameless--) {
        FILE *f = open_temp(&t, old, nameless);

        if (!f) {
            s = cannot(path, e);
            break;
        }
        s = fill(path, &t, f, write, arg, &again, e);
        if (!s && rename(t.name, real))
            s = nst_fail(e, NST_EIO, "%s: cannot be put in place: %s", path, strerror(errno));
        if (s && !t.nameless)
            unlink(t.name);
    }
    if (!s)
        sync_folder(real, t.name);
    nst_free(t.name);
    return s;
}

/* A pipe or a device is written in place: there is no old content to protect. */
static nst_status stream(const char *path, nst_whole_fn *write, void *arg, nst_error *e)
{
    FILE *f = fopen(path, "wb");
    nst_status s;

    if (!f)
        return cannot(path, e);
    s = write(arg, f, e);
    if (!s && (fflush(f) || ferror(f)))
        s = cannot(path, e);
    if (fclose(f) && !s)
        s = cannot(path, e);
    return s;
}

nst_status nst_whole_write(const char *path, nst_whole_fn *write, void *arg, nst_error *e)
{
    struct stat st;
    bool old = stat(path, &st) == 0;
    char real[NAME];

    if (old && S_ISDIR(st.st_mode))
        return nst_fail(e, NST_EIO, "%s: is a directory, expected the name of a file", path);
    /* renaming would get around a file that is marked read-only */
    if (old && faccessat(AT_FDCWD, path, W_OK, AT_EACCESS))
        return cannot(path, e);
    if (old && !S_ISREG(st.st_mode))
        return stream(path, write, arg, e);
    return follow(path, real) ? replace(path, real, old ? &st : NULL, write, arg, e) : cannot(path, e);
}
