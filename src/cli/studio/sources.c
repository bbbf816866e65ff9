/* sources.c: pictures that come in.  A file is kept as it came, under a name of ours, once libnst has read it; the page
 * shows smaller copies that libnst wrote.  One picture is read at a time, so that many uploads take no more memory than
 * one. */
#include "cli/studio/studio.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cli/fail.h"

#define VIEW 1280            /* longest side of what the page shows */
#define THUMB 240
#define MOST ((size_t)1 << 30) /* bytes in memory of a picture that is read */

#define S (&nst_the_studio)

/* shelf_data.S: from each to the next. */
extern const char nst_shelf_1[], nst_shelf_2[], nst_shelf_3[], nst_shelf_4[], nst_shelf_5[];

static pthread_mutex_t reading = PTHREAD_MUTEX_INITIALIZER;

/* ---- what the page shows ----------------------------------------------------------------------------------------- */

static nst_status smaller(const char *from, int side, const char *to, int *width, int *height, nst_error *e)
{
    nst_fit fit = { .longest = side, .most = MOST };
    nst_write_options o = { .jpeg_quality = 88, .format = "jpeg" };
    nst_image *image;
    nst_status s = nst_image_read_fit(&image, from, &fit, e);

    if (s)
        return s;
    if (width) {
        *width = nst_image_width(image);
        *height = nst_image_height(image);
    }
    s = nst_image_write(image, to, &o, e);
    nst_image_destroy(&image);
    return s;
}

nst_status nst_sources_show(const char *picture, const char *view, const char *thumb, int *width, int *height,
                            nst_error *e)
{
    nst_status s;

    pthread_mutex_lock(&reading);
    s = smaller(picture, VIEW, view, width, height, e);
    s = s ? s : smaller(view, THUMB, thumb, NULL, NULL, e);
    pthread_mutex_unlock(&reading);
    return s;
}

/* ---- what comes in ----------------------------------------------------------------------------------------------- */

/* By the first bytes; "" where it is none of these. */
static const char *suffix_of(int fd)
{
    static const struct {
        const char *bytes, *suffix;
        size_t n, at;
    } kinds[] = { { "\x89PNG", ".png", 4, 0 }, { "\xff\xd8\xff", ".jpg", 3, 0 }, { "II*", ".tif", 3, 0 },
                  { "ftypavif", ".avif", 8, 4 }, { "ftyp", ".heic", 4, 4 }, { "JXL ", ".jxl", 4, 4 },
                  { "\xff\x0a", ".jxl", 2, 0 }, { "GIF8", ".gif", 4, 0 }, { "BM", ".bmp", 2, 0 },
                  { "MM\0*", ".tif", 4, 0 }, { "WEBP", ".webp", 4, 8 }, { "P5", ".pgm", 2, 0 },
                  { "P6", ".ppm", 2, 0 } };
    char first[12] = "";

    if (pread(fd, first, sizeof first, 0) < 4)
        return "";
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!memcmp(first + kinds[i].at, kinds[i].bytes, kinds[i].n))
            return kinds[i].suffix;
    return "";
}

static nst_status foreign(nst_error *e)
{
    char list[256];

    return fail(e, NST_EFORMAT, "this file is no picture that nst reads; it reads %s",
                nst_format_list(0, list, sizeof list));
}

static bool same_bytes(int a, int b)
{
    char x[16384], y[16384];
    off_t at = 0;
    ssize_t n;

    do { /* at the end both have nothing left */
        n = pread(a, x, sizeof x, at);
        if (n < 0 || pread(b, y, sizeof y, at) != n || memcmp(x, y, (size_t)n))
            return false;
        at += n;
    } while (n);
    return true;
}

/* The source that has the same bytes already: who drops a picture twice has it once. */
static int find_same(int fd, bool photo)
{
    nst_source all[NST_SOURCES];
    int n, found = 0;

    pthread_mutex_lock(&S->lock);
    n = S->sources;
    memcpy(all, S->source, sizeof all);
    pthread_mutex_unlock(&S->lock);
    for (int i = 0; i < n && !found; i++) {
        int other = all[i].photo == photo ? nst_folder_open(NST_FILE_SOURCE, all[i].number) : -1;

        if (other >= 0 && same_bytes(fd, other))
            found = all[i].number;
        if (other >= 0)
            close(other);
    }
    return found;
}

/* Puts it into the table, with a number; false when that is full. */
static bool new_row(nst_source *row)
{
    bool room;

    pthread_mutex_lock(&S->lock);
    room = S->sources < NST_SOURCES && S->last_source < 99999;
    if (room && !row->number)
        row->number = ++S->last_source;
    if (room)
        S->source[S->sources++] = *row;
    pthread_mutex_unlock(&S->lock);
    return room;
}

/* With the lock. */
static void take_row(int i)
{
    memmove(&S->source[i], &S->source[i + 1], (size_t)(--S->sources - i) * sizeof *S->source);
    S->list_changes++;
}

static void end_row(const nst_source *row, bool good)
{
    pthread_mutex_lock(&S->lock);
    for (int i = 0; i < S->sources; i++)
        if (S->source[i].number == row->number) {
            S->source[i] = *row;
            if (!good)
                take_row(i);
            break;
        }
    S->list_changes++;
    pthread_mutex_unlock(&S->lock);
}

static nst_status show(nst_source *row, nst_error *e)
{
    char path[NST_PATH_BYTES], view[NST_PATH_BYTES], thumb[NST_PATH_BYTES];

    return nst_sources_show(nst_folder_path(NST_FILE_SOURCE, row->number, path),
                            nst_folder_path(NST_FILE_VIEW, row->number, view),
                            nst_folder_path(NST_FILE_THUMB, row->number, thumb), &row->width, &row->height, e);
}

/* What the library says of a file of ours, without the name, which tells the user nothing, and without options, which
 * a page has not. */
static void say_less(const nst_source *row, nst_error *e)
{
    char path[NST_PATH_BYTES], *option = strstr(e->text, "; --");
    size_t n = strlen(nst_folder_path(NST_FILE_SOURCE, row->number, path));

    if (option)
        snprintf(option, sizeof e->text - (size_t)(option - e->text), "; is it the whole file?");
    if (!strncmp(e->text, path, n) && !strncmp(e->text + n, ": ", 2))
        memmove(e->text, e->text + n + 2, strlen(e->text + n + 2) + 1);
}

static int keep(int fd, nst_source *row, nst_error *e)
{
    char path[NST_PATH_BYTES];
    nst_status s;

    if (!new_row(row)) {
        fail(e, NST_EARG, "there are %d pictures already; remove some", NST_SOURCES);
        return 0;
    }
    s = nst_folder_copy(fd, nst_folder_path(NST_FILE_SOURCE, row->number, path), e);
    if (!s) {
        s = show(row, e);
        if (s) {
            say_less(row, e);
            unlink(path);
        }
    }
    if (!s && (row->width < 16 || row->height < 16)) {
        s = fail(e, NST_EFORMAT, "the picture has %d x %d pixels, expected at least 16 x 16", row->width, row->height);
        unlink(path);
    }
    end_row(row, !s);
    return s ? 0 : row->number;
}

int nst_sources_add(int fd, bool photo, nst_error *e)
{
    nst_source row = { .photo = photo };
    const char *suffix = suffix_of(fd);
    int same;

    if (!*suffix) {
        foreign(e);
        return 0;
    }
    same = find_same(fd, photo);
    if (same)
        return same;
    snprintf(row.suffix, sizeof row.suffix, "%s", suffix);
    return keep(fd, &row, e);
}

int nst_sources_mask(int fd, nst_error *e)
{
    nst_fit fit = { .most = MOST / 8 };
    char path[NST_PATH_BYTES];
    nst_image *image;
    int mask;
    bool good;

    if (strcmp(suffix_of(fd), ".png")) {
        fail(e, NST_EFORMAT, "a mask is a PNG");
        return 0;
    }
    pthread_mutex_lock(&reading);
    lseek(fd, 0, SEEK_SET);
    good = !nst_image_read_fd(&image, fd, "the mask", &fit, e);
    nst_image_destroy(&image);
    pthread_mutex_unlock(&reading);
    pthread_mutex_lock(&S->lock);
    mask = ++S->last_mask;
    pthread_mutex_unlock(&S->lock);
    return good && !nst_folder_copy(fd, nst_folder_path(NST_FILE_MASK, mask, path), e) ? mask : 0;
}

/* ---- what is removed --------------------------------------------------------------------------------------------- */

/* These have the lock. */

static bool is_of(const nst_choice *c, int source)
{
    bool found = c->photo == source;

    for (int i = 0; i < c->styles; i++)
        found |= c->style[i].source == source;
    return found;
}

/* A job that is still to be painted from it; 0: none. */
static int find_user(int source)
{
    for (int i = 0; i < S->jobs; i++) {
        const nst_job *job = &S->job[i];

        if ((job->state == NST_JOB_QUEUED || job->state == NST_JOB_PAINTING) && is_of(&job->choice, source))
            return job->number;
    }
    return 0;
}

/* False where it is none, comes with nst, or is still being read. */
static bool take(int number)
{
    for (int i = 0; i < S->sources && number > NST_SHELF; i++)
        if (S->source[i].number == number && S->source[i].width) {
            take_row(i);
            return true;
        }
    return false;
}

nst_status nst_sources_remove(int number, nst_error *e)
{
    static const nst_studio_file kinds[] = { NST_FILE_SOURCE, NST_FILE_VIEW, NST_FILE_THUMB };
    char path[sizeof kinds / sizeof *kinds][NST_PATH_BYTES];
    bool taken;
    int user;

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        nst_folder_path(kinds[i], number, path[i]); /* while the table still has its suffix */
    pthread_mutex_lock(&S->lock);
    user = find_user(number);
    taken = !user && take(number);
    pthread_mutex_unlock(&S->lock);
    if (user)
        return fail(e, NST_EARG, "painting %d, which is not done, needs this picture", user);
    if (!taken)
        return fail(e, NST_EARG, "this picture cannot be removed: it is none that came in");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        unlink(path[i]);
    nst_choice_check();
    return NST_OK;
}

/* ---- at the start ------------------------------------------------------------------------------------------------ */

static nst_status begin_shelf(nst_error *e)
{
    const char *const begin[] = { nst_shelf_1, nst_shelf_2, nst_shelf_3, nst_shelf_4, nst_shelf_5 };

    for (int i = 0; i < NST_SHELF; i++) {
        nst_source row = { .number = i + 1, .photo = i == 0, .suffix = ".jpg" };
        FILE *f = nst_table_source(i + 1) ? NULL : tmpfile();
        size_t bytes = (size_t)(begin[i + 1] - begin[i]);
        bool good = f && fwrite(begin[i], 1, bytes, f) == bytes && fflush(f) == 0;

        if (!f)
            continue;
        good = good && keep(fileno(f), &row, e);
        fclose(f);
        if (!good)
            return NST_EIO;
    }
    return NST_OK;
}

/* A file that somebody removed or put there: the table has what can be read. */
static void check_rows(void)
{
    char path[NST_PATH_BYTES];
    nst_error e;

    for (int i = S->sources - 1; i >= 0; i--) {
        nst_source row = S->source[i];
        nst_image *view;
        bool good = !nst_image_read_fit(&view, nst_folder_path(NST_FILE_VIEW, row.number, path), NULL, NULL);

        if (good) {
            row.width = nst_image_width(view);
            row.height = nst_image_height(view);
            nst_image_destroy(&view);
        }
        good = good || !show(&row, &e);
        end_row(&row, good);
    }
}

nst_status nst_sources_begin(nst_error *e)
{
    check_rows();
    return begin_shelf(e);
}
