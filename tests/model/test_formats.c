/* test_formats.c: weight files of every format, made by the formats' real writers (make_models.py), give the same
 * numbers bit for bit; what is folded, what cannot be, and what is no chain.  Damaged files: test_formats_damage.c. */
#include "formats.h"

static const int widths[] = { 2, 3, 4, 4, 4 };
static const char *const names[] = { "conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1" };

/* As values() of make_models.py. */
static float value(uint64_t tensor, uint64_t k, bool is_short)
{
    uint64_t x = (k + tensor * 1000003) * 2654435761u & 0xffffffffu;
    int bits = is_short ? 8 : 24;

    x ^= x >> 15;
    x = x * 2246822519u & 0xffffffffu;
    return (float)(((double)(x >> (32 - bits)) - ldexp(1, bits - 1)) / ldexp(1, bits + 1));
}

static void check_numbers(const nst_model *m, const char *file, bool is_short)
{
    ck_assert_int_eq(m->layers, 5);
    for (int i = 0, in = 3; i < 5; in = widths[i++]) {
        const nst_layer *l = &m->layer[i];

        ck_assert_str_eq(l->name, names[i]);
        ck_assert_int_eq(l->in, in);
        ck_assert_int_eq(l->out, widths[i]);
        for (int k = 0; k < l->in * l->out * 9; k++)
            ck_assert_msg(l->weight[k] == value((uint64_t)(2 * i), (uint64_t)k, is_short),
                          "%s: weight %d of %s is %.9g, expected %.9g", file, k, l->name, (double)l->weight[k],
                          (double)value((uint64_t)(2 * i), (uint64_t)k, is_short));
        for (int k = 0; k < l->out; k++)
            ck_assert_msg(l->bias[k] == value((uint64_t)(2 * i + 1), (uint64_t)k, is_short),
                          "%s: bias %d of %s is %.9g", file, k, l->name, (double)l->bias[k]);
    }
}

/* ---- relatives of a VGG, of which something is folded ------------------------------------------------------------ */

/* What the file's own first steps make of a picture from 0 to 1, for its first 3x3 convolution. */
static void front(int fold, const double *rgb, double *y)
{
    static const double nearly[3][3] = { { -.25, -.125, 254.75 }, { .0625, 255.25, .03125 }, { 255.5, .5, .25 } };
    static const double shift[3] = { -104.25, -116.75, -123.5 }, mean[3] = { 103.939, 116.779, 123.68 };

    for (int i = 0; i < 3; i++)
        switch (fold) {
        case NEARLY_CAFFE:
            y[i] = shift[i] + nearly[i][0] * rgb[0] + nearly[i][1] * rgb[1] + nearly[i][2] * rgb[2];
            break;
        case SCALED:
            y[i] = 255 * rgb[2 - i] / 127.5 - 1;
            break;
        case MINUS:
            y[i] = 1 - rgb[i];
            break;
        default:
            y[i] = 255 * rgb[2 - i] - mean[i];
        }
}

/* The first layer sees the same in a few colours, which are in no plane: so in all, and where the file's network has
 * zeros at the border this one has them, too. */
static void check_front(const nst_model *m, const char *file, int fold)
{
    static const double colours[][3] = { { 0, 0, 0 }, { 1, .25, .5 }, { .25, 1, 0 }, { .5, 0, 1 } };
    const nst_input *in = &m->input;

    for (size_t c = 0; c < NST_COUNT(colours); c++)
        for (int k = 0; k < m->layer[0].out * 9; k++) {
            const float *w = m->layer[0].weight + k / 9 * 27 + k % 9;
            double y[3], expected = 0, is = 0;

            front(fold, colours[c], y);
            for (int i = 0; i < 3; i++) {
                int colour = in->bgr ? 2 - i : i;

                expected += (double)value(0, (uint64_t)(k / 9 * 27 + 9 * i + k % 9), false) * y[i];
                is += (double)w[9 * i] * (colours[c][colour] - (double)in->mean[colour]) / (double)in->std[colour];
            }
            ck_assert_msg(fabs(is - expected) < 1e-4, "%s: tap %d sees %.9g of colour %zu, expected %.9g", file, k, is,
                          c, expected);
        }
    for (int k = 0; k < m->layer[0].out; k++)
        ck_assert(m->layer[0].bias[k] == value(1, (uint64_t)k, false));
}

/* As norm() of make_models.py, in double. */
static void check_norms(const nst_model *m, const char *file, double epsilon)
{
    for (uint64_t i = 0; i < 5; i++) {
        const nst_layer *l = &m->layer[i];

        for (int o = 0; o < l->out; o++) {
            double v[4], scale, bias;

            for (uint64_t k = 0; k < 4; k++)
                v[k] = (double)(value(100 + 4 * i + k, (uint64_t)o, false) + (k == 0 || k == 3 ? 1.f : 0.f));
            scale = v[0] / sqrt(v[3] + epsilon);
            bias = ((double)value(2 * i + 1, (uint64_t)o, false) - v[2]) * scale + v[1];
            ck_assert_msg(fabs((double)l->bias[o] - bias) < 3e-7, "%s: bias %d of %s is %.9g, expected %.9g", file, o,
                          l->name, (double)l->bias[o], bias);
            for (int k = 0; k < l->in * 9; k++) {
                int at = o * l->in * 9 + k;
                double expected = scale * (double)value(2 * i, (uint64_t)at, false);

                ck_assert_msg(fabs((double)l->weight[at] - expected) < 1e-7,
                              "%s: weight %d of %s is %.9g, expected %.9g", file, at, l->name, (double)l->weight[at],
                              expected);
            }
        }
    }
}

/* The numbers of every layer, those that nothing is folded into bit for bit. */
static void check_folded(nst_model *m, const char *file, int fold, bool is_short)
{
    static float weight[54];

    ck_assert_int_eq(m->layers, 5);
    if (fold == NORMED || fold == NORMED_KERAS) {
        check_norms(m, file, fold == NORMED ? 1e-5 : 1e-3);
        return;
    }
    if (fold != AS_IT_IS)
        check_front(m, file, fold);
    if (fold == NEARLY_CAFFE || fold == MINUS) { /* its own weights, for the look at the other layers */
        for (int k = 0; k < 54; k++)
            weight[k] = value(0, (uint64_t)k, false);
        m->layer[0].weight = weight;
    }
    check_numbers(m, file, is_short);
}

/* Every file there is: names, shapes, numbers, format, input. */
START_TEST(same_numbers)
{
    for (size_t i = 0; i < NST_COUNT(files); i++) {
        nst_error e = { "" };
        nst_model *m = (nst_model *)&e;
        nst_status s = nst_model_open(&m, path_of(files[i].file), &e);

        if (!readable(files[i].needs)) {
            ck_assert_int_eq(s, NST_EUNSUPPORTED);
            ck_assert_ptr_null(m);
            ck_assert_msg(strstr(e.text, "this build of nst lacks") != NULL, "%s", e.text);
            continue;
        }
        ck_assert_msg(!s, "%s: %s", files[i].file, e.text);
        ck_assert_str_eq(nst_model_format(m), files[i].format);
        ck_assert_str_eq(nst_model_input(m), files[i].input);
        check_folded(m, files[i].file, files[i].fold, files[i].is_short);
        for (int k = 0; k < 2 && files[i].notes[k]; k++) {
            const char *note = nst_model_note(m, k);

            ck_assert_msg(note && !strncmp(note, files[i].notes[k], strlen(files[i].notes[k])),
                          "%s: note %d is \"%s\"", files[i].file, k, note ? note : "");
        }
        ck_assert(files[i].fold || !nst_model_note(m, 0) || strstr(files[i].file, ".onnx"));
        nst_model_close(&m);
        ck_assert_ptr_null(m);
    }
}
END_TEST

/* ---- what cannot be folded, and what is no chain
 * ------------------------------------------------------------------ */

/* torch-bn.pth with some bytes in the place of others, which stand in it once. */
static void refuse_instead(const void *bytes, const void *by, size_t n, const char *words)
{
    size_t all, found = 0, at = 0;
    unsigned char *data = get_file(path_of("torch-bn.pth"), &all);

    for (size_t i = 0; i + n <= all; i++)
        if (!memcmp(data + i, bytes, n))
            found++, at = i;
    ck_assert_uint_eq(found, 1);
    memcpy(data + at, by, n);
    put_file("bad.pth", data, all);
    nst_free(data);
    refuse_model("bad.pth", words);
}

START_TEST(variances)
{
    static const float bad[] = { -1, NAN, INFINITY, -1e-5f };
    float variance = value(107, 1, false) + 1; /* of features.4, the second filter's */

    for (size_t i = 0; i < NST_COUNT(bad); i++)
        refuse_instead(&variance, &bad[i], sizeof variance, "number 1 of features.4.running_var is ");
    refuse_instead("features.4.running_var", "features.4.running_vax", 22,
                   "features.4 is a batch normalisation without running_var: it cannot be folded");
    refuse_instead("features.4.running_mean", "features.4.running_near", 23, "without running_mean");
}
END_TEST

START_TEST(no_chain)
{
    refuse_model(path_of("torch-resnet.pth"),
                 "holds 17 convolutions of which the first, conv1.weight, is 7x7 and reads 3 "
                "channels: a ResNet-like network; expected a chain of 3x3 convolutions");
    refuse_model(path_of("onnx-crop.onnx"),
                 "begins with Slice of other than the channels' order, expected a convolution");
}
END_TEST

/* An input that has no name comes through nst's own files. */
START_TEST(own_input)
{
    nst_error e = { "" };
    nst_model *m, *again;

    ck_assert(!nst_model_open(&m, path_of("torch-aux.pth"), &e));
    ck_assert(!nst_model_save(m, "own.safetensors", 0, &e));
    ck_assert_msg(!nst_model_open(&again, "own.safetensors", &e), "%s", e.text);
    ck_assert_str_eq(nst_model_input(again), "its own");
    ck_assert_str_eq(nst_model_input_text(again), nst_model_input_text(m));
    ck_assert(!strncmp(nst_model_input_text(m), "BGR from 0 to 255, minus 122.93 116.59 104.53, over ", 52));
    ck_assert(again->input.bgr && m->input.bgr);
    for (int i = 0; i < 3; i++)
        ck_assert(again->input.mean[i] == m->input.mean[i] && again->input.std[i] == m->input.std[i]);
    check_front(again, "own.safetensors", NEARLY_CAFFE);
    ck_assert(!nst_model_set_input(again, "caffe", &e));
    ck_assert(!strncmp(nst_model_input_text(again), "BGR from 0 to 255, minus the mean", 33));
    nst_model_close(&m);
    nst_model_close(&again);
}
END_TEST

/* ---- the file is something else ------------------------------------------------ */

/* --model-input: what a name means, and that the built-in model keeps its own. */
START_TEST(inputs)
{
    nst_error e = { "" };
    nst_model *m;

    ck_assert(!nst_model_open(&m, path_of("f32.safetensors"), &e));
    ck_assert(!m->input.bgr && m->input.std[0] == .229f);
    ck_assert(!nst_model_set_input(m, "caffe", &e));
    ck_assert(m->input.bgr && m->input.std[0] == 1 / 255.f && m->input.mean[0] == 123.68f / 255);
    ck_assert_str_eq(nst_model_input(m), "caffe");
    ck_assert_int_eq(nst_model_set_input(m, "jpeg", &e), NST_EARG);
    ck_assert_str_eq(nst_model_input(m), "caffe");
    ck_assert_ptr_null(nst_model_layer(m, 5, NULL, NULL));
    ck_assert_ptr_null(nst_model_layer(m, -1, NULL, NULL));
    nst_model_close(&m);
    ck_assert(!nst_model_open(&m, "small", &e));
    ck_assert_int_eq(nst_model_set_input(m, "caffe", &e), NST_EARG);
    ck_assert_str_eq(nst_model_format(m), "built in");
    nst_model_close(&m);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, same_numbers);
    tcase_add_test(t, variances);
    tcase_add_test(t, no_chain);
    tcase_add_test(t, own_input);
    tcase_add_test(t, inputs);
}

int main(void)
{
    return run_tests("formats", add);
}
