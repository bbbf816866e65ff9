/* fitting.h: which size would have fitted into memory. */
#ifndef NST_FITTING_H
#define NST_FITTING_H

#include "nst.h"

/* e says that a run does not fit into memory: adds the largest --size that does, or that none does. */
void nst_fitting_advise(const nst_settings *s, const nst_model *model, const nst_image *content,
                        const nst_image *const *style, int styles, nst_error *e);

#endif
