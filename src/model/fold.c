/* fold.c: batch normalisations and other steps that treat all pixels alike, taken into the convolution before them,
 * those in front of the first one into the input; all in double.
 *
 * Before the first convolution stands y = M x + b for a picture x.  With the colour c that M c + b = 0 it is M (x - c):
 * c goes into the input's mean, what of M is a scale of each colour into its deviation, and the rest, where colours are
 * mixed, into the first convolution's weights.  So zeros around y are zeros around what the network sees, and nothing
 * is approximated at the border, as it would be with b in the biases.
 */
#include "model/tensors.h"

#include <math.h>
#include <string.h>

/* What a picture's way to the first convolution may differ by from a known input's, in parts of the range. */
#define SAME 1e-4

/* ---- a number a channel ------------------------------------------------------------------------------------------ */

static nst_status out_of_memory(const nst_weights *w, nst_error *e)
{
    return nst_fail(e, NST_EMEM, "%s: out of memory", w->path);
}

/* t's numbers, one for all channels or one each; `fallback` where there is no t.  from_end: which dimension is the
 * channels', counted from the last one; -1: t has one only. */
static nst_status channels(const nst_weights *w, const nst_stored *t, size_t n, int from_end, double fallback,
                           double *out, nst_error *e)
{
    int at = from_end < 0 ? 0 : t->dims - 1 - from_end;
    size_t count = 0;
    nst_status s;

    for (size_t i = 0; i < n && !t->name[0]; i++)
        out[i] = fallback;
    if (!t->name[0])
        return NST_OK;
    s = nst_stored_count(w, t, &count, e);
    if (s)
        return s;
    if (count != 1 && (count != n || (from_end < 0 && t->dims != 1) || at < 0 || t->shape[at] != n))
        return nst_fail(e, NST_EFORMAT, "%s: tensor %s has %zu numbers, expected one for each of %zu channels", w->path,
                        t->name, count, n);
    s = nst_stored_read(w, t, NULL, out, e);
    if (s)
        return s;
    for (size_t i = 1; i < n && count == 1; i++)
        out[i] = out[0];
    return NST_OK;
}

/* One channel's scale and shift of a step by the number v. */
static void by_number(nst_step_kind kind, double v, double *scale, double *shift)
{
    *scale = 1, *shift = 0;
    switch (kind) {
    case NST_STEP_MUL:
        *scale = v;
        break;
    case NST_STEP_DIV:
        *scale = 1 / v;
        break;
    case NST_STEP_ADD:
        *shift = v;
        break;
    case NST_STEP_SUB:
        *shift = -v;
        break;
    case NST_STEP_FROM:
        *scale = -1, *shift = v;
        break;
    default:
        break;
    }
}

/* A step as y = scale x + shift, n of each; room [n]. */
static nst_status scale_shift(const nst_weights *w, const nst_step *step, size_t n, double *scale, double *shift,
                              double *room, nst_error *e)
{
    nst_status s;

    if (step->kind == NST_STEP_NORM) {
        const nst_stored *part = step->part;

        s = channels(w, &part[NST_VARIANCE], n, -1, 1, room, e);
        if (!s)
            s = channels(w, &part[NST_WEIGHT], n, -1, 1, scale, e);
        if (!s)
            s = channels(w, &part[NST_BIAS], n, -1, 0, shift, e);
        if (s)
            return s;
        for (size_t i = 0; i < n; i++) {
            if (!(room[i] >= 0) || !isfinite(room[i]) || room[i] + step->epsilon <= 0)
                return nst_fail(e, NST_EFORMAT, "%s: number %zu of %s is %g, expected a variance", w->path, i,
                                part[NST_VARIANCE].name, room[i]);
            scale[i] /= sqrt(room[i] + step->epsilon);
        }
        s = channels(w, &part[NST_MEAN], n, -1, 0, room, e);
        if (s)
            return s;
        for (size_t i = 0; i < n; i++)
            shift[i] -= scale[i] * room[i];
        return NST_OK;
    }
    s = channels(w, &step->part[0], n, step->last ? 0 : 2, 0, room, e);
    if (s)
        return s;
    for (size_t i = 0; i < n; i++)
        by_number(step->kind, room[i], &scale[i], &shift[i]);
    return NST_OK;
}

/* ---- a convolution ----------------------------------------------------------------------------------------------- */

static nst_status fold_steps(const nst_weights *w, const nst_found *c, double *weight, double *bias, nst_error *e)
{
    size_t out = (size_t)c->weight.shape[0], each = (size_t)c->weight.shape[1] * 9;
    double *room = nst_calloc(3 * out, sizeof *room);
    nst_status s = room ? NST_OK : out_of_memory(w, e);

    for (int i = 0; i < c->steps && !s; i++) {
        double *scale = room + out, *shift = scale + out;

        s = scale_shift(w, &c->step[i], out, scale, shift, room, e);
        if (s)
            break;
        for (size_t o = 0; o < out; o++) {
            bias[o] = bias[o] * scale[o] + shift[o];
            for (size_t k = 0; k < each; k++)
                weight[o * each + k] *= scale[o];
        }
    }
    nst_free(room);
    return s;
}

/* A convolution of M x is one of x, whose weights are those of the channels mixed. */
static void fold_matrix(const double *matrix, size_t out, double *weight)
{
    for (size_t o = 0; o < out; o++)
        for (size_t k = 0; k < 9; k++) {
            double *v = weight + o * 27 + k, old[3] = { v[0], v[9], v[18] };

            for (size_t j = 0; j < 3; j++)
                v[9 * j] = old[0] * matrix[j] + old[1] * matrix[3 + j] + old[2] * matrix[6 + j];
        }
}

nst_status nst_fold_layer(const nst_weights *w, const nst_found *c, const double *matrix, float *weight, float *bias,
                          nst_error *e)
{
    size_t out = (size_t)c->weight.shape[0], in = (size_t)c->weight.shape[1], n = out * in * 9;
    double *wide = nst_calloc(n + out, sizeof *wide);
    nst_status s = wide ? NST_OK : out_of_memory(w, e);

    if (!s)
        s = nst_stored_read(w, &c->weight, NULL, wide, e);
    if (!s && c->bias.name[0])
        s = nst_stored_read(w, &c->bias, NULL, wide + n, e);
    if (!s)
        s = fold_steps(w, c, wide, wide + n, e);
    if (!s && matrix && in == 3)
        fold_matrix(matrix, out, wide);
    for (size_t i = 0; i < n && !s; i++)
        weight[i] = (float)wide[i];
    for (size_t i = 0; i < out && !s; i++)
        bias[i] = (float)wide[n + i];
    nst_free(wide);
    return s;
}

/* ---- in front of the first --------------------------------------------------------------------------------------- */

/* y = m x + b. */
struct affine {
    double m[3][3], b[3];
};

static nst_status put_matrix(const nst_weights *w, const nst_step *step, struct affine *a, nst_error *e)
{
    const nst_stored *t = &step->part[NST_WEIGHT];
    double v[9], shift[3];
    struct affine old = *a;
    size_t n;
    nst_status s = nst_stored_count(w, t, &n, e);

    if (s)
        return s;
    if (t->dims != 4 || t->shape[0] != 3 || t->shape[1] != 3 || n != 9)
        return nst_fail(e, NST_EFORMAT, "%s: tensor %s is no 1x1 convolution of 3 channels to 3", w->path, t->name);
    s = nst_stored_read(w, t, NULL, v, e);
    if (!s)
        s = channels(w, &step->part[NST_BIAS], 3, -1, 0, shift, e);
    if (s)
        return s;
    for (int i = 0; i < 3; i++) {
        a->b[i] = shift[i];
        for (int k = 0; k < 3; k++) {
            a->b[i] += v[3 * i + k] * old.b[k];
            a->m[i][k] = 0;
            for (int j = 0; j < 3; j++)
                a->m[i][k] += v[3 * i + j] * old.m[j][k];
        }
    }
    return NST_OK;
}

static nst_status put_step(const nst_weights *w, const nst_step *step, struct affine *a, nst_error *e)
{
    double scale[3], shift[3], room[3];
    struct affine old = *a;
    nst_status s;

    if (step->kind == NST_STEP_MATRIX)
        return put_matrix(w, step, a, e);
    if (step->kind == NST_STEP_REVERSE) {
        memcpy(a->m[0], old.m[2], sizeof a->m[0]);
        memcpy(a->m[2], old.m[0], sizeof a->m[2]);
        a->b[0] = old.b[2], a->b[2] = old.b[0];
        return NST_OK;
    }
    s = scale_shift(w, step, 3, scale, shift, room, e);
    if (s)
        return s;
    for (int i = 0; i < 3; i++) {
        a->b[i] = a->b[i] * scale[i] + shift[i];
        for (int k = 0; k < 3; k++)
            a->m[i][k] *= scale[i];
    }
    return NST_OK;
}

static double largest(const struct affine *a)
{
    double most = 0;

    for (int i = 0; i < 9; i++)
        most = fmax(most, fabs(a->m[i / 3][i % 3]));
    return most;
}

static double minor(const struct affine *a, int row, int column)
{
    int i = (row + 1) % 3, k = (row + 2) % 3, j = (column + 1) % 3, l = (column + 2) % 3;

    return a->m[i][j] * a->m[k][l] - a->m[i][l] * a->m[k][j];
}

/* The colour of which nothing is left: m c + b = 0; false when m cannot be undone. */
static bool zero_colour(const struct affine *a, double c[3])
{
    double size = largest(a), whole = a->m[0][0] * minor(a, 0, 0) + a->m[0][1] * minor(a, 0, 1) +
        a->m[0][2] * minor(a, 0, 2);

    if (!(fabs(whole) > 1e-6 * size * size * size) || !isfinite(whole))
        return false;
    for (int j = 0; j < 3; j++) {
        c[j] = 0;
        for (int i = 0; i < 3; i++)
            c[j] -= minor(a, i, j) / whole * a->b[i];
    }
    return isfinite(c[0]) && isfinite(c[1]) && isfinite(c[2]);
}

/* Numbers for a picture from 0 to 1 where they are for one from 0 to 255: the colour of which nothing is left is a
 * mean of pictures, and without any the scale tells. */
static void bring_to_one(struct affine *a, double c[3])
{
    bool zero = fabs(c[0]) + fabs(c[1]) + fabs(c[2]) < 1e-6;

    if (zero ? largest(a) >= .1 : fmax(fmax(fabs(c[0]), fabs(c[1])), fabs(c[2])) <= 1.05)
        return;
    for (int i = 0; i < 3; i++) {
        c[i] /= 255;
        for (int k = 0; k < 3; k++)
            a->m[i][k] *= 255;
    }
}

/* The input's order and deviations that leave a matrix as near to one as may be: [i][j] of it is what plane j of the
 * input adds to channel i.  Whether it is one. */
static bool choose_input(const struct affine *a, const double c[3], nst_input *in, double matrix[9])
{
    double size = largest(a), off = 0;
    bool plain = true;

    in->bgr = fabs(a->m[0][2]) + fabs(a->m[2][0]) > fabs(a->m[0][0]) + fabs(a->m[2][2]);
    for (int j = 0; j < 3; j++)
        plain &= a->m[j][in->bgr ? 2 - j : j] > size / 1000;
    for (int j = 0; j < 3; j++) {
        int colour = in->bgr ? 2 - j : j;

        in->mean[colour] = (float)c[colour];
        in->std[colour] = (float)(1 / (plain ? a->m[j][colour] : size));
        for (int i = 0; i < 3; i++) {
            matrix[3 * i + j] = a->m[i][colour] * (double)in->std[colour];
            off = fmax(off, fabs(matrix[3 * i + j] - (i == j)));
        }
    }
    return off < 1e-6;
}

static bool is_input(const nst_input *a, const nst_input *b)
{
    bool same = a->bgr == b->bgr;

    for (int c = 0; c < 3; c++)
        same &= fabs((double)a->mean[c] - (double)b->mean[c]) < SAME &&
            fabs((double)a->std[c] / (double)b->std[c] - 1) < SAME;
    return same;
}

static const char *words_of(const nst_weights *w)
{
    for (int i = 0; i < w->fronts; i++)
        if (w->front[i].kind == NST_STEP_MATRIX)
            return "the 1x1 convolution in front";
    return w->front[0].kind == NST_STEP_NORM ? "the batch normalisation of the picture"
                                            : "the arithmetic in front";
}

nst_status nst_fold_front(nst_weights *w, nst_input *input, double matrix[9], bool *folds, nst_error *e)
{
    struct affine a = { { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } }, { 0 } };
    const nst_input *known;
    double c[3];
    nst_status s;

    for (int i = 0; i < w->fronts; i++) {
        s = put_step(w, &w->front[i], &a, e);
        if (s)
            return s;
    }
    if (!zero_colour(&a, c))
        return nst_fail(e, NST_EFORMAT,
                        "%s: %s takes different colours for the same, or its numbers are not finite: it "
                        "cannot be folded",
                        w->path, words_of(w));
    bring_to_one(&a, c);
    *folds = !choose_input(&a, c, input, matrix);
    w->own = input;
    known = nst_model_known_input(0);
    for (int i = 0; known && !*folds; known = nst_model_known_input(++i))
        if (is_input(input, known)) {
            w->own = NULL;
            w->input = nst_input_name(i);
        }
    w->why = "the file has it in front of its first convolution";
    nst_weights_note(w, "folded: %s into the input%s", words_of(w),
                     *folds ? ", and what that cannot hold into the weights of conv1_1" : "");
    return NST_OK;
}
