/* vector.h: flat arrays, threaded; blocks of fixed length, so the same for any number of threads. */
#ifndef NST_VECTOR_H
#define NST_VECTOR_H

#include "ops/dispatch.h"

double nst_vec_dot(const nst_cpu *cpu, size_t n, const float *x, const float *y);
double nst_vec_distance(const nst_cpu *cpu, size_t n, const float *x, const float *y); /* sum of squared differences */
double nst_vec_abs(const nst_cpu *cpu, size_t n, const float *x);
void nst_vec_axpy(const nst_cpu *cpu, size_t n, float a, const float *x, float *y);
void nst_vec_adam(const nst_cpu *cpu, size_t n, const nst_adam_args *a, const float *g, float *m, float *v, float *x);

#endif
