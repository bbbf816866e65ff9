/* devices.h: `nst devices`. */
#ifndef NST_DEVICES_H
#define NST_DEVICES_H

#include "cli/options.h"

nst_status nst_devices_run(nst_error *e);

#endif
