/* sources.h: the weight files that people have: where each comes from, how it is known, what is known of
 * it. */
#ifndef NST_SOURCES_H
#define NST_SOURCES_H

#include <stdbool.h>

typedef struct nst_source {
    const char *name;    /* what nst model fetch takes; NULL: nothing to fetch, but known when seen */
    const char *url;
    const char *file;    /* what the file is called by those who publish it */
    const char *sha256;  /* hexadecimal; all 64 digits or, where only those are published, the first 8, as torch's
                          * file names carry them; NULL: none is published */
    const char *md5;     /* where that is what is published, else NULL */
    long long bytes;     /* 0: not known */
    /* what the first layer expects, where neither format nor names of layers tell; NULL: they do */
    const char *input;
    const char *licence; /* NULL: none was told */
    const char *what;    /* one line */
} nst_source;

extern const nst_source nst_sources[];
extern const int nst_source_count;

/* The one that nst model fetch calls so; NULL: there is none. */
const nst_source *nst_sources_named(const char *name);
/* The one whose file has these checksums, hexadecimal; md5 may be "". */
const nst_source *nst_sources_known(const char *sha256, const char *md5);
/* The one whose published file name carries a checksum that this name carries, too, as vgg19-d01eb7cb.pth; NULL:
 * none. */
const nst_source *nst_sources_marked(const char *file);
/* Whether a file with this SHA-256 may be the one that expected, all 64 digits or the first of them, tells of. */
bool nst_sources_agree(const char *sha256, const char *expected);

#endif
