/* scene.h: a picture in which every feature has something to say: smooth colours with noise. */
#ifndef NST_TESTS_SCENE_H
#define NST_TESTS_SCENE_H

#include "engine/settings/settings.h"
#include "image/image.h"
#include "suite.h"

#include <math.h>

static inline nst_image *picture(int w, int h, int channels, int seed)
{
    nst_image *p = NULL;
    nst_random random = { (uint64_t)seed };

    ck_assert(nst_image_create(&p, w, h, channels, NULL) == NST_OK);
    for (int c = 0; c < channels; c++)
        for (int y = 0; y < h; y++)
            for (int x = 0; x < w; x++)
                p->plane[c][y * w + x] = .5f + .3f * sinf((float)(x * (c + 1) + y * seed) / 17) +
                                         .2f * (nst_random_uniform(&random) - .5f);
    return p;
}

#endif
