/* obtain.c: models for the user's folder: from a file, or from the network. */
#include "cli/models/known.h"

#include "cli/fail.h"
#include "cli/models/fetch.h"
#include "cli/models/part.h"
#include "cli/models/places.h"

#include <string.h>

/* The stem of a file's name or an address, for a model's; "" when it has none. */
static const char *stem(const char *from, char name[128])
{
    const char *base = nst_paths_base(from);

    snprintf(name, 128, "%.*s", (int)(strcspn(base, ".?#") < 100 ? strcspn(base, ".?#") : 100), base);
    return name;
}

/* NULL or a path that is free. */
static nst_status free_place(const char *name, char *path, size_t bytes, nst_error *e)
{
    nst_status s = nst_places_own(name, path, bytes, e);

    return !s && nst_places_is_file(path)
        ? fail(e, NST_EARG, "%s: exists already; nst model remove %s removes it", path, name)
                                          : s;
}

/* Into the user's folder, as name. */
static nst_status keep(const nst_known *o, const char *name, const nst_command *c, nst_error *e)
{
    char path[NST_PATH_BYTES], origin[128];
    nst_status s;

    if (*o->sums.sha256 && !*nst_model_origin(o->m)) {
        snprintf(origin, sizeof origin, "sha256:%s,md5:%s", o->sums.sha256, o->sums.md5);
        s = nst_model_set_origin(o->m, origin, e);
        if (s)
            return s;
    }
    s = free_place(name, path, sizeof path, e);
    if (!s)
        s = nst_places_make(e);
    if (!s)
        s = nst_model_save(o->m, path, c->half, e);
    if (s)
        return s;
    if (!c->quiet) {
        nst_say(stdout, "%s", path);
        nst_say(stdout, "%s: model input %s, because %s", name, nst_model_input(o->m), o->why);
        puts(strcmp(name, NST_PLACES_DEFAULT) ? "use it with --model and its name"
                                              : "nst uses it from now on, --model small is the built-in one");
    }
    return NST_OK;
}

nst_status nst_obtain_import(const nst_command *c, nst_error *e)
{
    nst_known o;
    const char *name = c->style[1];
    char own[128];
    nst_status s;

    if (!c->style[0])
        return fail(e, NST_EARG, "model import: a file is missing, expected nst model import FILE [NAME]");
    s = nst_known_named(&o, c->style[0], c, e);
    if (s)
        return s;
    if (!name)
        name = nst_known_likeness(o.m);
    if (!name)
        name = stem(c->style[0], own);
    s = keep(&o, name, c, e);
    nst_model_close(&o.m);
    return s;
}

/* ---- fetch ------------------------------------------------------------------------------------------------------ */

static nst_status unknown_source(const char *name, nst_error *e)
{
    size_t n = (size_t)snprintf(e->text, sizeof e->text, "model fetch: \"%.60s\" is unknown, expected", name);

    for (int i = 0; i < nst_source_count && n < sizeof e->text; i++)
        if (nst_sources[i].name)
            n += (size_t)snprintf(e->text + n, sizeof e->text - n, " %s,", nst_sources[i].name);
    if (n < sizeof e->text)
        snprintf(e->text + n, sizeof e->text - n, " or an address with --url");
    return NST_EARG;
}

/* Like torch's hub: an address that ends in -0123abcd.pth tells the first digits of its SHA-256. */
static bool promised(const char *url, char digits[9])
{
    const char *base = nst_paths_base(url), *dash = strchr(base, '-');

    for (; dash; dash = strchr(dash + 1, '-'))
        if (strspn(dash + 1, "0123456789abcdef") == 8 && dash[9] == '.') {
            snprintf(digits, 9, "%s", dash + 1);
            return true;
        }
    return false;
}

/* The whole file has come: is it what was to come? */
static nst_status check_sums(const nst_source *source, const char *sha256, const char *part, const char *url,
                             const nst_sums *sums,
                             nst_error *e)
{
    const char *expected = source && source->sha256 ? source->sha256 : sha256;

    (void)part;
    if (expected && !nst_sources_agree(sums->sha256, expected))
        return fail(e, NST_EFORMAT, "%s: its SHA-256 is %s, expected %s%s: the download was deleted", url, sums->sha256,
                    expected, strlen(expected) < 64 ? "..." : "");
    if (source && source->md5 && strcmp(sums->md5, source->md5))
        return fail(e, NST_EFORMAT, "%s: its MD5 is %s, expected %s: the download was deleted", url, sums->md5,
                    source->md5);
    return NST_OK;
}

static nst_status take_part(const nst_source *source, const char *sha256, const char *part, const char *url,
                            const char *name,
                            const nst_command *c, nst_error *e)
{
    nst_known o = { .m = NULL };
    nst_error why;
    nst_status s = nst_sums_file(part, &o.sums, e);

    if (s)
        return s;
    s = check_sums(source, sha256, part, url, &o.sums, e);
    if (!s) {
        s = nst_known_open(&o, part, c, true, &why);
        if (s)
            fail(e, s, "%s: the download is not a usable model: %.300s", url, why.text);
    }
    if (!s && !(source && (source->sha256 || source->md5)) && !sha256 && !c->quiet)
        printf("sha-256: %s, and nothing known to compare it with\n", o.sums.sha256);
    if (!s && !name)
        name = nst_known_likeness(o.m);
    if (!s)
        s = keep(&o, name ? name : "fetched", c, e);
    nst_model_close(&o.m);
    if (!s || s == NST_EFORMAT) /* used, or proven wrong; not when only this build or this disk is too small for it */
        nst_part_forget(part);
    return s;
}

nst_status nst_obtain_fetch(const nst_command *c, nst_error *e)
{
    const char *name = c->style[0], *url = c->url, *unnamed = url ? "" : NST_PLACES_DEFAULT;
    const nst_source *source = nst_sources_named(name ? name : unnamed);
    char own[128], path[NST_PATH_BYTES], part[NST_PATH_BYTES + 8], digits[9];
    nst_fetch f = { .plain = url != NULL, .quiet = c->quiet != 0, .part = part };
    bool promise;
    nst_status s;

    if (!source && !url)
        return unknown_source(name, e);
    if (!source)
        source = nst_sources_marked(nst_paths_base(url));
    f.url = url ? url : source->url;
    promise = !source && promised(f.url, digits);
    if (!name)
        name = source ? source->name : stem(f.url, own);
    s = free_place(name, path, sizeof path, e);
    if (!s)
        s = nst_places_make(e);
    if (s)
        return s;
    if (!nst_sums_here())
        return fail(e, NST_EUNSUPPORTED,
                    "model fetch: this build of nst lacks nettle, which checks what was downloaded; "
                    "download %s yourself, then: nst model import FILE", f.url);
    snprintf(part, sizeof part, "%.*s.part", (int)(strlen(path) - strlen(NST_PLACES_SUFFIX)), path);
    f.bytes = source ? source->bytes : 0;
    f.checked = source || promise;
    if (!c->quiet)
        nst_say(stdout, "%s%s%s", f.url, source ? ": " : "", source ? source->what : "");
    fflush(stdout);
    s = nst_fetch_file(&f, e);
    if (s)
        return s;
    return take_part(source, promise ? digits : NULL, part, f.url, name, c, e);
}
