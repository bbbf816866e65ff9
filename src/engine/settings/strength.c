/* strength.c: what the strength means for the other settings. */
#include "engine/settings/settings.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MIDDLE 50. /* the strength at which a preset is as it is */
/* Powers of ten by which the style's weight falls and rises from the middle to the ends of the dial. */
#define DOWN 2.
#define UP 1.
#define HOLD 8.

/* Towards 0 the content is held at the first layer, where it is pixels: the layers above leave grain and flat regions
 * free.  Weight 1/64 at half way, 8 at the end; unless the layer is in the list anyway. */
static void hold(nst_settings *s, double share)
{
    size_t n = strlen(s->content_layers);

    if (share > 0 && !strstr(s->content_layers, "1_1") && n + 24 < sizeof s->content_layers)
        nst_plain_print(s->content_layers + n, sizeof s->content_layers - n, ",conv1_1:%.6g", HOLD * pow(share, 9));
}

void nst_settings_balance(nst_settings *s)
{
    double u = s->strength / MIDDLE - 1, below = fmin(s->strength / MIDDLE, 1), factor;

    if (u == 0)
        return;
    hold(s, 1 - below);
    factor = pow(10, u < 0 ? DOWN * u : UP * u);
    s->style_weight *= factor;
    /* towards 0 what else moves the picture goes, too */
    s->tv_weight *= fmin(factor, 1);
    if (s->color == NST_COLOR_MATCH)
        s->color_strength *= below;
    if (s->init != NST_INIT_RANDOM)
        s->init_noise *= below;
    s->strength = MIDDLE;
}
