/* checkpoint_read.c: a checkpoint opened, checked byte by byte, trusted in nothing, and turned into the run that it
 * was. */
#include "engine/checkpoint.h"
#include "model/formats/safetensors_header.h"

#include <errno.h>
#include <string.h>

#define HEADER_MAX 4096 /* ours have less than 1500 bytes */

static const char magic[] = "{\"__metadata__\":{\"nst.checkpoint\":\"";

static uint64_t word(const unsigned char *p)
{
    uint64_t v = 0;

    for (int i = 0; i < 8; i++)
        v |= (uint64_t)p[i] << 8 * i;
    return v;
}

static nst_status foreign(const char *path, nst_error *e)
{
    return nst_fail(e, NST_EFORMAT, "%s: is not a checkpoint of nst", path);
}

static nst_status damaged(const char *path, const char *what, nst_error *e)
{
    return nst_fail(e, NST_EFORMAT, "%s: the checkpoint is damaged: %s", path, what);
}

/* ---- the file's form -------------------------------------------------------------------------- */

/* The header into file [HEADER_MAX]; says what is not a checkpoint, or not one for this program. */
static nst_status read_header(nst_checkpoint *c, unsigned char *file, size_t *bytes, nst_error *e)
{
    size_t had = fread(file, 1, HEADER_MAX - 1, c->f), letters = sizeof magic - 1;
    const char *theirs = (const char *)file + 8 + letters;
    char own[64];
    uint64_t length;

    if (ferror(c->f))
        return nst_fail(e, NST_EIO, "%s: cannot read: %s", c->path, strerror(errno));
    if (had < 8 + letters || memcmp(file + 8, magic, letters))
        return foreign(c->path, e);
    file[had] = 0;
    length = word(file);
    snprintf(own, sizeof own, "%d %s\"", NST_CHECKPOINT_FORMAT, nst_version());
    if (had < 8 + letters + sizeof own)
        return damaged(c->path, "it is cut short", e);
    if (memcmp(theirs, own, strlen(own))) {
        size_t n = strspn(theirs, "0123456789.-+ abcdefghijklmnopqrstuvwxyz");

        if (n > 32 || theirs[n] != '"')
            return damaged(c->path, "its version is no version", e);
        return nst_fail(e, NST_EUNSUPPORTED, "%s: is a checkpoint of another version of nst (%.*s), only %d %s goes on "
                        "from here", c->path, (int)n, theirs, NST_CHECKPOINT_FORMAT, nst_version());
    }
    if (length > HEADER_MAX - 8 || length > had - 8)
        return damaged(c->path, "it is cut short", e);
    *bytes = 8 + (size_t)length;
    return NST_OK;
}

/* Every byte but the last 8 against those. *bytes: of the file. */
static nst_status check_sum(nst_checkpoint *c, uint64_t *bytes, nst_error *e)
{
    unsigned char b[16384];
    size_t kept = 0, n;
    nst_sum s;

    nst_sum_begin(&s);
    rewind(c->f);
    for (;;) {
        n = fread(b + kept, 1, sizeof b - kept, c->f);
        if (!n)
            break;
        kept += n;
        if (kept > 8) {
            nst_sum_add(&s, b, kept - 8);
            memmove(b, b + kept - 8, 8);
            kept = 8;
        }
    }
    if (ferror(c->f))
        return nst_fail(e, NST_EIO, "%s: cannot read: %s", c->path, strerror(errno));
    if (kept < 8 || nst_sum_end(&s) != word(b))
        return damaged(c->path, "its sum is not the one that was written; it was changed or cut short", e);
    *bytes = s.bytes + 8;
    return NST_OK;
}

struct taker {
    nst_checkpoint *c;
    uint64_t end;     /* of the data so far: tensors lie without gaps */
    uint64_t data_at;
    int n;
};

static nst_status take(void *arg, const nst_tensor *t, nst_error *e)
{
    struct taker *k = arg;
    nst_checkpoint *c = k->c;

    if (k->n == NST_CHECKPOINT_TENSORS || strcmp(t->name, nst_checkpoint_names[k->n]) ||
        strcmp(t->dtype, nst_checkpoint_types[k->n]))
        return damaged(c->path, "another tensor is expected", e);
    if (t->begin != k->end || t->end < t->begin)
        return damaged(c->path, "its tensors do not lie one after the other", e);
    c->tensor[k->n].at = k->data_at + t->begin;
    c->tensor[k->n].bytes = t->end - t->begin;
    k->end = t->end;
    k->n++;
    return NST_OK;
}

static nst_status read_tensors(nst_checkpoint *c, const unsigned char *file, size_t header, uint64_t bytes,
                               nst_error *e)
{
    struct taker k = { .c = c, .data_at = header };
    nst_header h = { .path = c->path, .take = take, .arg = &k };
    nst_status s = nst_header_begin(&h, file, header, e);

    if (!s)
        s = nst_header_parse(&h, e);
    if (s)
        return s;
    if (k.n != NST_CHECKPOINT_TENSORS || k.end != bytes - header)
        return damaged(c->path, "tensors are missing", e);
    return NST_OK;
}

/* ---- its contents ------------------------------------------------------------------------------- */

static nst_status read_at(const nst_checkpoint *c, uint64_t at, void *to, size_t bytes, nst_error *e)
{
    if (at > INT64_MAX || fseeko(c->f, (off_t)at, SEEK_SET) || fread(to, 1, bytes, c->f) != bytes)
        return nst_fail(e, NST_EIO, "%s: cannot read: %s", c->path,
                        ferror(c->f) ? strerror(errno) : "it became shorter");
    return NST_OK;
}

/* A tensor of text, ended by a zero. */
static nst_status read_text(nst_checkpoint *c, int which, char **text, nst_error *e)
{
    uint64_t bytes = c->tensor[which].bytes;
    nst_status s;

    *text = NULL;
    if (bytes > NST_CHECKPOINT_TEXT)
        return damaged(c->path, "a text is too long", e);
    *text = nst_calloc((size_t)bytes + 1, 1);
    if (!*text)
        return nst_fail(e, NST_EMEM, "%s: out of memory", c->path);
    s = read_at(c, c->tensor[which].at, *text, (size_t)bytes, e);
    if (!s && memchr(*text, 0, (size_t)bytes))
        s = damaged(c->path, "a text holds a zero", e);
    if (s) {
        nst_free(*text);
        *text = NULL;
    }
    return s;
}

static nst_status read_fields(nst_checkpoint *c, int which, const nst_field *rows, int n, void *base, nst_error *e)
{
    char *text;
    nst_status s = read_text(c, which, &text, e);

    if (!s)
        s = nst_fields_read(rows, n, base, text, strlen(text), c->path, e);
    nst_free(text);
    return s;
}

/* Every tensor is as long as the state says. */
static nst_status check_lengths(const nst_checkpoint *c, nst_error *e)
{
    const nst_saved *v = &c->saved;
    uint64_t n = 12 * (uint64_t)v->width * (uint64_t)v->height;

    if ((uint64_t)v->width * (uint64_t)v->height > 4 * (uint64_t)NST_MAX_PIXELS || c->tensor[NST_KEPT_X].bytes != n ||
        c->tensor[NST_KEPT_OPTIMIZER].bytes != n * (uint64_t)v->optim.arrays ||
        c->tensor[NST_KEPT_RHO].bytes != 8 * (uint64_t)v->optim.pairs ||
        c->tensor[NST_KEPT_INPUTS].bytes != 8 * (2 + (uint64_t)v->styles) || c->tensor[NST_KEPT_SUM].bytes != 8)
        return damaged(c->path, "its tensors' sizes contradict each other", e);
    return NST_OK;
}

static nst_status open_all(nst_checkpoint *c, nst_error *e)
{
    unsigned char file[HEADER_MAX];
    const nst_field *rows;
    size_t header = 0;
    uint64_t bytes = 0;
    nst_status s;
    int n;

    s = read_header(c, file, &header, e);
    if (!s)
        s = check_sum(c, &bytes, e);
    if (!s)
        s = read_tensors(c, file, header, bytes, e);
    if (s)
        return s;
    rows = nst_settings_fields(&n);
    s = read_fields(c, NST_KEPT_SETTINGS, rows, n, &c->s, e);
    if (s)
        return s;
    rows = nst_saved_fields(&n);
    s = read_fields(c, NST_KEPT_STATE, rows, n, &c->saved, e);
    if (!s)
        s = check_lengths(c, e);
    if (s)
        return s;
    return read_text(c, NST_KEPT_NOTE, &c->note, e);
}

nst_status nst_checkpoint_open(nst_checkpoint **out, const char *path, nst_error *e)
{
    nst_checkpoint *c = nst_calloc(1, sizeof *c);
    nst_status s = NST_OK;

    *out = NULL;
    if (c)
        c->path = nst_strdup(path);
    if (c && c->path)
        c->f = fopen(path, "rb");
    if (!c || !c->path)
        s = nst_fail(e, NST_EMEM, "%s: out of memory", path);
    else if (!c->f)
        s = nst_fail(e, NST_EIO, "%s: cannot open: %s", path, strerror(errno));
    else
        s = open_all(c, e);
    if (s) {
        nst_checkpoint_close(&c);
        return s;
    }
    *out = c;
    return NST_OK;
}

void nst_checkpoint_close(nst_checkpoint **p)
{
    nst_checkpoint *c = p ? *p : NULL;

    if (!c)
        return;
    *p = NULL;
    if (c->f)
        fclose(c->f);
    nst_free(c->path);
    nst_free(c->note);
    nst_free(c);
}

nst_settings *nst_checkpoint_settings(nst_checkpoint *c)
{
    return &c->s;
}

const char *nst_checkpoint_note(const nst_checkpoint *c)
{
    return c->note;
}

int nst_checkpoint_iteration(const nst_checkpoint *c)
{
    return c->saved.done;
}

const char *nst_checkpoint_simd(const nst_checkpoint *c)
{
    return c->saved.simd;
}

/* ---- the run again ------------------------------------------------------------------------------- */

static nst_status check_inputs(const nst_checkpoint *c, const nst_run *r, nst_error *e)
{
    static const char *const before_styles[] = { "model", "content picture" };
    size_t n = 2 + (size_t)r->job.n_styles;
    uint64_t *sums;
    nst_status s = NST_OK;

    if (r->job.n_styles != c->saved.styles)
        return nst_fail(e, NST_EARG, "%s: was painted with %d style pictures, here are %d", c->path, c->saved.styles,
                        r->job.n_styles);
    sums = nst_calloc(n, sizeof *sums);
    if (!sums)
        return nst_fail(e, NST_EMEM, "%s: out of memory", c->path);
    nst_checkpoint_inputs(r, sums);
    for (size_t i = 0; i < n && !s; i++) {
        unsigned char b[8];
        char which[40];

        s = read_at(c, c->tensor[NST_KEPT_INPUTS].at + 8 * i, b, sizeof b, e);
        if (s || word(b) == sums[i])
            continue;
        if (i < NST_COUNT(before_styles))
            snprintf(which, sizeof which, "%s", before_styles[i]);
        else
            snprintf(which, sizeof which, "style picture %zu", i - 1);
        s = nst_fail(e, NST_EARG, "%s: the %s is not the one that the checkpoint was made with", c->path, which);
    }
    nst_free(sums);
    return s;
}

static nst_status read_floats(const nst_checkpoint *c, int which, size_t first, float *to, size_t n, nst_error *e)
{
    unsigned char *b = (unsigned char *)to;
    nst_status s = read_at(c, c->tensor[which].at + 4 * (uint64_t)first, to, n * sizeof *to, e);

    for (size_t i = 0; i < n && !s; i++) { /* in place, from little-endian to what this machine is */
        uint32_t bits = b[4 * i] | (uint32_t)b[4 * i + 1] << 8 | (uint32_t)b[4 * i + 2] << 16 |
                        (uint32_t)b[4 * i + 3] << 24;

        memcpy(&to[i], &bits, sizeof bits);
    }
    return s;
}

static nst_status read_optimizer(const nst_checkpoint *c, nst_run *r, size_t n, nst_error *e)
{
    nst_status s = NST_OK;

    if (!nst_optim_state_set(r->state.optim, &c->saved.optim))
        return damaged(c->path, "the optimiser's state contradicts the settings", e);
    for (int i = 0; i < c->saved.optim.arrays && !s; i++)
        s = read_floats(c, NST_KEPT_OPTIMIZER, (size_t)i * n, nst_optim_array(r->state.optim, i), n, e);
    for (int i = 0; i < c->saved.optim.pairs && !s; i++) {
        unsigned char b[8];
        uint64_t bits;

        s = read_at(c, c->tensor[NST_KEPT_RHO].at + 8 * (uint64_t)i, b, sizeof b, e);
        if (!s) {
            bits = word(b);
            memcpy(nst_optim_rho(r->state.optim, i), &bits, sizeof bits);
        }
    }
    return s;
}

nst_status nst_checkpoint_restore(const nst_checkpoint *c, nst_run *r, nst_progress *p, nst_error *e)
{
    nst_setup *u = &r->setup;
    const nst_saved *v = &c->saved;
    size_t n = 3 * (size_t)v->width * (size_t)v->height;
    nst_optim_options o;
    nst_status s = check_inputs(c, r, e);

    if (s)
        return s;
    if (v->scale >= u->plan.scales || v->iteration > v->planned)
        return damaged(c->path, "its scale or iteration contradicts the settings", e);
    if (u->margin != v->margin || u->plan.width[v->scale] + 2 * u->margin != v->width ||
        u->plan.height[v->scale] + 2 * u->margin != v->height)
        return damaged(c->path, "its size contradicts the settings", e);
    r->scale = v->scale;
    u->plan.iterations[v->scale] = v->planned;
    u->s.style_weight = v->style_weight;
    u->s.tv_weight = v->tv_weight;
    s = nst_run_targets(r, e);
    if (s)
        return s;
    r->state.x = nst_calloc(n, sizeof *r->state.x);
    r->state.dx = nst_calloc(n, sizeof *r->state.dx);
    if (u->layout[r->scale].last_finite)
        r->state.last_finite = nst_calloc(n, sizeof *r->state.last_finite);
    if (!r->state.x || !r->state.dx || (u->layout[r->scale].last_finite && !r->state.last_finite))
        return nst_fail(e, NST_EMEM, "%d x %d pixels: out of memory", r->w, r->h);
    o = nst_run_optim(r);
    u->layout[r->scale].pairs = o.history = v->history;
    s = read_floats(c, NST_KEPT_X, 0, r->state.x, n, e);
    if (!s)
        s = nst_optim_create(&r->state.optim, &o, n, r->state.x, e);
    if (!s)
        s = read_optimizer(c, r, n, e);
    if (s)
        return s;
    nst_image_destroy(&r->targets.picture);
    r->spent = v->spent;
    r->clock.best = v->best;
    r->clock.best_before = v->best_before;
    p->iteration = v->iteration;
    p->done = v->done;
    p->elapsed = v->elapsed;
    p->total = v->loss;
    return NST_OK;
}
