/* choose.c: what may compute here, by name: the CPU, and what OpenCL reaches where the build has it; and the graph on
 * one of them. */
#include "net/cpu/cpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef HAVE_OPENCL
#include "../opencl/opencl.h"
static const bool built = true;
#else
static const bool built = false;
static bool nst_opencl_at(int i, nst_device_info *info)
{
    (void)i;
    *info = (nst_device_info){ .device = "" };
    return false;
}
static bool nst_opencl_card_likely(void)
{
    return false;
}
static nst_status nst_opencl_create(nst_device **out, const nst_graph_options *o, int index, const nst_node *nodes,
                                    int count, nst_error *e)
{
    (void)o, (void)nodes, (void)count;
    *out = NULL;
    return nst_fail(e, NST_EUNSUPPORTED, "device \"opencl:%d\": this nst is built without OpenCL", index);
}
#endif

static void about_cpu(nst_device_info *info)
{
    const nst_kernels *chosen = nst_kernels_pick(NULL), *k;
    bool usable;

    *info = (nst_device_info){ .device = "cpu", .name = "this machine's processor", .precisions = "single",
                               .kind = NST_DEVICE_CPU, .units = nst_par_cores() };
    snprintf(info->driver, sizeof info->driver, "%s", chosen ? chosen->name : "none");
    k = nst_kernels_at(0, &usable);
    for (int i = 0; k; k = nst_kernels_at(++i, &usable))
        if (k != chosen)
            snprintf(info->driver + strlen(info->driver), sizeof info->driver - strlen(info->driver), ", %s%s", k->name,
                     usable ? "" : " (not on this machine)");
}

int nst_device_at(int i, nst_device_info *info)
{
    if (i == 0) {
        about_cpu(info);
        return 1;
    }
    return nst_opencl_at(i - 1, info);
}

/* Whether text stands in name, in any case. */
static bool stands_in(const char *name, const char *text)
{
    for (; *name; name++)
        if (nst_plain_alike(name, text, strlen(text)))
            return true;
    return false;
}

static void say(char *why, size_t bytes, const char *text)
{
    if (why && bytes)
        snprintf(why, bytes, "%s", text);
}

/* The first device of a kind; -1: of any. */
static bool first_of(int kind, nst_device_info *info)
{
    for (int i = 0; nst_opencl_at(i, info); i++)
        if (kind < 0 || info->kind == kind)
            return true;
    return false;
}

static void pick(nst_device_info *info, char *why, size_t bytes)
{
    bool likely = nst_opencl_card_likely();
    char text[320];

    if (likely && first_of(NST_DEVICE_GPU, info)) {
        snprintf(text, sizeof text, "%s is a graphics card", info->name);
        say(why, bytes, text);
        return;
    }
    about_cpu(info);
    if (!built)
        say(why, bytes, "this nst is built without OpenCL");
    else if (!likely)
        say(why, bytes, "no graphics card has a driver here");
    else
        say(why, bytes, "OpenCL reaches no graphics card");
}

/* Devices that have the text in their name or platform. */
static nst_status by_name(const char *name, nst_device_info *info, nst_error *e)
{
    nst_device_info next;
    int found = 0;

    for (int i = 0; nst_opencl_at(i, &next); i++)
        if (stands_in(next.name, name) || stands_in(next.platform, name)) {
            if (found++)
                return nst_fail(e, NST_EARG, "device \"%s\": more than one has that in its name (%s, %s), expected "
                                "opencl:N", name, info->device, next.device);
            *info = next;
        }
    if (!found)
        return nst_fail(e, NST_EUNSUPPORTED, "device \"%s\": there is none of that name%s, see nst devices", name,
                        built ? "" : " (this nst is built without OpenCL)");
    return NST_OK;
}

static nst_status by_number(const char *name, const char *number, nst_device_info *info, nst_error *e)
{
    char *end;
    long i = strtol(number, &end, 10);

    if (end == number || *end || i < 0 || i > 1000)
        return nst_fail(e, NST_EARG, "device \"%s\": expected a number behind \"opencl:\"", name);
    if (!nst_opencl_at((int)i, info))
        return nst_fail(e, NST_EUNSUPPORTED, "device \"%s\": %s", name, built ? "there is none of that number, see nst "
                        "devices" : "this nst is built without OpenCL");
    return NST_OK;
}

nst_status nst_device_find(const char *name, nst_device_info *info, char *why, size_t why_bytes, nst_error *e)
{
    say(why, why_bytes, "it is asked for");
    *info = (nst_device_info){ .device = "" };
    if (!name || !*name || strcmp(name, "cpu") == 0) {
        about_cpu(info);
        return NST_OK;
    }
    if (strcmp(name, "auto") == 0) {
        pick(info, why, why_bytes);
        return NST_OK;
    }
    if (strncmp(name, "opencl:", 7) == 0)
        return by_number(name, name + 7, info, e);
    if (strcmp(name, "opencl") != 0)
        return by_name(name, info, e);
    if (first_of(NST_DEVICE_GPU, info) || first_of(NST_DEVICE_OTHER, info) || first_of(-1, info))
        return NST_OK;
    return nst_fail(e, NST_EUNSUPPORTED, "device \"opencl\": %s", built ? "no platform has a device, see nst devices"
                    : "this nst is built without OpenCL");
}

/* The device of that name for the graph's nodes. */
static nst_status create(nst_device **out, const nst_graph_options *o, const nst_node *nodes, int count, nst_error *e)
{
    nst_device_info info;
    nst_status s = nst_device_find(o->device, &info, NULL, 0, e);

    if (s)
        return s;
    if (strcmp(info.device, "cpu") == 0)
        return nst_cpu_create(out, o, nodes, count, e);
    return nst_opencl_create(out, o, atoi(info.device + 7), nodes, count, e);
}

nst_status nst_graph_create(nst_graph **out, const nst_graph_options *o, nst_error *e)
{
    nst_node node[NST_MODEL_LAYERS];
    nst_device *device;
    int count;
    nst_status s = nst_nodes_chain(node, &count, o, e);

    *out = NULL;
    if (!s)
        s = create(&device, o, node, count, e);
    return s ? s : nst_graph_on(out, device, o, e);
}
