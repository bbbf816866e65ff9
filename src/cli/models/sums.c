/* sums.c: checksums of files: the only file that knows nettle. */
#include "cli/models/sums.h"

#include <stdio.h>
#include <string.h>

#ifdef HAVE_NETTLE

#include <errno.h>
#include <nettle/md5.h>
#include <nettle/sha2.h>

bool nst_sums_here(void)
{
    return true;
}

static void write_hex(const uint8_t *bytes, size_t n, char *text)
{
    for (size_t i = 0; i < n; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
}

nst_status nst_sums_file(const char *path, nst_sums *sums, nst_error *e)
{
    static uint8_t buffer[1 << 16];
    uint8_t sha[SHA256_DIGEST_SIZE], md[MD5_DIGEST_SIZE];
    struct sha256_ctx s;
    struct md5_ctx m;
    FILE *f = fopen(path, "rb");
    size_t n;
    int bad;

    memset(sums, 0, sizeof *sums);
    if (!f) {
        snprintf(e->text, sizeof e->text, "%s: cannot be opened: %s", path, strerror(errno));
        return NST_EIO;
    }
    sha256_init(&s);
    md5_init(&m);
    for (n = fread(buffer, 1, sizeof buffer, f); n > 0; n = fread(buffer, 1, sizeof buffer, f)) {
        sha256_update(&s, n, buffer);
        md5_update(&m, n, buffer);
    }
    bad = ferror(f);
    fclose(f);
    if (bad) {
        snprintf(e->text, sizeof e->text, "%s: cannot be read", path);
        return NST_EIO;
    }
    sha256_digest(&s, sizeof sha, sha);
    md5_digest(&m, sizeof md, md);
    write_hex(sha, sizeof sha, sums->sha256);
    write_hex(md, sizeof md, sums->md5);
    return NST_OK;
}

#else

bool nst_sums_here(void)
{
    return false;
}

nst_status nst_sums_file(const char *path, nst_sums *sums, nst_error *e)
{
    memset(sums, 0, sizeof *sums);
    snprintf(e->text, sizeof e->text, "%s: this build of nst lacks nettle, which computes checksums", path);
    return NST_EUNSUPPORTED;
}

#endif
