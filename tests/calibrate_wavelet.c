/* calibrate_wavelet.c: prints src/wavelet_gain.h: for each kind of channel of each layer the factor that gives it
 * unit mean energy on generated pictures.  "calibrate_wavelet FILE" instead writes the model's weights to FILE
 * as raw floats, after one line of layers and shapes, for comparison with other programs. */
#include <stdio.h>

#include "leaves.h"
#include "wavelet.h"

#define SIDE 256
#define PICTURES 4

static bool same(const nst_channel *a, const nst_channel *b)
{
    return a->family == b->family && a->colour == b->colour && a->block == b->block && a->of == b->of && a->content == b->content;
}

static void calibrate(const nst_model *m)
{
    static float rgb[PICTURES][3 * SIDE * SIDE];

    for (int p = 0; p < PICTURES; p++)
        leaves_paint(rgb[p], SIDE, 1 + (uint64_t)p);
    printf("/* wavelet_gain.h: made by tests/calibrate_wavelet, which says how.  Layer from 0; the rest as in nst_channel. */\n"
           "#ifndef NST_WAVELET_GAIN_H\n#define NST_WAVELET_GAIN_H\n\nstatic const struct {\n"
           "    int layer, family, colour, block, of;\n    float gain;\n} gains[] = {\n");
    for (int k = 0; k < m->layers; k++) {
        nst_channel c[NST_WAVELET_CHANNELS];
        double energy[NST_WAVELET_CHANNELS] = { 0 };
        int n = nst_wavelet_channels(k, c);

        for (int p = 0; p < PICTURES; p++) {
            int h, w;
            float *f = leaves_features(m, k, rgb[p], SIDE, SIDE, &h, &w);

            for (int i = 0; i < n; i++)
                for (int q = 0; q < h * w; q++)
                    energy[i] += (double)f[(size_t)i * h * w + q] * f[(size_t)i * h * w + q] / (h * w) / PICTURES;
            free(f);
        }
        for (int i = 0; i < n; i++) {
            double sum = 0;
            int members = 0, first = 1;

            for (int j = 0; j < n; j++)
                if (same(&c[i], &c[j])) {
                    first = first && j >= i;
                    sum += energy[j];
                    members++;
                }
            if (first && !c[i].content) /* which have the gains of what they copy */
                printf("    { %d, %d, %d, %d, %d, %.6gf },\n", k, c[i].family, c[i].colour, c[i].block, c[i].of,
                       1 / sqrt(sum / members));
        }
    }
    printf("};\n\n#endif\n");
}

static int dump(const nst_model *m, const char *path)
{
    FILE *f = fopen(path, "wb");

    if (!f)
        return 1;
    for (int i = 0; i < m->layers; i++)
        fprintf(f, "%s %d %d ", m->layer[i].name, m->layer[i].out, m->layer[i].in);
    fputc('\n', f);
    for (int i = 0; i < m->layers; i++) {
        fwrite(m->layer[i].weight, sizeof(float), (size_t)m->layer[i].out * m->layer[i].in * 9, f);
        fwrite(m->layer[i].bias, sizeof(float), (size_t)m->layer[i].out, f);
    }
    return fclose(f) != 0;
}

int main(int argc, char **argv)
{
    nst_model *m;
    int status = 0;

    if (nst_wavelet_build(&m, argc < 2, NULL))
        return 1;
    if (argc < 2)
        calibrate(m);
    else
        status = dump(m, argv[1]);
    m->release(m->memory, m->bytes);
    nst_free(m->describe);
    nst_free(m);
    return status;
}
