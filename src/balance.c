/* balance.c: what settings mean that depend on the kind of model: the strength, and the layers and the content's loss
 * where they are "auto". */
#include "transfer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MIDDLE 50. /* the strength at which a preset is as it is */
#define HOLD 8.

static const struct balance {
    const char *content, *style;
    /* powers of ten by which the style's weight falls and rises from the middle to the ends of the dial */
    double down, up;
} computed = { "conv4_2:1,conv3_2:0.7,conv2_2:0.5", "conv1_1:0.5,conv2_1:0.7,conv3_1:1,conv4_1:1.4,conv5_1:1.4", 2, 1.5 },
  learned = { "conv4_2", "conv1_1,conv2_1,conv3_1,conv4_1,conv5_1", 2, 1 };

static void fill_in(char *text, size_t bytes, const char *layers)
{
    if (!strcmp(text, "auto"))
        snprintf(text, bytes, "%s", layers);
}

/* Towards 0 the content is held at the first layer, where it is pixels: the layers above leave grain and flat regions
 * free.  Weight 1/64 at half way, 8 at the end; unless the layer is in the list anyway. */
static void hold(nst_settings *s, double share)
{
    size_t n = strlen(s->content_layers);

    if (share > 0 && !strstr(s->content_layers, "1_1") && n + 24 < sizeof s->content_layers)
        snprintf(s->content_layers + n, sizeof s->content_layers - n, ",conv1_1:%.6g", HOLD * pow(share, 9));
}

void nst_settings_balance(nst_settings *s, bool wavelet)
{
    const struct balance *b = wavelet ? &computed : &learned;
    double u = s->strength / MIDDLE - 1, below = fmin(s->strength / MIDDLE, 1), factor;

    fill_in(s->content_layers, sizeof s->content_layers, b->content);
    fill_in(s->style_layers, sizeof s->style_layers, b->style);
    if (s->content_loss == NST_CONTENT_AUTO)
        s->content_loss = wavelet ? NST_CONTENT_PRESENT : NST_CONTENT_MEAN;
    if (u == 0)
        return;
    hold(s, 1 - below);
    factor = pow(10, u < 0 ? b->down * u : b->up * u);
    s->style_weight *= factor;
    /* towards 0 what else moves the picture goes, too */
    s->tv_weight *= fmin(factor, 1);
    if (s->color == NST_COLOR_MATCH)
        s->color_strength *= below;
    if (s->init != NST_INIT_RANDOM)
        s->init_noise *= below;
    s->strength = MIDDLE;
}
