/* modules.c: what a file's tensors belong to, by their names: "features.5.weight" and "features.5.bias" are two parts
 * of the module "features.5". */
#include "model/tensors.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define MODULES_MAX 4096

/* ---- names ------------------------------------------------------------------------------------------------------- */

static const char *const suffix[NST_PARTS] = {
    [NST_WEIGHT] = ".weight", [NST_BIAS] = ".bias", [NST_MEAN] = ".running_mean", [NST_VARIANCE] = ".running_var"
};

/* Which part of a module this is, *n the length of the module's name; -1: none. */
static int part_of(const char *name, size_t *n)
{
    size_t length = strlen(name);

    for (int i = 0; i < NST_PARTS; i++) {
        size_t end = strlen(suffix[i]);

        if (length > end && !strcmp(name + length - end, suffix[i])) {
            *n = length - end;
            return i;
        }
    }
    return -1;
}

bool nst_weights_wants(const char *name)
{
    size_t n;

    return part_of(name, &n) >= 0;
}

/* Up to three digits; NULL when there are none. */
static const char *digits(const char *p)
{
    int n = 0;

    while (n < 3 && isdigit((unsigned char)p[n]))
        n++;
    return n && !isdigit((unsigned char)p[n]) ? p + n : NULL;
}

bool nst_weights_is_vgg(const char *name)
{
    const char *p = name;

    if (!strncmp(p, "module.", 7)) /* of a network that was spread over several cards */
        p += 7;
    if (!strncmp(p, "conv", 4)) {
        p = digits(p + 4);
        p = p && *p == '_' ? digits(p + 1) : NULL;
    } else {
        if (!strncmp(p, "features.", 9))
            p += 9;
        p = digits(p);
    }
    return p && (!strcmp(p, ".bias") || !strcmp(p, ".weight"));
}

/* "slice1.10": text "slice#.#", numbers 1 and 10.  What is too long for a number of a layer stays text. */
static void split(nst_module *m)
{
    char *to = m->text;

    for (const char *p = m->name; *p;) {
        const char *end = digits(p);

        if (!end) {
            do
                *to++ = *p++;
            while (isdigit((unsigned char)p[-1]) && isdigit((unsigned char)*p));
            continue;
        }
        if (m->numbers == NST_NUMBERS)
            memmove(m->number, m->number + 1, (NST_NUMBERS - 1) * sizeof *m->number);
        else
            m->numbers++;
        m->number[m->numbers - 1] = atoi(p);
        *to++ = '#';
        p = end;
    }
    *to = 0;
}

/* ---- what the file has ------------------------------------------------------------------------------------------- */

static nst_status grow(nst_weights *w, nst_error *e)
{
    int room = w->room ? 2 * w->room : 64;
    nst_module *more = nst_calloc((size_t)room, sizeof *more);

    if (!more)
        return nst_fail(e, NST_EMEM, "%s: out of memory", w->path);
    if (w->modules)
        memcpy(more, w->module, (size_t)w->modules * sizeof *more);
    nst_free(w->module);
    w->module = more;
    w->room = room;
    return NST_OK;
}

/* The module of this name, a new one where there is none; tensors of one module mostly stand together. */
static nst_status module_of(nst_weights *w, const char *name, size_t n, nst_module **out, nst_error *e)
{
    nst_status s;

    for (int i = w->modules - 1; i >= 0; i--)
        if (!strncmp(w->module[i].name, name, n) && !w->module[i].name[n]) {
            *out = &w->module[i];
            return NST_OK;
        }
    if (w->modules == MODULES_MAX)
        return nst_fail(e, NST_EFORMAT, "%s: has more than %d layers, expected a VGG", w->path, MODULES_MAX);
    if (w->modules == w->room) {
        s = grow(w, e);
        if (s)
            return s;
    }
    *out = &w->module[w->modules];
    memcpy((*out)->name, name, n);
    (*out)->order = w->modules++;
    split(*out);
    return NST_OK;
}

nst_status nst_weights_add(nst_weights *w, const nst_stored *t, nst_error *e)
{
    size_t n;
    int part = part_of(t->name, &n);
    nst_module *m = NULL;
    nst_status s;

    if (part < 0)
        return NST_OK;
    s = module_of(w, t->name, n, &m, e);
    if (s)
        return s;
    if (m->part[part].name[0])
        return nst_fail(e, NST_EFORMAT, "%s: tensor %s stands in it twice", w->path, t->name);
    m->part[part] = *t;
    return NST_OK;
}

static int by_group(const void *a, const void *b)
{
    const nst_module *x = a, *y = b;
    int order = strcmp(x->text, y->text);

    for (int i = 0; i < x->numbers && i < y->numbers && !order; i++)
        order = x->number[i] - y->number[i];
    return order ? order : x->order - y->order;
}

void nst_modules_sort(nst_weights *w)
{
    qsort(w->module, (size_t)w->modules, sizeof *w->module, by_group);
}
