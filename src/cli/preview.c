/* preview.c: the painting as it forms, in the terminal: as pixels where it can, else as blocks of colour; libchafa
 * knows. */
#include "cli/preview.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/clock.h"

#ifdef HAVE_CHAFA

#include <chafa.h>
#include <sys/ioctl.h>

#include "base/lazy.h"

#define SYMBOLS(X)                                                                                                   \
    X(chafa_calc_canvas_geometry) X(chafa_canvas_config_new) X(chafa_canvas_config_set_canvas_mode)                  \
    X(chafa_canvas_config_set_cell_geometry) X(chafa_canvas_config_set_geometry)                                     \
    X(chafa_canvas_config_set_pixel_mode) X(chafa_canvas_config_set_symbol_map) X(chafa_canvas_config_unref)         \
    X(chafa_canvas_draw_all_pixels) X(chafa_canvas_new) X(chafa_canvas_print) X(chafa_canvas_unref)                  \
    X(chafa_symbol_map_add_by_tags) X(chafa_symbol_map_new) X(chafa_symbol_map_unref) X(chafa_term_db_detect)        \
    X(chafa_term_db_get_default) X(chafa_term_info_have_seq) X(chafa_term_info_unref) X(g_string_free)
NST_LAZY(CHAFA, SYMBOLS)

#define SECONDS 8   /* between two pictures */
#define SHARE 20    /* drawing takes at most one second in so many */
#define SIDE 768    /* pixels that are handed on at most: enough for any terminal */
#define KITTY_CLEAR "\033_Ga=d\033\\"

extern char **environ;

static unsigned char pixels[SIDE * SIDE * 3];

struct screen {
    int columns, rows;
    double cell; /* width of a cell over its height */
};

static struct screen measure(void)
{
    struct screen s = { 80, 24, .5 };
    struct winsize w;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 1 && w.ws_row > 1) {
        s.columns = w.ws_col;
        s.rows = w.ws_row;
        if (w.ws_xpixel && w.ws_ypixel)
            s.cell = (double)w.ws_xpixel / w.ws_col / ((double)w.ws_ypixel / w.ws_row);
    }
    return s;
}

/* The mean of the pixels under each of w x h, as bytes. */
static void shrink(nst_image *image, int w, int h)
{
    int iw = nst_image_width(image), ih = nst_image_height(image);

    for (int c = 0; c < 3; c++) {
        const float *plane = nst_image_plane(image, c);

        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++) {
                int x0 = x * iw / w, x1 = (x + 1) * iw / w, y0 = y * ih / h, y1 = (y + 1) * ih / h;
                double sum = 0;

                for (int v = y0; v < y1; v++)
                    for (int u = x0; u < x1; u++)
                        sum += (double)plane[(size_t)v * (size_t)iw + (size_t)u];
                sum = sum / ((x1 - x0) * (y1 - y0)) * 255;
                pixels[((size_t)y * (size_t)w + (size_t)x) * 3 + (size_t)c] =
                    (unsigned char)(fmin(fmax(sum, 0), 255) + .5);
            }
    }
}

static ChafaPixelMode pixel_mode(ChafaTermInfo *t)
{
    if (lib.chafa_term_info_have_seq(t, CHAFA_TERM_SEQ_BEGIN_KITTY_IMMEDIATE_IMAGE_V1))
        return CHAFA_PIXEL_MODE_KITTY;
    if (lib.chafa_term_info_have_seq(t, CHAFA_TERM_SEQ_BEGIN_SIXELS))
        return CHAFA_PIXEL_MODE_SIXELS;
    if (lib.chafa_term_info_have_seq(t, CHAFA_TERM_SEQ_BEGIN_ITERM2_IMAGE))
        return CHAFA_PIXEL_MODE_ITERM2;
    return CHAFA_PIXEL_MODE_SYMBOLS;
}

static ChafaCanvasMode colors(ChafaTermInfo *t)
{
    if (lib.chafa_term_info_have_seq(t, CHAFA_TERM_SEQ_SET_COLOR_FGBG_DIRECT))
        return CHAFA_CANVAS_MODE_TRUECOLOR;
    if (lib.chafa_term_info_have_seq(t, CHAFA_TERM_SEQ_SET_COLOR_FGBG_256))
        return CHAFA_CANVAS_MODE_INDEXED_240;
    if (lib.chafa_term_info_have_seq(t, CHAFA_TERM_SEQ_SET_COLOR_FGBG_16))
        return CHAFA_CANVAS_MODE_INDEXED_16;
    return CHAFA_CANVAS_MODE_FGBG;
}

/* The w x h pixels as what this terminal understands; *rows that it covers. */
static GString *render(int w, int h, int *rows, bool *kitty)
{
    struct screen s = measure();
    ChafaTermInfo *t = lib.chafa_term_db_detect(lib.chafa_term_db_get_default(), environ);
    ChafaCanvasConfig *config = lib.chafa_canvas_config_new();
    ChafaSymbolMap *symbols = lib.chafa_symbol_map_new();
    ChafaPixelMode mode = pixel_mode(t);
    int columns = s.columns - 1, lines = s.rows > 6 ? s.rows - 4 : s.rows;
    ChafaCanvas *canvas;
    GString *text;

    lib.chafa_calc_canvas_geometry(w, h, &columns, &lines, (float)s.cell, TRUE, FALSE);
    lib.chafa_symbol_map_add_by_tags(symbols, CHAFA_SYMBOL_TAG_BLOCK | CHAFA_SYMBOL_TAG_SPACE);
    lib.chafa_canvas_config_set_geometry(config, columns, lines);
    lib.chafa_canvas_config_set_cell_geometry(config, s.cell < .2 || s.cell > 1 ? 10 : (int)(20 * s.cell + .5), 20);
    lib.chafa_canvas_config_set_pixel_mode(config, mode);
    lib.chafa_canvas_config_set_canvas_mode(config, colors(t));
    lib.chafa_canvas_config_set_symbol_map(config, symbols);
    canvas = lib.chafa_canvas_new(config);
    lib.chafa_canvas_draw_all_pixels(canvas, CHAFA_PIXEL_RGB8, pixels, w, h, 3 * w);
    text = lib.chafa_canvas_print(canvas, t);
    *rows = lines;
    *kitty = mode == CHAFA_PIXEL_MODE_KITTY;
    lib.chafa_canvas_unref(canvas);
    lib.chafa_symbol_map_unref(symbols);
    lib.chafa_canvas_config_unref(config);
    lib.chafa_term_info_unref(t);
    return text;
}

/* Room is made first and the picture written into it, so that the cursor's place after it does not matter. */
static void show(nst_preview *v, int w, int h)
{
    int rows;
    bool kitty;
    GString *text = render(w, h, &rows, &kitty);

    if (v->rows)
        fprintf(stderr, "\033[%dA\r\033[J", v->rows);
    if (kitty)
        fputs(KITTY_CLEAR, stderr);
    for (int i = 0; i < rows; i++)
        fputc('\n', stderr);
    fprintf(stderr, "\033[%dA\r\0337", rows);
    fwrite(text->str, 1, text->len, stderr);
    fprintf(stderr, "\033[0m\0338\033[%dB\r", rows);
    fflush(stderr);
    (lib.g_string_free)(text, TRUE); /* a macro of GLib's calls it by its bare name */
    v->rows = rows;
}

nst_status nst_preview_open(nst_preview *v, nst_error *e)
{
    const char *kind = getenv("TERM");

    *v = (nst_preview){ .on = false };
    if (!isatty(STDERR_FILENO)) {
        snprintf(e->text, sizeof e->text, "--preview: standard error is not a terminal, where pictures could be shown");
        return NST_EARG;
    }
    if (!kind || !*kind || !strcmp(kind, "dumb")) { /* the cursor could not be moved */
        snprintf(e->text, sizeof e->text, "--preview: TERM says that this terminal shows no pictures nor colours; "
                 "--save-every and --web show them elsewhere");
        return NST_EARG;
    }
    v->on = load(e) == NST_OK;
    return v->on ? NST_OK : NST_EUNSUPPORTED;
}

bool nst_preview_due(const nst_preview *v, const nst_progress *p)
{
    double since = p->elapsed - v->last;

    return v->on && (p->done == p->total_iterations || v->took <= 0 || (since > SECONDS && since > SHARE * v->took));
}

void nst_preview_draw(nst_preview *v, const nst_progress *p)
{
    nst_image *image;
    double began;
    int w, h, side;

    began = nst_clock_now();
    if (nst_progress_image(p, &image, NULL))
        return; /* no memory for it: the painting is what counts */
    w = nst_image_width(image);
    h = nst_image_height(image);
    side = w > h ? w : h;
    if (side > SIDE) {
        w = w * SIDE / side > 0 ? w * SIDE / side : 1;
        h = h * SIDE / side > 0 ? h * SIDE / side : 1;
    }
    shrink(image, w, h);
    nst_image_destroy(&image);
    show(v, w, h);
    v->took = nst_clock_now() - began;
    v->last = p->elapsed + v->took;
}

#else

nst_status nst_preview_open(nst_preview *v, nst_error *e)
{
    *v = (nst_preview){ .on = false };
    strcpy(e->text, "--preview: this build has no libchafa");
    return NST_EUNSUPPORTED;
}

bool nst_preview_due(const nst_preview *v, const nst_progress *p)
{
    (void)v, (void)p;
    return false;
}

void nst_preview_draw(nst_preview *v, const nst_progress *p)
{
    (void)v, (void)p;
}

#endif

void nst_preview_leave(nst_preview *v)
{
    v->rows = 0;
}
