/* program.c: the kernels compiled by the device's driver, and the result kept in a folder for the next time. */
#include "context.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char source[] =
#include "kernels_cl.h"
    ;

#define OPTIONS "-cl-std=CL1.2"
#define MAGIC "nst-cl1\n"
#define MOST (64u << 20) /* bytes of a program that are believed */

/* An entry: magic, sizes of key and program, FNV-1a of both, key, program. */
struct head {
    char magic[8];
    uint64_t key, program, sum;
};

static uint64_t hash(uint64_t h, const void *from, size_t bytes)
{
    const unsigned char *p = from;

    for (size_t i = 0; i < bytes; i++)
        h = (h ^ p[i]) * 1099511628211u;
    return h;
}

#define HASH_START 14695981039346656037u

/* What a program depends on: device, driver, this version, the source. */
static void make_key(const nst_cl *cl, const char *text, char *key, size_t bytes)
{
    char name[128], version[128], driver[96], platform[128] = "";

    nst_cl_text(cl->id, CL_DEVICE_NAME, name, sizeof name);
    nst_cl_text(cl->id, CL_DEVICE_VERSION, version, sizeof version);
    nst_cl_text(cl->id, CL_DRIVER_VERSION, driver, sizeof driver);
    clGetPlatformInfo(cl->platform, CL_PLATFORM_NAME, sizeof platform, platform, NULL);
    snprintf(key, bytes, "nst %s\n%s\n%s\n%s\n%s\n%s\n%016llx\n", nst_version(), platform, name, version, driver,
             OPTIONS, (unsigned long long)hash(HASH_START, text, strlen(text)));
}

static bool make_path(const char *cache, const char *key, char *path, size_t bytes)
{
    int n = snprintf(path, bytes, "%s/opencl-%016llx.bin", cache,
                     (unsigned long long)hash(HASH_START, key, strlen(key)));

    return n > 0 && (size_t)n < bytes;
}

/* The program of an entry that is whole and is this key's; NULL for anything else. */
static unsigned char *load(const char *path, const char *key, size_t *bytes)
{
    FILE *f = fopen(path, "rb");
    struct head h;
    char found[1024];
    unsigned char *program = NULL;
    bool good;

    if (!f)
        return NULL;
    good = fread(&h, sizeof h, 1, f) == 1 && memcmp(h.magic, MAGIC, sizeof h.magic) == 0 && h.key == strlen(key) &&
           h.key < sizeof found && h.program > 0 && h.program <= MOST && fread(found, (size_t)h.key, 1, f) == 1 &&
           memcmp(found, key, (size_t)h.key) == 0;
    if (good)
        program = nst_alloc((size_t)h.program);
    good = program != NULL && fread(program, (size_t)h.program, 1, f) == 1 && fgetc(f) == EOF &&
           hash(hash(HASH_START, found, (size_t)h.key), program, (size_t)h.program) == h.sum;
    fclose(f);
    if (!good) {
        nst_free(program);
        return NULL;
    }
    *bytes = (size_t)h.program;
    return program;
}

struct entry {
    struct head h;
    const char *key;
    const unsigned char *program;
};

static nst_status write_entry(void *arg, FILE *f, nst_error *e)
{
    const struct entry *n = arg;
    bool good = fwrite(&n->h, sizeof n->h, 1, f) == 1 && fwrite(n->key, (size_t)n->h.key, 1, f) == 1 &&
                fwrite(n->program, (size_t)n->h.program, 1, f) == 1;

    return good ? NST_OK : nst_fail(e, NST_EIO, "cache: not written");
}

/* That it cannot be written is no failure. */
static void store(const char *cache, const char *path, const char *key, const unsigned char *program, size_t bytes)
{
    struct entry n = { .h = { .key = strlen(key), .program = bytes }, .key = key, .program = program };
    char folder[4096];
    char *slash;

    memcpy(n.h.magic, MAGIC, sizeof n.h.magic);
    n.h.sum = hash(hash(HASH_START, key, strlen(key)), program, bytes);
    snprintf(folder, sizeof folder, "%s", cache);
    slash = strrchr(folder, '/');
    if (slash && slash > folder) { /* ~/.cache may not be there yet */
        *slash = 0;
        mkdir(folder, 0700);
    }
    mkdir(cache, 0700);
    nst_whole_write(path, write_entry, &n, NULL);
}

static void keep(const nst_cl *cl, const char *cache, const char *path, const char *key)
{
    size_t bytes = 0;
    unsigned char *program;

    if (clGetProgramInfo(cl->program, CL_PROGRAM_BINARY_SIZES, sizeof bytes, &bytes, NULL) != CL_SUCCESS || !bytes ||
        bytes > MOST)
        return;
    program = nst_alloc(bytes);
    if (!program)
        return;
    if (clGetProgramInfo(cl->program, CL_PROGRAM_BINARIES, sizeof program, &program, NULL) == CL_SUCCESS)
        store(cache, path, key, program, bytes);
    nst_free(program);
}

/* From an entry of the cache; whatever is wrong with it, the program is built anew. */
static bool from_cache(nst_cl *cl, const char *path, const char *key)
{
    size_t bytes;
    unsigned char *program = load(path, key, &bytes);
    cl_int code, loaded = CL_SUCCESS;

    if (!program)
        return false;
    cl->program = clCreateProgramWithBinary(cl->context, 1, &cl->id, &bytes, (const unsigned char **)&program, &loaded,
                                            &code);
    nst_free(program);
    if (code == CL_SUCCESS && loaded == CL_SUCCESS)
        code = clBuildProgram(cl->program, 1, &cl->id, OPTIONS, NULL, NULL);
    if (code == CL_SUCCESS && loaded == CL_SUCCESS)
        return true;
    if (cl->program)
        clReleaseProgram(cl->program);
    cl->program = NULL;
    return false;
}

/* What the compiler says, as much as an error holds. */
static nst_status build_failure(const nst_cl *cl, cl_int code, nst_error *e)
{
    const char *name = nst_cl_name(code);
    char *log = NULL;
    size_t n = 0;

    clGetProgramBuildInfo(cl->program, cl->id, CL_PROGRAM_BUILD_LOG, 0, NULL, &n);
    log = nst_calloc(n + 1, 1);
    if (log)
        clGetProgramBuildInfo(cl->program, cl->id, CL_PROGRAM_BUILD_LOG, n, log, NULL);
    for (n = log ? strlen(log) : 0; n && strchr(" \n\r\t", log[n - 1]); n--)
        log[n - 1] = 0;
    nst_fail(e, NST_EDEVICE, "%s: its compiler refuses the kernels (%s): %s", cl->label, name ? name : "unknown code",
             log && *log ? log : "it says nothing more");
    nst_free(log);
    return NST_EDEVICE;
}

nst_status nst_cl_build(nst_cl *cl, const char *cache, nst_error *e)
{
    const char *text = nst_opencl_fault.source ? nst_opencl_fault.source : source;
    char key[1024], path[4096];
    bool kept = cache && *cache;
    cl_int code;

    make_key(cl, text, key, sizeof key);
    kept = kept && make_path(cache, key, path, sizeof path);
    if (kept && from_cache(cl, path, key)) {
        nst_opencl_fault.cached++;
        return NST_OK;
    }
    cl->program = clCreateProgramWithSource(cl->context, 1, &text, NULL, &code);
    if (code != CL_SUCCESS)
        return nst_cl_fail(cl, code, "taking the kernels", e);
    nst_opencl_fault.builds++;
    code = clBuildProgram(cl->program, 1, &cl->id, OPTIONS, NULL, NULL);
    if (code != CL_SUCCESS)
        return build_failure(cl, code, e);
    if (kept)
        keep(cl, cache, path, key);
    return NST_OK;
}
