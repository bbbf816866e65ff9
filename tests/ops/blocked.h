/* blocked.h: between the oracle's planar maps and the CPU's blocks of 16 channels. */
#ifndef NST_BLOCKED_H
#define NST_BLOCKED_H

#include "ops/dispatch.h"
#include "../support/oracle.h"

/* [c / 16][h][w][16], padded with zeros, between guards. */
float *blocked_from(const oracle_map *m);
/* How many floats such a map of c channels has. */
size_t blocked_floats(int c, int h, int w);
/* Element c, y, x. */
float blocked_at(const float *f, int h, int w, int c, int y, int x);

/* A bias of n channels, as long as a panel reads; all 0 where bias is NULL. */
float *blocked_bias(const float *bias, int n);

/* A map of random numbers that a float holds exactly, behind ReLU or not. */
oracle_map blocked_random(int c, int h, int w, bool rectified);

/* Ends the test unless f is the map within tolerance and the channels of padding are 0. */
void blocked_is(const char *what, const float *f, const oracle_map *m, double tolerance);

/* Each kernel set that can run here, as a CPU of one thread. */
#define FOR_EACH_SET(cpu)                                                   \
    for (int set_ = 0; nst_kernels_at(set_, NULL); set_++)                  \
        for (nst_cpu cpu = { nst_kernels_at(set_, NULL), 1 }, *once_ = &cpu; \
             once_ && nst_simd_usable(set_); once_ = NULL)

#endif
