/* test_numbering.c: which layers the names in a file stand for: by numbers, by blocks, as others number them; what is
 * folded into convolutions; and chains that break off, of which the sentence says where. */
#include "safetensors_file.h"

#include <math.h>

static void begin_bare(struct file *f, const char *dtype)
{
    memset(f, 0, sizeof *f);
    f->dtype = dtype;
    strcpy(f->header, "{");
}

static const int vgg19[] = { 0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30 };
static const int vgg16[] = { 0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28 };

/* VGG19 and VGG16 by torchvision's numbers, with and without "features.", in any order; blocks follow from the gaps;
 * what lies behind conv5_1 and the classifier is left. */
START_TEST(torchvision_names)
{
    const int *number = _i & 1 ? vgg16 : vgg19;
    int count = _i & 1 ? (int)NST_COUNT(vgg16) : (int)NST_COUNT(vgg19), expected = _i & 1 ? 11 : 13;
    struct file f;
    nst_model *m;

    begin(&f, "F32");
    for (int k = 0; k < count; k++) {
        int i = _i & 2 ? count - 1 - k : k;
        char name[32];

        snprintf(name, sizeof name, _i & 2 ? "%d" : "features.%d", number[i]);
        add_layer(&f, name, 2, i ? 2 : 3);
    }
    add_numbers(&f, "classifier.0.weight", "[4,4]", 16);
    finish(&f);
    m = good();
    ck_assert_int_eq(m->layers, expected);
    ck_assert_str_eq(m->layer[expected - 1].name, "conv5_1");
    ck_assert_int_eq(nst_model_find(m, "conv3_4"), _i & 1 ? -1 : 7);
    ck_assert_int_eq(nst_model_find(m, "conv4_2"), _i & 1 ? 8 : 9);
    nst_model_close(&m);
}
END_TEST

/* Names like conv1_1.weight are Caffe's: the input is BGR. */
START_TEST(caffe_names)
{
    struct file f;
    nst_model *m;

    begin_bare(&f, "F32");
    add_layer(&f, "conv1_1", 2, 3);
    add_layer(&f, "conv2_1", 3, 2);
    add_layer(&f, "conv1_2", 2, 2);
    finish(&f);
    m = good();
    ck_assert_int_eq(m->layers, 3);
    ck_assert_str_eq(m->layer[2].name, "conv2_1");
    ck_assert(m->input.bgr);
    nst_model_close(&m);
}
END_TEST

/* How others number their layers: names in the chain's order (put down the other way round), as a space-separated row,
 * the layers that they are, and what is assumed. */
static const struct {
    const char *names, *layers, *note;
    int grows[3]; /* before which convolutions the filters double */
} numberings[] = {
    { "vgg19.conv1_1 vgg19.conv1_2 vgg19.conv2_1", "conv1_1 conv1_2 conv2_1", NULL, { 0 } },
    { "conv0_0 conv0_1 conv1_0", "conv1_1 conv1_2 conv2_1", NULL, { 0 } },
    { "net.block1.conv1 net.block1.conv2 net.block2.conv1", "conv1_1 conv1_2 conv2_1", NULL, { 0 } },
    { "conv11 conv12 conv21 conv22 conv31", "conv1_1 conv1_2 conv2_1 conv2_2 conv3_1", NULL, { 0 } },
    { "block1.0 block1.2 block2.0 block2.2 block3.0", "conv1_1 conv1_2 conv2_1 conv2_2 conv3_1", NULL, { 0 } },
    { "slice1.0 slice1.2 slice2.5 slice2.7 slice3.10", "conv1_1 conv1_2 conv2_1 conv2_2 conv3_1", NULL, { 0 } },
    { "features.0 features.3 features.6 features.8 features.11", "conv1_1 conv2_1 conv3_1 conv3_2 conv4_1", NULL,
      { 0 } },
    { "1 3 6 8", "conv1_1 conv1_2 conv2_1 conv2_2", NULL, { 0 } },               /* behind a normalisation without
                                                                                    numbers */
    { "1 4 8 11 15", "conv1_1 conv1_2 conv2_1 conv2_2 conv3_1", NULL, { 0 } },   /* paddings have places */
    { "*0 2 5 9 12 16", "conv1_1 conv1_2 conv2_1 conv2_2 conv3_1", "folded: the 1x1", { 0 } },
    { "*enc_1.0 enc_1.2 enc_2.1 enc_2.5 enc_3.1 enc_3.5", "conv1_1 conv1_2 conv2_1 conv2_2 conv3_1", "folded: the 1x1",
      { 0 } },
    { "conv1 conv2 conv3 conv4 conv5 conv6 conv7 conv8 conv9 conv10 conv11",
      "conv1_1 conv1_2 conv2_1 conv2_2 conv3_1 conv3_2 conv3_3 conv4_1 conv4_2 conv4_3 conv5_1", "assumed: a pool",
      { 2, 4, 7 } },
    { "layers.0 layers.1 layers.2 layers.3 layers.4 layers.5 layers.6 layers.7 layers.8 layers.9 layers.10 layers.11 "
      "layers.12",
      "conv1_1 conv1_2 conv2_1 conv2_2 conv3_1 conv3_2 conv3_3 conv3_4 conv4_1 conv4_2 conv4_3 conv4_4 conv5_1",
      "assumed: a pool",
      { 2, 4, 8 } },
    { "features.0 features.2 features.4 features.6 features.8", "conv1_1 conv1_2 conv1_3 conv1_4 conv1_5", NULL,
      { 0 } },
};

/* A 1x1 convolution of the picture, of which nothing is left to fold: one matrix, no bias. */
static void add_one(struct file *f, const char *name)
{
    size_t begin = f->n;
    char text[64];

    for (int i = 0; i < 9; i++)
        f->n += put_number(f->data + f->n, f->dtype, i % 4 == 0);
    snprintf(text, sizeof text, "%s.weight", name);
    add_entry(f, text, f->dtype, "[3,3,1,1]", begin, f->n);
    begin = f->n;
    for (int i = 0; i < 3; i++)
        f->n += put_number(f->data + f->n, f->dtype, 0);
    snprintf(text, sizeof text, "%s.bias", name);
    add_entry(f, text, f->dtype, "[3]", begin, f->n);
}

START_TEST(other_numberings)
{
    char words[512], *name[16], found[512] = "";
    int n = 0, in = 3, width[16], out = 2;
    struct file f;
    nst_model *m;

    snprintf(words, sizeof words, "%s", numberings[_i].names);
    for (char *w = strtok(words, " "); w; w = strtok(NULL, " "))
        name[n++] = w;
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < 3; k++)
            out *= i && numberings[_i].grows[k] == i ? 2 : 1;
        width[i] = out;
    }
    begin(&f, "F16");
    for (int i = n - 1; i >= 0; i--) {
        in = i ? width[i - 1] : 3;
        if (*name[i] == '*')
            add_one(&f, name[i] + 1);
        else
            add_layer(&f, name[i], width[i], i && *name[i - 1] != '*' ? in : 3);
    }
    finish(&f);
    m = good();
    for (int i = 0; i < m->layers; i++)
        snprintf(found + strlen(found), sizeof found - strlen(found), "%s%s", i ? " " : "", m->layer[i].name);
    ck_assert_str_eq(found, numberings[_i].layers);
    if (numberings[_i].note)
        ck_assert(!strncmp(nst_model_note(m, 0), numberings[_i].note, strlen(numberings[_i].note)));
    else
        ck_assert_ptr_null(nst_model_note(m, 0));
    nst_model_close(&m);
}
END_TEST

static void add_norm(struct file *f, const char *name, const char *but)
{
    static const char *const part[] = { "weight", "bias", "running_mean", "running_var" };
    static const float numbers[][2] = { { 4, 4 }, { 1, 2 }, { 2, 3 }, { 16, 16 } };

    for (int k = 0; k < 4; k++) {
        char text[64];

        snprintf(text, sizeof text, "%s.%s", name, part[k]);
        if (!but || strcmp(part[k], but)) {
            size_t begin = f->n;

            for (int i = 0; i < 2; i++)
                f->n += put_number(f->data + f->n, f->dtype, numbers[k][i]);
            add_entry(f, text, f->dtype, "[2]", begin, f->n);
        }
    }
}

/* Normalisations with names of their own, and none without an affine part: what they fold to, by hand. */
START_TEST(normalisations_beside)
{
    struct file f;
    nst_model *m;

    begin(&f, "F32");
    add_layer(&f, "conv1_1", 2, 3);
    add_layer(&f, "conv1_2", 2, 2);
    add_norm(&f, "bn1_1", NULL);
    add_norm(&f, "bn1_2", "weight");
    finish(&f);
    m = good();
    ck_assert(!strncmp(nst_model_note(m, 0), "folded: 2 batch normalisations", 30));
    for (int o = 0; o < 2; o++) {
        double scale = 4 / sqrt(16 + 1e-5), want = ((double)value((size_t)o) - (o + 2)) * scale / 4 + o + 1;

        for (int k = 0; k < 27; k++)
            ck_assert(m->layer[0].weight[27 * o + k] == (float)(scale * (double)value((size_t)(27 * o + k))));
        ck_assert(m->layer[0].bias[o] == (float)(scale * ((double)value((size_t)o) - (o + 2)) + o + 1));
        ck_assert(fabs((double)m->layer[1].bias[o] - want) < 1e-6);
    }
    nst_model_close(&m);
}
END_TEST

/* A chain that stops, and what is none, is said with what was found. */
static const struct {
    const char *rows[4]; /* NAME OUT IN SIDE */
    const char *says;
} others[] = {
    { { "features.0 4 3 3", "features.3 4 4 1", "features.6 4 4 3" },
      "holds 3 convolutions of which the first 1 are a chain, but features.3.weight is 1x1, expected 3 x 3" },
    { { "conv1 4 3 7", "layer1.0.conv1 4 4 3" },
      "holds 2 convolutions of which the first, conv1.weight, is 7x7 and reads 3 channels; expected" },
    { { "1 4 64 3", "5 4 4 3" }, "the first, 1.weight, is 3x3 and reads 64 channels; expected a chain" },
    { { "stem.0 4 3 3", "a.conv 4 4 1", "b.conv 4 4 3" },
      "holds 3 convolutions of which the first, stem.0.weight, is 3x3" },
};

START_TEST(no_chains)
{
    struct file f;

    begin(&f, "F32");
    for (int i = 0; i < 4 && others[_i].rows[i]; i++) {
        int out, in, side;
        char name[32], text[64], shape[64];

        ck_assert_int_eq(sscanf(others[_i].rows[i], "%31s %d %d %d", name, &out, &in, &side), 4);
        snprintf(text, sizeof text, "%s.weight", name);
        snprintf(shape, sizeof shape, "[%d,%d,%d,%d]", out, in, side, side);
        add_entry(&f, text, "F32", shape, f.n, f.n + (size_t)(out * in * side * side) * 4);
        f.n += (size_t)(out * in * side * side) * 4;
        snprintf(text, sizeof text, "%s.bias", name);
        snprintf(shape, sizeof shape, "[%d]", out);
        add_numbers(&f, text, shape, (size_t)out);
    }
    ck_assert_uint_le(f.n, sizeof f.data);
    finish(&f);
    bad(NST_EFORMAT, others[_i].says);
}
END_TEST

/* What nothing can be folded into, and fronts that lose colours. */
START_TEST(not_folded)
{
    struct file f;

    begin(&f, "F32"); /* behind the ReLU */
    add_layer(&f, "0", 2, 3);
    add_norm(&f, "2", NULL);
    add_layer(&f, "3", 2, 2);
    finish(&f);
    bad(NST_EFORMAT, "the batch normalisation 2 does not stand directly behind the convolution 0");
    begin(&f, "F32"); /* of the picture, but for two channels */
    add_norm(&f, "0", NULL);
    add_layer(&f, "1", 2, 3);
    finish(&f);
    bad(NST_EFORMAT, "the batch normalisation 0 stands before the first convolution");
    begin(&f, "F32");
    add_one(&f, "0");
    put_number(f.data, "F32", 0);
    add_layer(&f, "1", 2, 3);
    finish(&f);
    bad(NST_EFORMAT, "the 1x1 convolution in front takes different colours for the same");
    put_number(f.data, "F32", NAN);
    write_parts(f.header, strlen(f.header), f.data, f.n);
    bad(NST_EFORMAT, "its numbers are not finite");
}
END_TEST

/* A chain that does not begin at the picture, or names that skip one. */
START_TEST(broken_chains)
{
    static const char *const first[] = { "features.2", "conv1_2", "conv2_1", "conv1_1" };
    static const char *const second[] = { "features.5", "conv1_3", "conv2_2", "conv3_1" };
    struct file f;

    begin(&f, "F32");
    add_layer(&f, first[_i], 2, 3);
    add_layer(&f, second[_i], 2, 2);
    finish(&f);
    bad(NST_EFORMAT, "missing");
}
END_TEST

/* More layers than any VGG, more than fit the table. */
START_TEST(too_many_layers)
{
    struct file f;

    begin(&f, "F32");
    for (int i = 0; i < 60; i++) {
        char name[32];

        snprintf(name, sizeof name, "features.%d", 2 * i);
        add_layer(&f, name, 1, i ? 1 : 3);
    }
    finish(&f);
    bad(NST_EFORMAT, "more than 40 layers");
}
END_TEST

static void add(TCase *t)
{
    tcase_add_loop_test(t, torchvision_names, 0, 4);
    tcase_add_test(t, caffe_names);
    tcase_add_loop_test(t, other_numberings, 0, (int)NST_COUNT(numberings));
    tcase_add_test(t, normalisations_beside);
    tcase_add_loop_test(t, no_chains, 0, (int)NST_COUNT(others));
    tcase_add_test(t, not_folded);
    tcase_add_loop_test(t, broken_chains, 0, 4);
    tcase_add_test(t, too_many_layers);
}

int main(void)
{
    return run_tests("numbering", add);
}
