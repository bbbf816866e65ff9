/* placement.h: a graph and the window that it is placed for: what graph.c and placement.c share. */
#ifndef NST_PLACEMENT_H
#define NST_PLACEMENT_H

#include "net/device.h"

/* What a window was measured to take. */
struct nst_measured {
    nst_window win;
    nst_use use;
    size_t bytes;     /* 0: nothing is remembered here */
};

struct nst_graph {
    nst_device *device;
    nst_node node[NST_MODEL_LAYERS];
    int count;
    bool ceil;
    nst_window win;   /* that is placed; its w is 0 when none is */
    nst_use use;      /* what it is placed for */
    size_t reserved, scratch;
    size_t bytes, needed; /* arena and scratch of what is placed */
    size_t kept;      /* bytes that are left free for it, where the device's memory is its own */
    struct nst_measured measured[2048]; /* by a hash of the window, on devices whose memory is not their own */
    nst_timing timing[NST_MODEL_LAYERS];
    struct {
        int kind, margin;
        double weight, *loss;
    } tv;
};

#endif
