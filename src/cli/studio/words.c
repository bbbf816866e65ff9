/* words.c: the command line that paints what is chosen.  The studio itself paints by these words, so that the one which
 * the page shows makes the same bytes. */
#include "cli/studio/studio.h"

#include <stdarg.h>
#include <string.h>

static bool add(nst_line *l, const char *format, ...)
{
    size_t room = sizeof l->text - l->used;
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(l->text + l->used, room, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= room || l->n + 1 >= NST_LINE_WORDS)
        return false;
    l->word[l->n++] = l->text + l->used;
    l->word[l->n] = NULL;
    l->used += (size_t)n + 1;
    return true;
}

/* Of regions only the styles that have one are painted. */
static bool is_painted(const nst_choice *c, int i)
{
    return !c->regions || i == c->rest || c->style[i].mask;
}

static const char *mask_path(const nst_job *job, int i, char out[NST_PATH_BYTES])
{
    return job->number ? nst_folder_job_mask(job->number, i, out)
                       : nst_folder_path(NST_FILE_MASK, job->choice.style[i].mask, out);
}

static bool add_regions(nst_line *l, const nst_job *job)
{
    const nst_choice *c = &job->choice;
    char path[NST_PATH_BYTES];
    bool good = true;

    for (int i = 0; i < c->styles && good && c->regions; i++)
        if (i == c->rest)
            good = c->styles == 1 || add(l, "--content-mask=rest");
        else if (is_painted(c, i))
            good = add(l, "--content-mask=%s", mask_path(job, i, path));
    return good;
}

/* "3,1", where they differ */
static bool add_blend(nst_line *l, const nst_choice *c)
{
    char text[256] = "";
    size_t used = 0;
    double first = -1;
    bool differ = false;

    for (int i = 0; i < c->styles; i++) {
        double b = c->style[i].blend;

        if (!is_painted(c, i))
            continue;
        differ |= first >= 0 && (b < first || b > first);
        first = first < 0 ? b : first;
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%.6g", used ? "," : "", b);
    }
    return !differ || add(l, "--style-blend=%s", text);
}

static bool add_controls(nst_line *l, const nst_choice *c)
{
    static const char *const colors[NST_COLOR_COUNT] = { "style", "match", "content", "match-style" };

    return add(l, "--size=%d", c->size) && add(l, "--strength=%.6g", c->strength) &&
           add(l, "--color=%s", colors[c->color]) && add(l, "--style-scale=%.6g", c->stroke);
}

bool nst_words_make(nst_line *line, const nst_job *job, const char *output)
{
    const nst_choice *c = &job->choice;
    char path[NST_PATH_BYTES];
    bool good;

    line->n = 0;
    line->used = 0;
    good = add(line, "nst");
    for (int i = 0; i < nst_the_studio.start.n_words && good; i++)
        good = add(line, "%s", nst_the_studio.start.words[i]);
    good = good && add_controls(line, c) && add_blend(line, c) && add_regions(line, job);
    if (output)
        good = good && add(line, "--bits=16") && add(line, "--output=%s", output);
    good = good && add(line, "--") && add(line, "%s", nst_folder_path(NST_FILE_SOURCE, c->photo, path));
    for (int i = 0; i < c->styles && good; i++)
        if (is_painted(c, i))
            good = add(line, "%s", nst_folder_path(NST_FILE_SOURCE, c->style[i].source, path));
    return good;
}

static bool is_plain(const char *word)
{
    return *word && strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=./,:+%@") ==
                    strlen(word);
}

static void put(char *out, size_t bytes, size_t *n, const char *text)
{
    while (*text && *n + 1 < bytes)
        out[(*n)++] = *text++;
    out[*n] = 0;
}

void nst_words_quote(const nst_line *line, char *out, size_t bytes)
{
    size_t n = 0;

    *out = 0;
    for (int i = 0; i < line->n; i++) {
        const char *word = line->word[i];
        bool plain = is_plain(word);

        if (!strcmp(word, "--")) /* the folder's names begin with a slash */
            continue;
        put(out, bytes, &n, i ? " " : "");
        put(out, bytes, &n, plain ? "" : "'");
        for (; *word; word++) {
            char letter[2] = { *word, 0 };

            put(out, bytes, &n, *word == '\'' ? "'\\''" : letter);
        }
        put(out, bytes, &n, plain ? "" : "'");
    }
}
