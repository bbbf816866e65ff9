/* devices.h: floor 5, `nst devices`. */
#ifndef NST_DEVICES_H
#define NST_DEVICES_H

#include "options.h"

nst_status nst_devices_run(nst_error *e);

#endif
