/* lazy.h: libraries that are loaded when they are first used, since most runs never do: see
 * docs/loaded-libraries.md.  A file that uses one lists its symbols once; their types are the header's.
 *
 *     #define SYMBOLS(X) X(H5Dread) X(H5T_IEEE_F32LE_g)
 *     NST_LAZY(HDF5, SYMBOLS)
 *
 * makes `load`, which comes first, and `lib`, in which lib.H5Dread is that function and lib.H5T_IEEE_F32LE_g that
 * variable's address.  A build with --disable-lazy links the libraries, and the same code takes the same addresses. */
#ifndef NST_LAZY_H
#define NST_LAZY_H

#include <stdbool.h>
#include <stddef.h>

#include "nst.h"

enum {
    NST_LAZY_HDF5,
    NST_LAZY_HEIF,
    NST_LAZY_JXL,
    NST_LAZY_CLBLAST,
    NST_LAZY_LIBCURL,
    NST_LAZY_LIBMICROHTTPD,
    NST_LAZY_CHAFA,
    NST_LAZY_AVFORMAT,
    NST_LAZY_SWSCALE,
    NST_LAZY_COUNT
};

/* The names may be macros of the header's (H5Lvisit is H5Lvisit1 or 2): they are expanded first. */
#define NST_LAZY_TEXT(name) #name
#define NST_LAZY_NAME(name) NST_LAZY_TEXT(name),
#define NST_LAZY_ADDRESS(name) &name,
#define NST_LAZY_MEMBER(name) __typeof__(name) *name;

/* What packagers' tools read of a library that the linker's list does not name (systemd's "ELF dlopen metadata"). */
#if defined(NST_LAZY_LOADS) && defined(__ELF__)
#define NST_LAZY_JSON(library, file)                                                                                 \
    "[{\"feature\":\"" #library "\",\"priority\":\"recommended\",\"soname\":[\"" file "\"]}]"
#define NST_LAZY_NOTE(library, file)                                                                                 \
    __attribute__((used, section(".note.dlopen"), aligned(4))) static const struct {                                 \
        unsigned owner_bytes, json_bytes, type;                                                                      \
        char owner[4], json[(sizeof NST_LAZY_JSON(library, file) + 3) / 4 * 4];                                      \
    } dlopen_note = { 4, sizeof NST_LAZY_JSON(library, file), 0x407c0c0a, "FDO", NST_LAZY_JSON(library, file) };
#else
#define NST_LAZY_NOTE(library, file)
#endif

#ifdef NST_LAZY_LOADS
#define NST_LAZY(library, symbols)                                                                                   \
    NST_LAZY_NOTE(library, NST_FILE_##library)                                                                       \
    static struct {                                                                                                  \
        symbols(NST_LAZY_MEMBER)                                                                                     \
    } lib;                                                                                                           \
    static nst_status load(nst_error *e)                                                                             \
    {                                                                                                                \
        static const char *const names[] = { symbols(NST_LAZY_NAME) };                                               \
                                                                                                                     \
        _Static_assert(sizeof lib == sizeof names, "a table of addresses and nothing else");                         \
        return nst_lazy_load(NST_LAZY_##library, names, sizeof names / sizeof *names, &lib, e);                      \
    }
#else
#define NST_LAZY(library, symbols)                                                                                   \
    static const struct {                                                                                            \
        symbols(NST_LAZY_MEMBER)                                                                                     \
    } lib = { symbols(NST_LAZY_ADDRESS) };                                                                           \
    static nst_status load(nst_error *e)                                                                             \
    {                                                                                                                \
        (void)e;                                                                                                     \
        return NST_OK;                                                                                               \
    }
#endif

/* Opens the library, once in a process, and puts the n addresses into *table, which only this library's calls do.  Any
 * thread may call.  NST_EUNSUPPORTED: "weights in .h5 need libhdf5.so.103, which is not installed (...)". */
nst_status nst_lazy_load(int library, const char *const *names, size_t n, void *table, nst_error *e);

/* The file of a library and what needs it, and whether it can be loaded here; false where this build has no such
 * library, or is linked with it. */
bool nst_lazy_about(int library, const char **file, const char **what, bool *there);

#endif
