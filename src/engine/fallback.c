/* fallback.c: a run whose device fails goes on with the CPU from where it stands, if the user left the choice to it. */
#include "engine/run.h"

#include <stdio.h>
#include <string.h>

bool nst_run_yields(const nst_run *r, nst_status s)
{
    return (s == NST_EMEM || s == NST_EDEVICE) && strcmp(r->s->device, "auto") == 0 && strcmp(r->net.device, "cpu") != 0;
}

/* Why is the sentence of the failure. */
static void note(nst_run *r, const char *why)
{
    snprintf(r->notice, sizeof r->notice, "%.600s; going on with the processor", why);
}

nst_status nst_run_graph(nst_run *r, nst_error *e)
{
    nst_status s = nst_graph_create(&r->graph, &r->net, e);
    nst_device_info d;

    if (!s && nst_graph_on_cpu(r->graph))
        r->net.device = "cpu";
    nst_model_rest(r->model);
    if (!s || !nst_run_yields(r, s) || nst_device_find("auto", &d, NULL, 0, NULL) || !strcmp(d.device, "cpu"))
        return s;
    note(r, e->text);
    r->net.device = "cpu";
    return nst_graph_create(&r->graph, &r->net, e);
}

nst_status nst_run_give_way(nst_run *r, nst_status s, nst_error *e)
{
    nst_optim *optim = r->optim;
    nst_across *across = r->across;
    float *dx = r->dx, *good = r->good;
    int pairs = r->layout[r->scale].pairs;

    if (!nst_across_any(r, nst_run_yields(r, s)))
        return s;
    note(r, e->text);
    r->optim = NULL, r->across = NULL, r->dx = r->good = NULL; /* they stay as they are */
    nst_run_leave(r);
    nst_graph_destroy(&r->graph);
    r->net.device = "cpu";
    if (!(s = nst_across_agree(r, nst_graph_create(&r->graph, &r->net, e), e)) && !(s = nst_run_budget(r, e)))
        s = nst_run_targets(r, e);
    r->layout[r->scale].pairs = pairs; /* which the optimiser has */
    r->optim = optim, r->across = across, r->dx = dx, r->good = good;
    return s;
}
