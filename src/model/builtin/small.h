/* small.h: the built-in model, and the bytes that it is made from, which lie in small_data.S. */
#ifndef NST_SMALL_H
#define NST_SMALL_H

#include "model/model.h"

nst_status nst_model_open_small(nst_model **out, nst_error *e);
extern const unsigned char nst_small_begin[], nst_small_end[];

#endif
