/* part.c: a download that is not whole yet: the part that has come, and beside it the file part.from, which says what
 * it is a part of. */
#include "cli/models/part.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/fail.h"

#define FROM_BYTES 4200

static const char *from_path(const char *part, char path[FROM_BYTES])
{
    snprintf(path, FROM_BYTES, "%s.from", part);
    return path;
}

void nst_part_forget(const char *part)
{
    char path[FROM_BYTES];

    unlink(part);
    unlink(from_path(part, path));
}

static nst_status cannot(const char *path, nst_error *e)
{
    return fail(e, NST_EIO, "%s: cannot be written: %s", path, strerror(errno));
}

/* One nst at a time: two that write into one part would spoil it. */
static nst_status open_locked(nst_part *p, nst_error *e)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    struct stat st;

    p->fd = open(p->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (p->fd < 0 || fstat(p->fd, &st))
        return cannot(p->path, e);
    if (fcntl(p->fd, F_SETLK, &lock)) {
        close(p->fd); /* it is the other's, and stays */
        p->fd = -1;
        return fail(e, NST_EIO, "%s: another nst is fetching it", p->path);
    }
    p->have = (long long)st.st_size;
    return NST_OK;
}

nst_status nst_part_empty(nst_part *p, nst_error *e)
{
    if (ftruncate(p->fd, 0))
        return cannot(p->path, e);
    p->have = 0;
    *p->validator = 0;
    return NST_OK;
}

/* Whether it is a part of url; what is known of that file goes into p->validator. */
static bool is_of(nst_part *p, const char *url)
{
    char path[FROM_BYTES], from[4096] = "";
    FILE *f = fopen(from_path(p->path, path), "r");

    *p->validator = 0;
    if (!f)
        return false;
    if (fgets(from, sizeof from, f) && fgets(p->validator, sizeof p->validator, f))
        p->validator[strcspn(p->validator, "\n")] = 0;
    from[strcspn(from, "\n")] = 0;
    fclose(f);
    return !strcmp(from, url);
}

nst_status nst_part_open(nst_part *p, const char *path, const char *url, bool checked, long long most, nst_error *e)
{
    nst_status s;

    *p = (nst_part){ .path = path, .fd = -1 };
    s = open_locked(p, e);
    if (s)
        return s;
    if (!is_of(p, url))
        *p->validator = 0;
    return (!*p->validator && !checked) || p->have > most ? nst_part_empty(p, e) : NST_OK;
}

nst_status nst_part_note(nst_part *p, const char *url, const char *validator, nst_error *e)
{
    char path[FROM_BYTES];
    FILE *f = fopen(from_path(p->path, path), "w");

    snprintf(p->validator, sizeof p->validator, "%s", validator);
    if (f)
        fprintf(f, "%s\n%s\n", url, p->validator);
    return f && !fclose(f) ? NST_OK : cannot(path, e);
}

nst_status nst_part_add(nst_part *p, const char *data, size_t n, nst_error *e)
{
    for (size_t done = 0; done < n;) {
        ssize_t k = pwrite(p->fd, data + done, n - done, (off_t)(p->have + (long long)done));

        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return cannot(p->path, e);
        done += (size_t)k;
    }
    p->have += (long long)n;
    return NST_OK;
}

nst_status nst_part_close(nst_part *p, nst_status s, bool useless, nst_error *e)
{
    if (!s && fsync(p->fd))
        s = cannot(p->path, e);
    if (s && p->fd >= 0 && (useless || !p->have)) /* nothing that could be gone on with */
        nst_part_forget(p->path);
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
    return s;
}
