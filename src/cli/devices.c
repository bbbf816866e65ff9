/* devices.c: `nst devices`: what may compute here, and what --device auto takes. */
#include "cli/devices.h"

#include <string.h>

#include "cli/fail.h"

static void megabytes(const char *what, size_t bytes)
{
    printf("  %-18s %.0f MB\n", what, (double)bytes / 1e6);
}

static void say(const nst_device_info *d)
{
    static const char *const kinds[] = { "processor", "graphics card", "accelerator" };
    bool cpu = !strcmp(d->device, "cpu");

    nst_say(stdout, "%s: %s", d->device, d->name);
    printf("  %-18s %s, %d %s\n", "kind", kinds[d->kind], d->units, cpu ? "cores" : "compute units");
    if (!cpu)
        nst_say(stdout, "  %-18s %s", "platform", d->platform);
    nst_say(stdout, "  %-18s %s", cpu ? "kernels" : "driver", d->driver);
    if (!cpu) {
        megabytes("memory", d->memory);
        megabytes("largest allocation", d->largest);
    }
    printf("  %-18s %s%s\n", "precision", d->precisions, cpu ? "" : " (single is used)");
}

nst_status nst_devices_run(nst_error *e)
{
    nst_device_info d;
    char why[256];
    nst_status s;
    int i;

    for (i = 0; nst_device_at(i, &d); i++)
        say(&d);
    s = nst_device_find("auto", &d, why, sizeof why, e);
    if (s)
        return s;
    if (i == 1)
        nst_say(stdout, "no other device: %s", why);
    nst_say(stdout, "--device auto takes %s: %s", d.device, why);
    return NST_OK;
}
