/* vec_neon.h: the vector vocabulary in arm64's NEON. */
#if !defined(__aarch64__)
#error "this file is for arm64, whose baseline has NEON with FMA"
#endif
#include <arm_neon.h>

#define VL 4
typedef float32x4_t V;

static inline V vload(const float *p) { return vld1q_f32(p); }
static inline void vstore(float *p, V v) { vst1q_f32(p, v); }
static inline V vset(float x) { return vdupq_n_f32(x); }
static inline V vadd(V a, V b) { return vaddq_f32(a, b); }
static inline V vsub(V a, V b) { return vsubq_f32(a, b); }
static inline V vmul(V a, V b) { return vmulq_f32(a, b); }
static inline V vdiv(V a, V b) { return vdivq_f32(a, b); }
static inline V vsqrt(V a) { return vsqrtq_f32(a); }
static inline V vmax(V a, V b) { return vmaxq_f32(a, b); } /* b when b is NaN */
static inline V vabs(V a) { return vabsq_f32(a); }
static inline V vfma(V a, V b, V c) { return vfmaq_f32(c, a, b); }  /* a b + c */
static inline V vfnma(V a, V b, V c) { return vfmsq_f32(c, a, b); } /* c - a b */
static inline uint32x4_t lanes(void)
{
    static const uint32_t bit[4] = { 1, 2, 4, 8 };

    return vld1q_u32(bit);
}
static inline unsigned vpositive(V a) { return vaddvq_u32(vandq_u32(vcgtzq_f32(a), lanes())); }
static inline unsigned vequal(V a, V b) { return vaddvq_u32(vandq_u32(vceqq_f32(a, b), lanes())); }
static inline V vkeep(V a, unsigned bits)
{
    uint32x4_t on = vtstq_u32(vdupq_n_u32(bits), lanes());

    return vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(a), on));
}
