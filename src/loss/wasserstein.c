/* wasserstein.c: squared Wasserstein-2 distance between Gaussians (Dowson & Landau 1982), by LAPACK's symmetric
 * eigensolver. */
#include "loss/wasserstein.h"

#include <math.h>

#define RIDGE 1e-4   /* added to the diagonals of covariances */
#define SMALL 1e-12  /* eigenvalues below count as this, and have no gradient */

#ifdef HAVE_LAPACK

void dsyevd_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w, double *work,
             const int *lwork, int *iwork, const int *liwork, int *info);
void dgemm_(const char *ta, const char *tb, const int *m, const int *n, const int *k, const double *alpha,
            const double *a, const int *lda, const double *b, const int *ldb, const double *beta, double *c,
            const int *ldc);

#ifdef HAVE_OPENBLAS
#include <pthread.h>

/* NULL where LAPACK is another's. */
#pragma weak openblas_get_parallel
#pragma weak openblas_get_num_threads
#pragma weak openblas_set_num_threads
int openblas_get_parallel(void); /* 0: no threads, 1: its own, 2: OpenMP's */
int openblas_get_num_threads(void);
void openblas_set_num_threads(int n);
#endif

bool nst_w2_available(void)
{
    return true;
}

/* Inside a parallel region OpenBLAS with OpenMP keeps to one thread by itself, with threads of its own it does not.  Their
 * number is one for the whole process: the first run that comes here takes note of it, the last one gives it back. */
static void one_thread(bool begin)
{
#ifdef HAVE_OPENBLAS
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static int inside, before;

    if (!openblas_get_parallel || !openblas_get_num_threads || !openblas_set_num_threads)
        return;
    if (openblas_get_parallel() == 0 || (openblas_get_parallel() == 2 && nst_par_has_openmp()))
        return;
    pthread_mutex_lock(&lock);
    if (begin && !inside++)
        before = openblas_get_num_threads();
    if (begin) /* by each: OpenMP's number is the calling thread's */
        openblas_set_num_threads(1);
    else if (!--inside)
        openblas_set_num_threads(before);
    pthread_mutex_unlock(&lock);
#else
    (void)begin;
#endif
}

/* Without threads OpenBLAS has no locks either: several callers at once ruin each other's results. */
static bool has_locks(void)
{
#ifdef HAVE_OPENBLAS
    return !openblas_get_parallel || openblas_get_parallel() != 0;
#else
    return true;
#endif
}

void nst_w2_for(int threads, int items, nst_par_fn *fn, void *arg)
{
    if (!has_locks())
        threads = 1;
    one_thread(true);
    nst_par_apart(threads, items, fn, arg);
    one_thread(false);
}

struct nst_w2 {
    int c;
    double trace;          /* of the target's covariance */
    double *mean;          /* [c] */
    double *root;          /* [c][c] square root of the target's covariance */
    double *m, *v, *t;     /* [c][c] scratch */
    double *cov;           /* [c][c] the picture's covariance */
    double *value;         /* [c] eigenvalues */
    double *work;
    int *iwork, lwork, liwork;
};

/* z = x y or x y^T; all symmetric or column-major alike, [c][c]. */
static void multiply(int c, const double *x, const double *y, bool transposed, double *z)
{
    const double one = 1, zero = 0;

    dgemm_("N", transposed ? "T" : "N", &c, &c, &c, &one, x, &c, y, &c, &zero, z, &c);
}

/* v: a symmetric matrix, replaced by its eigenvectors (columns). */
static bool eigen(nst_w2 *w, double *v)
{
    int info = 0;

    dsyevd_("V", "L", &w->c, v, &w->c, w->value, w->work, &w->lwork, w->iwork, &w->liwork, &info);
    return info == 0;
}

/* out = V diag(f) V^T with f in w->value; w->t is used. */
static void rebuild(nst_w2 *w, const double *v, double *out)
{
    size_t c = (size_t)w->c;

    for (size_t j = 0; j < c; j++)
        for (size_t i = 0; i < c; i++)
            w->t[j * c + i] = v[j * c + i] * w->value[j];
    multiply(w->c, w->t, v, true, out);
}

static void centre(size_t c, const double *second, const double *mean, double *cov)
{
    for (size_t i = 0; i < c; i++)
        for (size_t j = 0; j < c; j++)
            cov[i * c + j] = second[i * c + j] - mean[i] * mean[j] + (i == j ? RIDGE : 0);
}

static bool allocate(nst_w2 *w, int c)
{
    size_t n = (size_t)c, square = n * n;
    double **all[] = { &w->root, &w->m, &w->v, &w->t, &w->cov };

    w->c = c;
    w->lwork = 1 + 6 * c + 2 * c * c; /* LAPACK's documented minimum for eigenvectors */
    w->liwork = 3 + 5 * c;
    for (size_t i = 0; i < NST_COUNT(all); i++)
        if (!(*all[i] = nst_calloc(square, sizeof **all[i])))
            return false;
    return (w->mean = nst_calloc(n, sizeof *w->mean)) && (w->value = nst_calloc(n, sizeof *w->value)) &&
           (w->work = nst_calloc((size_t)w->lwork, sizeof *w->work)) &&
           (w->iwork = nst_calloc((size_t)w->liwork, sizeof *w->iwork));
}

nst_status nst_w2_create(nst_w2 **out, int c, const double *mean, const double *second, nst_error *e)
{
    nst_w2 *w = nst_calloc(1, sizeof *w);
    size_t n = (size_t)c;

    *out = NULL;
    if (!w || c > 16384 || !allocate(w, c)) {
        nst_w2_destroy(&w);
        return nst_fail(e, NST_EMEM, "Wasserstein-2 target of %d channels: out of memory", c);
    }
    centre(n, second, mean, w->v);
    for (size_t i = 0; i < n; i++) {
        w->mean[i] = mean[i];
        w->trace += w->v[i * n + i];
    }
    if (!isfinite(w->trace) || !eigen(w, w->v)) {
        nst_w2_destroy(&w);
        return nst_fail(e, NST_EDIVERGED, "Wasserstein-2 target: the features are not finite numbers");
    }
    for (size_t i = 0; i < n; i++)
        w->value[i] = sqrt(w->value[i] > 0 ? w->value[i] : 0);
    rebuild(w, w->v, w->root);
    *out = w;
    return NST_OK;
}

void nst_w2_destroy(nst_w2 **p)
{
    nst_w2 *w = *p;

    *p = NULL;
    if (!w)
        return;
    nst_free(w->mean);
    nst_free(w->root);
    nst_free(w->m);
    nst_free(w->v);
    nst_free(w->t);
    nst_free(w->cov);
    nst_free(w->value);
    nst_free(w->work);
    nst_free(w->iwork);
    nst_free(w);
}

double nst_w2_square(const nst_w2 *w)
{
    double sum = w->trace;

    for (int i = 0; i < w->c; i++)
        sum += w->mean[i] * w->mean[i];
    return sum / w->c;
}

/* With M = R C R, R = T^1/2: d tr(M^1/2) / dC = R M^-1/2 R / 2.  So S = dL/dC = weight (I - R M^-1/2 R) / c, and
 * through C = G/n - m m^T: a = 2 S / n, b = (2 weight (m - t) / c - 2 S m) / n. */
nst_status nst_w2_loss(nst_w2 *w, const nst_stats *s, double weight, double *loss, double *a, double *b, nst_error *e)
{
    size_t c = (size_t)w->c;
    double sum = w->trace, distance = 0, by = 1 / s->n;

    for (size_t i = 0; i < c; i++) {
        double mi = s->sum[i] * by, d = mi - w->mean[i];

        for (size_t j = 0; j < c; j++)
            w->cov[i * c + j] = s->gram[i * c + j] * by - mi * (s->sum[j] * by) + (i == j ? RIDGE : 0);
        sum += w->cov[i * c + i];
        distance += d * d;
    }
    multiply(w->c, w->root, w->cov, false, w->t);
    multiply(w->c, w->t, w->root, false, w->m);
    for (size_t i = 0; i < c; i++)
        for (size_t j = 0; j <= i; j++)
            w->v[j * c + i] = w->v[i * c + j] = (w->m[i * c + j] + w->m[j * c + i]) / 2;
    /* LAPACK may never end on a NaN */
    if (!isfinite(sum + distance) || !eigen(w, w->v))
        return nst_fail(e, NST_EDIVERGED, "style loss: the features are not finite numbers");
    for (size_t i = 0; i < c; i++) {
        double v = w->value[i];

        sum -= 2 * sqrt(v > SMALL ? v : SMALL);
        w->value[i] = v >= SMALL ? 1 / sqrt(v) : 0;
    }
    rebuild(w, w->v, w->m);
    multiply(w->c, w->root, w->m, false, w->t);
    multiply(w->c, w->t, w->root, false, w->m);
    for (size_t i = 0; i < c; i++) {
        double product = 0;

        for (size_t j = 0; j < c; j++) {
            double d = ((i == j) - (w->m[i * c + j] + w->m[j * c + i]) / 2) / (double)c;

            product += d * s->sum[j] * by;
            a[i * c + j] = 2 * weight * by * d;
        }
        b[i] = 2 * weight * by * ((s->sum[i] * by - w->mean[i]) / (double)c - product);
    }
    *loss = weight * (distance + sum) / (double)c;
    return NST_OK;
}

#else

bool nst_w2_available(void)
{
    return false;
}

void nst_w2_for(int threads, int items, nst_par_fn *fn, void *arg)
{
    nst_par_for(threads, items, fn, arg);
}

nst_status nst_w2_create(nst_w2 **out, int c, const double *mean, const double *second, nst_error *e)
{
    (void)c, (void)mean, (void)second;
    *out = NULL;
    return nst_fail(e, NST_EUNSUPPORTED, "style loss w2: this build has no LAPACK, expected another loss or a "
                    "build with it");
}

void nst_w2_destroy(nst_w2 **p)
{
    *p = NULL;
}

double nst_w2_square(const nst_w2 *w)
{
    (void)w;
    return 0;
}

nst_status nst_w2_loss(nst_w2 *w, const nst_stats *s, double weight, double *loss, double *a, double *b, nst_error *e)
{
    (void)w, (void)s, (void)weight, (void)loss, (void)a, (void)b;
    return nst_fail(e, NST_EUNSUPPORTED, "style loss w2: this build has no LAPACK");
}

#endif
