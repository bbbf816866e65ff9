/* lazy.c: libraries that are loaded when they are first used: the only file that knows dlopen.  What was opened stays
 * so: not every library can be unloaded. */
#include "base/lazy.h"

#ifdef NST_LAZY_LOADS

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* configure found the files: NST_FILE_HDF5 is the name that the linker would have written down. */
static struct library {
    const char *file, *what, *needs, *package;
    void *handle; /* its symbols are in its table */
} libraries[NST_LAZY_COUNT] = {
#ifdef NST_FILE_HDF5
    [NST_LAZY_HDF5] = { NST_FILE_HDF5, "weights in .h5", "need",
                        "Debian: libhdf5-dev, Fedora, Arch and Homebrew: hdf5", NULL },
#endif
#ifdef NST_FILE_HEIF
    [NST_LAZY_HEIF] = { NST_FILE_HEIF, "HEIC and AVIF pictures", "need",
                        "Debian: libheif-dev, Fedora, Arch and Homebrew: libheif", NULL },
#endif
#ifdef NST_FILE_JXL
    [NST_LAZY_JXL] = { NST_FILE_JXL, "JPEG XL pictures", "need",
                       "Debian: libjxl-dev, Fedora and Arch: libjxl, Homebrew: jpeg-xl", NULL },
#endif
#ifdef NST_FILE_CLBLAST
    [NST_LAZY_CLBLAST] = { NST_FILE_CLBLAST, "OpenCL devices", "need",
                           "Debian: libclblast-dev, Fedora, Arch and Homebrew: clblast", NULL },
#endif
#ifdef NST_FILE_LIBCURL
    [NST_LAZY_LIBCURL] = { NST_FILE_LIBCURL, "nst model fetch", "needs",
                           "Debian: libcurl4-openssl-dev, Fedora: libcurl, Arch and Homebrew: curl", NULL },
#endif
#ifdef NST_FILE_LIBMICROHTTPD
    [NST_LAZY_LIBMICROHTTPD] = { NST_FILE_LIBMICROHTTPD, "--web", "needs",
                                 "Debian: libmicrohttpd-dev, Fedora, Arch and Homebrew: libmicrohttpd", NULL },
#endif
#ifdef NST_FILE_CHAFA
    [NST_LAZY_CHAFA] = { NST_FILE_CHAFA, "--preview", "needs",
                         "Debian: libchafa-dev, Fedora: chafa-libs, Arch and Homebrew: chafa", NULL },
#endif
#ifdef NST_FILE_AVFORMAT
    [NST_LAZY_AVFORMAT] = { NST_FILE_AVFORMAT, "nst video", "needs",
                            "Debian: libavformat-dev, Fedora: ffmpeg-free, Arch and Homebrew: ffmpeg", NULL },
#endif
#ifdef NST_FILE_SWSCALE
    [NST_LAZY_SWSCALE] = { NST_FILE_SWSCALE, "nst video", "needs",
                           "Debian: libswscale-dev, Fedora: ffmpeg-free, Arch and Homebrew: ffmpeg", NULL },
#endif
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static nst_status tell(const struct library *l, nst_error *e, const char *fact)
{
    if (e)
        snprintf(e->text, sizeof e->text, "%s %s %.100s, which %.200s (%s)", l->what, l->needs, l->file, fact,
                 l->package);
    return NST_EUNSUPPORTED;
}

/* The loader tells a file that is not there from one that is broken, or that lacks a library of its own, by words
 * only. */
static nst_status tell_why(const struct library *l, nst_error *e)
{
    const char *why = dlerror();
    char fact[201];

    if (!why || (strncmp(why, l->file, strlen(l->file)) == 0 && strstr(why, "No such file")))
        return tell(l, e, "is not installed");
    snprintf(fact, sizeof fact, "cannot be loaded: %.*s", (int)strcspn(why, "\n"), why);
    return tell(l, e, fact);
}

static nst_status fill(struct library *l, const char *const *names, size_t n, char *table, nst_error *e)
{
    void *handle = dlopen(l->file, RTLD_NOW | RTLD_LOCAL);
    char fact[201];

    if (!handle)
        return tell_why(l, e);
    for (size_t i = 0; i < n; i++) {
        void *address = dlsym(handle, names[i]);

        if (!address) {
            snprintf(fact, sizeof fact, "has no %s: it is another version", names[i]);
            return tell(l, e, fact);
        }
        memcpy(table + i * sizeof address, &address, sizeof address); /* a function's address is no void * in C */
    }
    l->handle = handle;
    return NST_OK;
}

nst_status nst_lazy_load(int library, const char *const *names, size_t n, void *table, nst_error *e)
{
    struct library *l = &libraries[library];
    nst_status s = NST_OK;

    pthread_mutex_lock(&lock);
    if (!l->handle)
        s = fill(l, names, n, table, e);
    pthread_mutex_unlock(&lock);
    return s;
}

bool nst_lazy_about(int library, const char **file, const char **what, bool *there)
{
    const struct library *l = &libraries[library];

    if (!l->file)
        return false;
    *file = l->file;
    *what = l->what;
    *there = dlopen(l->file, RTLD_LAZY | RTLD_LOCAL) != NULL;
    return true;
}

#else

bool nst_lazy_about(int library, const char **file, const char **what, bool *there)
{
    (void)library, (void)file, (void)what, (void)there;
    return false;
}

#endif
