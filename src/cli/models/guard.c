/* guard.c: libhdf5 crashes on damaged files, as fuzzing shows; a child process opens each first, and it is the one
 * that crashes.  Its own readers nst trusts to fail with a sentence. */
#include "cli/models/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* A full VGG19 in HDF5 takes half a second of the processor and 100 MB beside its file. */
#define SECONDS 20
#define MEMORY ((rlim_t)4 << 30)

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

static int is_foreign(const char *path)
{
    char head[8] = "";
    FILE *f = fopen(path, "rb");
    int foreign = f && fread(head, 1, sizeof head, f) == sizeof head && !memcmp(head, "\x89HDF\r\n\x1a\n", 8);

    if (f)
        fclose(f);
    return foreign;
}

static void limit(int what, rlim_t most)
{
    struct rlimit l;

    if (!getrlimit(what, &l) && (l.rlim_cur == RLIM_INFINITY || l.rlim_cur > most)) {
        l.rlim_cur = most;
        setrlimit(what, &l);
    }
}

/* In the child: the status as its own, the sentence through the pipe. */
static void try_it(const char *path, int out)
{
    nst_error e = { "" };
    nst_model *m;
    nst_status s;
    int null = open("/dev/null", O_WRONLY);

    if (null >= 0)
        dup2(null, STDERR_FILENO); /* what the C library says of a broken heap */
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_CPU, SECONDS);
#if !defined(SANITIZED) && defined(RLIMIT_AS) /* whose shadow is larger than any limit */
    limit(RLIMIT_AS, MEMORY);
#endif
    s = nst_model_open(&m, path, &e);
    if (s && write(out, e.text, strlen(e.text)) < 0)
        _exit(NST_EIO);
    _exit((int)s);
}

static nst_status judge(const char *path, int status, nst_error *e)
{
    if (WIFEXITED(status) && (!WEXITSTATUS(status) || *e->text))
        return (nst_status)WEXITSTATUS(status);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
        snprintf(e->text, sizeof e->text, "%.400s: could not be read in %d seconds: it is damaged", path, SECONDS);
    else
        snprintf(e->text, sizeof e->text, "%.400s: the library that reads it crashed (signal %d): it is damaged", path,
                 WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    return NST_EFORMAT;
}

nst_status nst_guard_try(const char *path, nst_error *e)
{
    int ends[2], status = 0;
    ssize_t n = 0, k = 0;
    pid_t child;

    if (!is_foreign(path) || pipe(ends))
        return NST_OK;
    fflush(NULL);
    child = fork();
    if (child == 0)
        try_it(path, ends[1]);
    close(ends[1]);
    while (child > 0) {
        k = read(ends[0], e->text + n, sizeof e->text - 1 - (size_t)n);
        if (k == 0 || (k < 0 && errno != EINTR))
            break;
        n += k > 0 ? k : 0;
    }
    e->text[n] = 0;
    close(ends[0]);
    while (child > 0 && waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return NST_OK;
    return child > 0 ? judge(path, status, e) : NST_OK; /* no child to be had: as without */
}
