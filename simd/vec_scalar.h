/* vec_scalar.h: the vector vocabulary in plain C, for machines without a set of their own.  Compilers that know
 * vector types turn four floats into whatever the machine's baseline has (SSE2, VSX, or four scalars). */
#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__GNUC__)
#define VL 4
typedef float V __attribute__((vector_size(16)));
typedef int32_t VI __attribute__((vector_size(16)));

NST_INLINE V vload(const float *p)
{
    V v;

    memcpy(&v, p, sizeof v);
    return v;
}
NST_INLINE void vstore(float *p, V v) { memcpy(p, &v, sizeof v); }
NST_INLINE V vset(float x) { return (V){ x, x, x, x }; }
NST_INLINE V vsqrt(V a) { return (V){ sqrtf(a[0]), sqrtf(a[1]), sqrtf(a[2]), sqrtf(a[3]) }; }
NST_INLINE V vchoose(VI on, V a, V b) { return (V)(((VI)a & on) | ((VI)b & ~on)); }
NST_INLINE V vmax(V a, V b) { return vchoose(a > b, a, b); }
NST_INLINE V vabs(V a) { return (V)((VI)a & 0x7fffffff); }
NST_INLINE unsigned vbits(VI on)
{
    return ((unsigned)on[0] & 1) | ((unsigned)on[1] & 2) | ((unsigned)on[2] & 4) | ((unsigned)on[3] & 8);
}
NST_INLINE unsigned vpositive(V a) { return vbits(a > (V){ 0 }); }
NST_INLINE unsigned vequal(V a, V b) { return vbits(a == b); }
NST_INLINE V vkeep(V a, unsigned bits)
{
    const VI lane = { 1, 2, 4, 8 };

    return (V)((VI)a & (((int32_t)bits & lane) == lane));
}

#define DL 2
typedef double D __attribute__((vector_size(16)));

NST_INLINE D dload(const double *p)
{
    D v;

    memcpy(&v, p, sizeof v);
    return v;
}
NST_INLINE void dstore(double *p, D v) { memcpy(p, &v, sizeof v); }
NST_INLINE void daccumulate(double *p, V v) /* p[0..VL) += v */
{
    for (int i = 0; i < VL; i++)
        p[i] += (double)v[i];
}
NST_INLINE D dset(double x) { return (D){ x, x }; }
#else
#define VL 1
typedef float V;

NST_INLINE V vload(const float *p) { return *p; }
NST_INLINE void vstore(float *p, V v) { *p = v; }
NST_INLINE V vset(float x) { return x; }
NST_INLINE V vsqrt(V a) { return sqrtf(a); }
NST_INLINE V vmax(V a, V b) { return a > b ? a : b; }
NST_INLINE V vabs(V a) { return fabsf(a); }
NST_INLINE unsigned vpositive(V a) { return a > 0; }
NST_INLINE unsigned vequal(V a, V b) { return a == b; }
NST_INLINE V vkeep(V a, unsigned bits) { return bits & 1 ? a : 0; }

#define DL 1
typedef double D;

NST_INLINE D dload(const double *p) { return *p; }
NST_INLINE void dstore(double *p, D v) { *p = v; }
NST_INLINE void daccumulate(double *p, V v) { *p += (double)v; }
NST_INLINE D dset(double x) { return x; }
#endif

NST_INLINE V vadd(V a, V b) { return a + b; }
NST_INLINE V vsub(V a, V b) { return a - b; }
NST_INLINE V vmul(V a, V b) { return a * b; }
NST_INLINE V vdiv(V a, V b) { return a / b; }
NST_INLINE V vfma(V a, V b, V c) { return a * b + c; }
NST_INLINE D dfma(D a, D b, D c) { return a * b + c; }
NST_INLINE V vfnma(V a, V b, V c) { return c - a * b; }
