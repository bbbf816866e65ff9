/* devices.c: `nst devices`: what may compute here, and what --device auto takes. */
#include "cli/devices.h"

#include <string.h>

static void megabytes(const char *what, size_t bytes)
{
    printf("  %-18s %.0f MB\n", what, (double)bytes / 1e6);
}

static void say(const nst_device_info *d)
{
    static const char *const kinds[] = { "processor", "graphics card", "accelerator" };
    bool cpu = !strcmp(d->device, "cpu");

    printf("%s: %s\n", d->device, d->name);
    printf("  %-18s %s, %d %s\n", "kind", kinds[d->kind], d->units, cpu ? "cores" : "compute units");
    if (!cpu)
        printf("  %-18s %s\n", "platform", d->platform);
    printf("  %-18s %s\n", cpu ? "kernels" : "driver", d->driver);
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
    if ((s = nst_device_find("auto", &d, why, sizeof why, e)))
        return s;
    if (i == 1)
        printf("no other device: %s\n", why);
    printf("--device auto takes %s: %s\n", d.device, why);
    return NST_OK;
}
