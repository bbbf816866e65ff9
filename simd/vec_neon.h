/* vec_neon.h: the vector vocabulary in arm64's NEON. */
#if !defined(__aarch64__)
#error "this file is for arm64, whose baseline has NEON with FMA"
#endif
#include <arm_neon.h>

#define VL 4
typedef float32x4_t V;

NST_INLINE V vload(const float *p) { return vld1q_f32(p); }
NST_INLINE void vstore(float *p, V v) { vst1q_f32(p, v); }
NST_INLINE V vset(float x) { return vdupq_n_f32(x); }
NST_INLINE V vadd(V a, V b) { return vaddq_f32(a, b); }
NST_INLINE V vsub(V a, V b) { return vsubq_f32(a, b); }
NST_INLINE V vmul(V a, V b) { return vmulq_f32(a, b); }
NST_INLINE V vdiv(V a, V b) { return vdivq_f32(a, b); }
NST_INLINE V vsqrt(V a) { return vsqrtq_f32(a); }
NST_INLINE V vmax(V a, V b) { return vmaxq_f32(a, b); } /* b when b is NaN */
NST_INLINE V vabs(V a) { return vabsq_f32(a); }
NST_INLINE V vfma(V a, V b, V c) { return vfmaq_f32(c, a, b); }  /* a b + c */
NST_INLINE V vfnma(V a, V b, V c) { return vfmsq_f32(c, a, b); } /* c - a b */
#define DL 2
typedef float64x2_t D;

NST_INLINE D dload(const double *p) { return vld1q_f64(p); }
NST_INLINE void dstore(double *p, D v) { vst1q_f64(p, v); }
NST_INLINE D dset(double x) { return vdupq_n_f64(x); }
NST_INLINE D dfma(D a, D b, D c) { return vfmaq_f64(c, a, b); }
NST_INLINE void daccumulate(double *p, V v) /* p[0..VL) += v */
{
    dstore(p, vaddq_f64(dload(p), vcvt_f64_f32(vget_low_f32(v))));
    dstore(p + DL, vaddq_f64(dload(p + DL), vcvt_high_f64_f32(v)));
}
NST_INLINE uint32x4_t lanes(void)
{
    static const uint32_t bit[4] = { 1, 2, 4, 8 };

    return vld1q_u32(bit);
}
NST_INLINE unsigned vpositive(V a) { return vaddvq_u32(vandq_u32(vcgtzq_f32(a), lanes())); }
NST_INLINE unsigned vequal(V a, V b) { return vaddvq_u32(vandq_u32(vceqq_f32(a, b), lanes())); }
NST_INLINE V vkeep(V a, unsigned bits)
{
    uint32x4_t on = vtstq_u32(vdupq_n_u32(bits), lanes());

    return vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(a), on));
}
