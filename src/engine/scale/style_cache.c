/* style_cache.c: style pictures' statistics, kept from run to run, so that many contents in one style compute them
 * once. */
#include "base/fields.h"
#include "engine/scale/scale.h"

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

void nst_styles_begin(nst_styles *s, const nst_model *model, const nst_settings *settings)
{
    char text[8192];
    const nst_field *rows;
    nst_settings what = *settings;
    size_t bytes = 0;
    nst_sum sum;
    uint64_t now;
    int n;

    /* a film changes these from picture to picture; they are nothing to a style's statistics */
    what.iterations = what.first_iterations = 1;
    *what.style_blend = 0;
    rows = nst_settings_fields(&n);
    if (nst_fields_write(rows, n, &what, text, sizeof text, &bytes, NULL))
        bytes = 0;
    nst_sum_begin(&sum);
    nst_sum_add(&sum, text, bytes);
    now = nst_sum_end(&sum);
    if (!bytes || s->model != model || s->settings != now)
        for (int i = 0; i < ENTRIES; i++)
            clear(&s->entry[i]);
    s->model = model;
    s->settings = now;
}

uint64_t nst_styles_key(const nst_image *p, nst_tiling t, int margin, int rows)
{
    /* sums over other windows have other roundings */
    int shape[] = { p->width, p->height, margin, rows, t.nx, t.ny, t.strip };
    nst_sum sum;

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

bool nst_styles_find(const nst_styles *s, uint64_t key, int rows, nst_stats *const *stats)
{
    for (int i = 0; i < ENTRIES; i++)
        if (s->entry[i].rows == rows && s->entry[i].key == key) {
            for (int row = 0; row < rows; row++)
                copy(s->entry[i].stats[row], stats[row]);
            return true;
        }
    return false;
}

void nst_styles_keep(nst_styles *s, uint64_t key, int rows, nst_stats *const *stats)
{
    struct entry *entry = &s->entry[s->next];

    s->next = (s->next + 1) % ENTRIES;
    clear(entry);
    for (int row = 0; row < rows; row++) {
        if (nst_stats_create(&entry->stats[row], stats[row]->c, NULL)) {
            clear(entry); /* without memory nothing is kept */
            return;
        }
        entry->rows = row + 1;
        copy(stats[row], entry->stats[row]);
    }
    entry->key = key;
}
