/* bench.h: `nst bench`: what an iteration costs here, layer by layer. */
#ifndef NST_BENCH_H
#define NST_BENCH_H

#include "cli/options.h"

/* Measures and prints to standard output: a table, or one JSON object when c->json.  NULL model: random weights
 * of VGG19's shape. */
nst_status nst_bench(const nst_command *c, const nst_settings *s, nst_error *e);

#endif
