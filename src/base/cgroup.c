/* cgroup.c: what control groups leave of memory and processors.  A process is in a group of each hierarchy; that
 * group's limit holds, and those of all groups above it.  In a container the path may be one that only the host
 * knows: then the climb ends at the root of what is mounted here, which is the container's own group. */
#include "base/base.h"

#include <string.h>

#define PATH 4096
#define NONE 1e18 /* v1 writes a huge number where v2 writes "max" */

double nst_number_in(const char *path, const char *word)
{
    FILE *f = fopen(path, "r");
    char line[256];
    double v = -1;

    while (f && v < 0 && fgets(line, sizeof line, f))
        if (!strncmp(line, word, strlen(word)) && sscanf(line + strlen(word), "%lf", &v) != 1)
            v = -1;
    if (f)
        fclose(f);
    return v;
}

/* The number in one of a group's files, as nst_number_in. */
static double number_of(const char *group, const char *file, const char *word)
{
    char path[2 * PATH];

    snprintf(path, sizeof path, "%s/%s", group, file);
    return nst_number_in(path, word);
}

/* What a group leaves of memory; NONE or more where it sets no limit. */
static double memory_left(const char *group, bool second)
{
    double most = number_of(group, second ? "memory.max" : "memory.limit_in_bytes", "");
    double taken = number_of(group, "memory.stat", second ? "anon " : "total_rss ");

    if (most < 0 || most >= NONE || taken < 0)
        return NONE;
    return most > taken ? most - taken : 0;
}

/* The processors' worth of time that a group may have. */
static double cores_allowed(const char *group, bool second)
{
    char path[2 * PATH];
    double quota = -1, period = -1;
    FILE *f;

    if (!second) {
        quota = number_of(group, "cpu.cfs_quota_us", "");
        period = number_of(group, "cpu.cfs_period_us", "");
    } else {
        snprintf(path, sizeof path, "%s/cpu.max", group);
        f = fopen(path, "r");
        if (f && fscanf(f, "%lf %lf", &quota, &period) != 2) /* "max 100000" */
            quota = -1;
        if (f)
            fclose(f);
    }
    return quota > 0 && period > 0 ? quota / period : NONE;
}

/* A controller: its name, and what a group leaves of it. */
struct controller {
    const char *name;
    double (*left)(const char *group, bool second);
};

/* The least that a group and those above it leave, up to the hierarchy's root; `most` where no limit holds. */
static double climb(const struct controller *c, const char *root, const char *path, bool second, double most)
{
    char group[2 * PATH];
    size_t least = strlen(root);

    snprintf(group, sizeof group, "%s%s", root, strcmp(path, "/") ? path : "");
    for (;;) {
        double left = c->left(group, second);
        char *slash = strlen(group) > least ? strrchr(group, '/') : NULL;

        if (left < most)
            most = left;
        if (!slash || (size_t)(slash - group) < least)
            return most;
        *slash = 0;
    }
}

/* Whether a list "memory,hugetlb" names a controller. */
static bool names(const char *list, size_t n, const char *controller)
{
    size_t each = strlen(controller);

    for (const char *end = list + n; list < end; list += strcspn(list, ",:") + 1)
        if (!strncmp(list, controller, each) && (list[each] == ',' || list[each] == ':'))
            return true;
    return false;
}

/* Of all groups in the file: NUMBER:CONTROLLERS:PATH, without controllers for the second version. */
static double least_left(const struct controller *c, const char *groups, const char *mounted, double most)
{
    FILE *f = fopen(groups, "r");
    char line[PATH], first[PATH + 16];

    snprintf(first, sizeof first, "%s/%s", mounted, c->name);
    while (f && fgets(line, sizeof line, f)) {
        char *list = strchr(line, ':'), *path = list ? strchr(list + 1, ':') : NULL;

        line[strcspn(line, "\n")] = 0;
        if (path && path == list + 1)
            most = climb(c, mounted, path + 1, true, most);
        else if (path && names(list + 1, (size_t)(path - list - 1), c->name))
            most = climb(c, first, path + 1, false, most);
    }
    if (f)
        fclose(f);
    return most;
}

double nst_cgroup_room(const char *groups, const char *mounted, double room)
{
    return least_left(&(struct controller){ "memory", memory_left }, groups, mounted, room);
}

int nst_cgroup_cores(const char *groups, const char *mounted, int cores)
{
    double most = least_left(&(struct controller){ "cpu", cores_allowed }, groups, mounted, cores);

    return most < 1 ? 1 : (int)(most + .5);
}
