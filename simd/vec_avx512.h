/* vec_avx512.h: the vector vocabulary in AVX-512. */
#if !defined(__AVX512F__) || !defined(__FMA__)
#error "this file must be compiled with -mavx512f -mfma"
#endif
#include <immintrin.h>

#define VL 16
typedef __m512 V;

NST_INLINE V vload(const float *p) { return _mm512_loadu_ps(p); }
NST_INLINE void vstore(float *p, V v) { _mm512_storeu_ps(p, v); }
NST_INLINE V vset(float x) { return _mm512_set1_ps(x); }
NST_INLINE V vadd(V a, V b) { return _mm512_add_ps(a, b); }
NST_INLINE V vsub(V a, V b) { return _mm512_sub_ps(a, b); }
NST_INLINE V vmul(V a, V b) { return _mm512_mul_ps(a, b); }
NST_INLINE V vdiv(V a, V b) { return _mm512_div_ps(a, b); }
NST_INLINE V vsqrt(V a) { return _mm512_sqrt_ps(a); }
NST_INLINE V vmax(V a, V b) { return _mm512_max_ps(a, b); } /* b when b is NaN */
NST_INLINE V vabs(V a) { return _mm512_abs_ps(a); }
NST_INLINE V vfma(V a, V b, V c) { return _mm512_fmadd_ps(a, b, c); }   /* a b + c */
NST_INLINE V vfnma(V a, V b, V c) { return _mm512_fnmadd_ps(a, b, c); } /* c - a b */
#define DL 8
typedef __m512d D;

NST_INLINE D dload(const double *p) { return _mm512_loadu_pd(p); }
NST_INLINE void dstore(double *p, D v) { _mm512_storeu_pd(p, v); }
NST_INLINE D dset(double x) { return _mm512_set1_pd(x); }
NST_INLINE D dfma(D a, D b, D c) { return _mm512_fmadd_pd(a, b, c); }
NST_INLINE void daccumulate(double *p, V v) /* p[0..VL) += v */
{
    __m256 high = _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(v), 1));

    dstore(p, _mm512_add_pd(dload(p), _mm512_cvtps_pd(_mm512_castps512_ps256(v))));
    dstore(p + DL, _mm512_add_pd(dload(p + DL), _mm512_cvtps_pd(high)));
}
NST_INLINE unsigned vpositive(V a) { return _mm512_cmp_ps_mask(a, _mm512_setzero_ps(), _CMP_GT_OQ); }
NST_INLINE unsigned vequal(V a, V b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
NST_INLINE V vkeep(V a, unsigned bits) { return _mm512_maskz_mov_ps((__mmask16)bits, a); }
