/* style_cache.c: style pictures' statistics, kept from run to run, so that many contents in one style compute them
 * once. */
#include "base/fields.h"
#include "engine/run.h"

#include <string.h>

#define ENTRIES 16 /* pictures at one size each; with VGG19's layers 5 MB an entry */

struct entry {
    uint64_t key; /* of the picture at its size, and what was made of it */
    int rows;
    nst_stats *stats[NST_MODEL_LAYERS];
};

struct nst_styles {
    const nst_model *model;
    uint64_t settings;
    struct entry entry[ENTRIES];
    int next; /* the oldest, which gives way */
};

nst_status nst_styles_create(nst_styles **out, nst_error *e)
{
    *out = nst_calloc(1, sizeof **out);
    return *out ? NST_OK : nst_fail(e, NST_EMEM, "styles: out of memory");
}

static void clear(struct entry *entry)
{
    for (int i = 0; i < entry->rows; i++)
        nst_stats_destroy(&entry->stats[i]);
    *entry = (struct entry){ 0 };
}

void nst_styles_destroy(nst_styles **s)
{
    if (!s || !*s)
        return;
    for (int i = 0; i < ENTRIES; i++)
        clear(&(*s)->entry[i]);
    nst_free(*s);
    *s = NULL;
}

/* Other settings or another model: nothing of what is kept holds. */
static bool fits(nst_styles *s, const nst_run *r)
{
    char text[8192];
    const nst_field *rows;
    size_t bytes = 0;
    nst_sum sum;
    uint64_t settings;
    int n;

    rows = nst_settings_fields(&n);
    if (nst_fields_write(rows, n, r->s, text, sizeof text, &bytes, NULL))
        return false;
    nst_sum_begin(&sum);
    nst_sum_add(&sum, text, bytes);
    settings = nst_sum_end(&sum);
    if (s->model != r->model || s->settings != settings)
        for (int i = 0; i < ENTRIES; i++)
            clear(&s->entry[i]);
    s->model = r->model;
    s->settings = settings;
    return true;
}

static uint64_t key_of(const nst_run *r, const nst_image *p)
{
    int shape[] = { p->width, p->height, r->margin, r->n_style, 0, 0, 0 };
    nst_strip strip = nst_strip_own(r, p->width + 2 * r->margin, p->height + 2 * r->margin);
    nst_tiling t;
    nst_sum sum;

    nst_budget_tiling(r, &strip, NST_USE_STATS, r->layout[r->scale].arena, &t);
    shape[4] = t.nx, shape[5] = t.ny, shape[6] = t.strip; /* sums over other windows have other roundings */
    nst_sum_begin(&sum);
    nst_sum_add(&sum, shape, sizeof shape);
    for (int c = 0; c < 3; c++)
        nst_sum_add(&sum, p->plane[c], (size_t)p->width * (size_t)p->height * sizeof(float));
    return nst_sum_end(&sum);
}

static void copy(const nst_stats *from, nst_stats *to)
{
    size_t c = (size_t)from->c;

    to->n = from->n;
    memcpy(to->gram, from->gram, c * c * sizeof *to->gram);
    memcpy(to->sum, from->sum, c * sizeof *to->sum);
}

bool nst_styles_find(const nst_run *r, const nst_image *p, nst_stats *const *stats)
{
    nst_styles *s = r->known;
    uint64_t key;

    if (!s || !fits(s, r))
        return false;
    key = key_of(r, p);
    for (int i = 0; i < ENTRIES; i++)
        if (s->entry[i].rows == r->n_style && s->entry[i].key == key) {
            for (int row = 0; row < r->n_style; row++)
                copy(s->entry[i].stats[row], stats[row]);
            return true;
        }
    return false;
}

void nst_styles_keep(const nst_run *r, const nst_image *p, nst_stats *const *stats)
{
    nst_styles *s = r->known;
    struct entry *entry;

    if (!s)
        return;
    entry = &s->entry[s->next];
    s->next = (s->next + 1) % ENTRIES;
    clear(entry);
    for (int row = 0; row < r->n_style; row++) {
        if (nst_stats_create(&entry->stats[row], stats[row]->c, NULL)) {
            clear(entry); /* without memory nothing is kept */
            return;
        }
        entry->rows = row + 1;
        copy(stats[row], entry->stats[row]);
    }
    entry->key = key_of(r, p);
}
