/* cgroup.c: what control groups leave of memory.  A process is in a group of each hierarchy; that group's limit holds,
 * and those of all groups above it.  In a container the path may be one that only the host knows: then the climb ends
 * at the root of what is mounted here, which is the container's own group. */
#include "base/base.h"

#include <string.h>

#define PATH 4096
#define NONE 1e18 /* v1 writes a huge number where v2 writes "max" */

/* The number behind a word in one of a group's files, or with an empty word its first; -1 when there is none. */
static double number_in(const char *group, const char *file, const char *word)
{
    char path[2 * PATH], line[256];
    double v = -1;
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", group, file);
    if (!(f = fopen(path, "r")))
        return -1;
    while (v < 0 && fgets(line, sizeof line, f))
        if (!strncmp(line, word, strlen(word)) && sscanf(line + strlen(word), "%lf", &v) != 1)
            v = -1;
    fclose(f);
    return v;
}

/* The least room of a group and of those above it, up to the hierarchy's root; `room` where no limit holds. */
static double climb(const char *root, const char *path, bool second, double room)
{
    char group[2 * PATH];
    size_t least = strlen(root);

    snprintf(group, sizeof group, "%s%s", root, strcmp(path, "/") ? path : "");
    for (;;) {
        double most = number_in(group, second ? "memory.max" : "memory.limit_in_bytes", "");
        double taken = number_in(group, "memory.stat", second ? "anon " : "total_rss ");
        char *slash;

        if (most >= 0 && most < NONE && taken >= 0 && most - taken < room)
            room = most > taken ? most - taken : 0;
        slash = strlen(group) > least ? strrchr(group, '/') : NULL;
        if (!slash || (size_t)(slash - group) < least)
            return room;
        *slash = 0;
    }
}

/* Whether a list "memory,hugetlb" names memory. */
static bool names_memory(const char *list, size_t n)
{
    for (const char *end = list + n; list < end; list += strcspn(list, ",:") + 1)
        if (!strncmp(list, "memory", 6) && (list[6] == ',' || list[6] == ':'))
            return true;
    return false;
}

double nst_cgroup_room(const char *groups, const char *mounted, double room)
{
    FILE *f = fopen(groups, "r");
    char line[PATH], first[PATH + 16];

    snprintf(first, sizeof first, "%s/memory", mounted);
    while (f && fgets(line, sizeof line, f)) { /* NUMBER:CONTROLLERS:PATH, without controllers for the second version */
        char *list = strchr(line, ':'), *path = list ? strchr(list + 1, ':') : NULL;

        line[strcspn(line, "\n")] = 0;
        if (path && path == list + 1)
            room = climb(mounted, path + 1, true, room);
        else if (path && names_memory(list + 1, (size_t)(path - list - 1)))
            room = climb(first, path + 1, false, room);
    }
    if (f)
        fclose(f);
    return room;
}
