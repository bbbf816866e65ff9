/* vec_scalar.h: the vector vocabulary in plain C, for machines without a set of their own. */
#include <math.h>

#define VL 1
typedef float V;

static inline V vload(const float *p) { return *p; }
static inline void vstore(float *p, V v) { *p = v; }
static inline V vset(float x) { return x; }
static inline V vadd(V a, V b) { return a + b; }
static inline V vsub(V a, V b) { return a - b; }
static inline V vmul(V a, V b) { return a * b; }
static inline V vdiv(V a, V b) { return a / b; }
static inline V vsqrt(V a) { return sqrtf(a); }
static inline V vmax(V a, V b) { return a > b ? a : b; } /* b when b is NaN */
static inline V vabs(V a) { return fabsf(a); }
static inline V vfma(V a, V b, V c) { return a * b + c; }
static inline V vfnma(V a, V b, V c) { return c - a * b; }
static inline unsigned vpositive(V a) { return a > 0; }
static inline unsigned vequal(V a, V b) { return a == b; }
static inline V vkeep(V a, unsigned bits) { return bits & 1 ? a : 0; }
