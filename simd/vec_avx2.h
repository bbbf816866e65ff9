/* vec_avx2.h: the vector vocabulary in AVX2 and FMA. */
#if !defined(__AVX2__) || !defined(__FMA__)
#error "this file must be compiled with -mavx2 -mfma"
#endif
#include <immintrin.h>

#define VL 8
typedef __m256 V;

NST_INLINE V vload(const float *p) { return _mm256_loadu_ps(p); }
NST_INLINE void vstore(float *p, V v) { _mm256_storeu_ps(p, v); }
NST_INLINE V vset(float x) { return _mm256_set1_ps(x); }
NST_INLINE V vadd(V a, V b) { return _mm256_add_ps(a, b); }
NST_INLINE V vsub(V a, V b) { return _mm256_sub_ps(a, b); }
NST_INLINE V vmul(V a, V b) { return _mm256_mul_ps(a, b); }
NST_INLINE V vdiv(V a, V b) { return _mm256_div_ps(a, b); }
NST_INLINE V vsqrt(V a) { return _mm256_sqrt_ps(a); }
NST_INLINE V vmax(V a, V b) { return _mm256_max_ps(a, b); } /* b when b is NaN */
NST_INLINE V vabs(V a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.f), a); }
NST_INLINE V vfma(V a, V b, V c) { return _mm256_fmadd_ps(a, b, c); }   /* a b + c */
NST_INLINE V vfnma(V a, V b, V c) { return _mm256_fnmadd_ps(a, b, c); } /* c - a b */
#define DL 4
typedef __m256d D;

NST_INLINE D dload(const double *p) { return _mm256_loadu_pd(p); }
NST_INLINE void dstore(double *p, D v) { _mm256_storeu_pd(p, v); }
NST_INLINE D dset(double x) { return _mm256_set1_pd(x); }
NST_INLINE D dfma(D a, D b, D c) { return _mm256_fmadd_pd(a, b, c); }
NST_INLINE void daccumulate(double *p, V v) /* p[0..VL) += v */
{
    dstore(p, _mm256_add_pd(dload(p), _mm256_cvtps_pd(_mm256_castps256_ps128(v))));
    dstore(p + DL, _mm256_add_pd(dload(p + DL), _mm256_cvtps_pd(_mm256_extractf128_ps(v, 1))));
}
NST_INLINE unsigned vpositive(V a)
{
    return (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(a, _mm256_setzero_ps(), _CMP_GT_OQ));
}
NST_INLINE unsigned vequal(V a, V b) { return (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_EQ_OQ)); }
NST_INLINE V vkeep(V a, unsigned bits)
{
    const __m256i lane = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    __m256i on = _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32((int)bits), lane), lane);

    return _mm256_and_ps(a, _mm256_castsi256_ps(on));
}
