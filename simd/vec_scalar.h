/* vec_scalar.h: the vector vocabulary in plain C, for machines without a set of their own.  Compilers that know
 * vector types turn four floats into whatever the machine's baseline has (SSE2, VSX, or four scalars). */
#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__GNUC__)
#define VL 4
typedef float V __attribute__((vector_size(16)));
typedef int32_t VI __attribute__((vector_size(16)));

static inline V vload(const float *p)
{
    V v;

    memcpy(&v, p, sizeof v);
    return v;
}
static inline void vstore(float *p, V v) { memcpy(p, &v, sizeof v); }
static inline V vset(float x) { return (V){ x, x, x, x }; }
static inline V vsqrt(V a) { return (V){ sqrtf(a[0]), sqrtf(a[1]), sqrtf(a[2]), sqrtf(a[3]) }; }
static inline V vchoose(VI on, V a, V b) { return (V)(((VI)a & on) | ((VI)b & ~on)); }
static inline V vmax(V a, V b) { return vchoose(a > b, a, b); }
static inline V vabs(V a) { return (V)((VI)a & 0x7fffffff); }
static inline unsigned vbits(VI on)
{
    return ((unsigned)on[0] & 1) | ((unsigned)on[1] & 2) | ((unsigned)on[2] & 4) | ((unsigned)on[3] & 8);
}
static inline unsigned vpositive(V a) { return vbits(a > (V){ 0 }); }
static inline unsigned vequal(V a, V b) { return vbits(a == b); }
static inline V vkeep(V a, unsigned bits)
{
    const VI lane = { 1, 2, 4, 8 };

    return (V)((VI)a & (((int32_t)bits & lane) == lane));
}
#else
#define VL 1
typedef float V;

static inline V vload(const float *p) { return *p; }
static inline void vstore(float *p, V v) { *p = v; }
static inline V vset(float x) { return x; }
static inline V vsqrt(V a) { return sqrtf(a); }
static inline V vmax(V a, V b) { return a > b ? a : b; }
static inline V vabs(V a) { return fabsf(a); }
static inline unsigned vpositive(V a) { return a > 0; }
static inline unsigned vequal(V a, V b) { return a == b; }
static inline V vkeep(V a, unsigned bits) { return bits & 1 ? a : 0; }
#endif

static inline V vadd(V a, V b) { return a + b; }
static inline V vsub(V a, V b) { return a - b; }
static inline V vmul(V a, V b) { return a * b; }
static inline V vdiv(V a, V b) { return a / b; }
static inline V vfma(V a, V b, V c) { return a * b + c; }
static inline V vfnma(V a, V b, V c) { return c - a * b; }
