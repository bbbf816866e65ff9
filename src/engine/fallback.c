/* fallback.c: a run whose device fails goes on with the CPU from where it stands, if the user left the choice to it. */
#include "engine/run.h"

#include <stdio.h>
#include <string.h>

bool nst_can_fall_back(const nst_run *r, nst_status s)
{
    return (s == NST_EMEM || s == NST_EDEVICE) && !strcmp(r->setup.s.device, "auto") &&
           strcmp(r->setup.net.device, "cpu");
}

/* Why is the sentence of the failure. */
static void note(nst_run *r, const char *why)
{
    snprintf(r->notice, sizeof r->notice, "%.600s; going on with the processor", why);
}

nst_status nst_run_graph(nst_run *r, nst_error *e)
{
    nst_setup *u = &r->setup;
    nst_status s = nst_graph_create(&u->graph, &u->net, e);
    nst_device_info d;

    if (!s && nst_graph_on_cpu(u->graph))
        u->net.device = "cpu";
    nst_model_release_pages(r->job.model);
    if (!s || !nst_can_fall_back(r, s) || nst_device_find("auto", &d, NULL, 0, NULL) || !strcmp(d.device, "cpu"))
        return s;
    note(r, e->text);
    u->net.device = "cpu";
    return nst_graph_create(&u->graph, &u->net, e);
}

nst_status nst_fall_back(nst_run *r, nst_status s, nst_error *e)
{
    nst_setup *u = &r->setup;
    int pairs = u->layout[r->scale].pairs;

    if (!nst_ranks_any(&r->ranks, nst_can_fall_back(r, s)))
        return s;
    note(r, e->text);
    nst_targets_free(r);
    nst_graph_destroy(&u->graph);
    u->net.device = "cpu";
    s = nst_ranks_agree(&r->ranks, nst_graph_create(&u->graph, &u->net, e), e);
    if (!s)
        s = nst_plan_memory(u, &r->ranks, e);
    if (!s)
        s = nst_run_targets(r, e);
    u->layout[r->scale].pairs = pairs; /* which the optimiser has */
    return s;
}
