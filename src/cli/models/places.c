/* places.c: where models lie: the user's folder, then the system's, as the XDG base directories say. */
#include "cli/models/places.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define UNDER "/nst/models"

bool nst_places_user(char *path, size_t bytes)
{
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    int n;

    if (data && *data == '/') /* a relative one is to be ignored, says the specification */
        n = snprintf(path, bytes, "%s" UNDER, data);
    else if (home && *home)
        n = snprintf(path, bytes, "%s/.local/share" UNDER, home);
    else
        return false;
    return n > 0 && (size_t)n < bytes;
}

bool nst_places_system(int i, char *path, size_t bytes)
{
    const char *dirs = getenv("XDG_DATA_DIRS");

    if (!dirs || !*dirs)
        dirs = "/usr/local/share:/usr/share";
    for (; *dirs; dirs += strcspn(dirs, ":"), dirs += *dirs == ':') {
        int n = (int)strcspn(dirs, ":");

        if (*dirs == '/' && n < NST_PATH_BYTES && i-- == 0)
            return (size_t)snprintf(path, bytes, "%.*s" UNDER, n, dirs) < bytes;
    }
    return i == 0 && (size_t)snprintf(path, bytes, "%s" UNDER, NST_DATADIR) < bytes;
}

static nst_status fail(nst_error *e, nst_status s, const char *text)
{
    snprintf(e->text, sizeof e->text, "%s", text);
    return s;
}

nst_status nst_places_make(nst_error *e)
{
    char path[NST_PATH_BYTES];

    if (!nst_places_user(path, sizeof path))
        return fail(e, NST_EIO, "the user's models: neither XDG_DATA_HOME nor HOME says where they are");
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(path, 0777);
        *slash = '/';
    }
    if (mkdir(path, 0777) && errno != EEXIST) {
        snprintf(e->text, sizeof e->text, "%.400s: cannot be made: %s", path, strerror(errno));
        return NST_EIO;
    }
    return NST_OK;
}

static bool plain(const char *name)
{
    return *name && *name != '.' && !strchr(name, '/') && strlen(name) < 128 && strcmp(name, "small");
}

static bool join(const char *folder, const char *name, char *path, size_t bytes)
{
    int n = snprintf(path, bytes, "%s/%s" NST_PLACES_SUFFIX, folder, name);

    return n > 0 && (size_t)n < bytes;
}

nst_status nst_places_own(const char *name, char *path, size_t bytes, nst_error *e)
{
    char where[NST_PATH_BYTES];

    if (!plain(name)) {
        snprintf(e->text, sizeof e->text,
                 "model name \"%.60s\": expected a plain name, without / and not beginning with a dot, and not small, "
                 "which is the built-in model's", name);
        return NST_EARG;
    }
    if (!nst_places_user(where, sizeof where))
        return fail(e, NST_EIO, "the user's models: neither XDG_DATA_HOME nor HOME says where they are");
    return join(where, name, path, bytes) ? NST_OK
        : fail(e, NST_EARG, "the user's models: the folder's name is too long");
}

bool nst_places_is_file(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

bool nst_places_search(const char *name, char *path, size_t bytes)
{
    char where[NST_PATH_BYTES];

    if (!plain(name))
        return false;
    if (nst_places_user(where, sizeof where) && join(where, name, path, bytes) && nst_places_is_file(path))
        return true;
    for (int i = 0; nst_places_system(i, where, sizeof where); i++)
        if (join(where, name, path, bytes) && nst_places_is_file(path))
            return true;
    return false;
}

/* A file's name goes before that of a model; what is neither is left for the opening to complain about. */
static nst_status resolve(const char *named, char *path, size_t bytes, nst_error *e)
{
    if (strcmp(named, "small") && !nst_places_is_file(named) && nst_places_search(named, path, bytes))
        return NST_OK;
    if ((size_t)snprintf(path, bytes, "%s", named) < bytes)
        return NST_OK;
    snprintf(e->text, sizeof e->text, "model %.60s...: its name is too long", named);
    return NST_EARG;
}

nst_status nst_places_find(const char *named, char *path, size_t bytes, nst_error *e)
{
    const char *variable = getenv("NST_MODEL");

    if (named)
        return resolve(named, path, bytes, e);
    if (variable && *variable)
        return resolve(variable, path, bytes, e);
    if (nst_places_search(NST_PLACES_DEFAULT, path, bytes))
        return NST_OK;
    return resolve("small", path, bytes, e);
}
