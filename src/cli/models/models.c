/* models.c: which model a run uses. */
#include "cli/models/models.h"

#include "cli/models/known.h"
#include "cli/models/places.h"

#include <stdlib.h>
#include <string.h>

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

nst_status nst_models_find(const char *named, char *path, size_t bytes, nst_error *e)
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

nst_status nst_models_open(nst_model **out, const nst_command *c, nst_error *e)
{
    nst_known o = { .m = NULL };
    char path[NST_PATH_BYTES];
    nst_status s;

    *out = NULL;
    if ((s = nst_models_find(c->model, path, sizeof path, e)) || (s = nst_known_open(&o, path, c, false, e)))
        return s;
    *out = o.m;
    return NST_OK;
}

const char *nst_models_reason(const nst_command *c, char *text, size_t bytes)
{
    const char *variable = getenv("NST_MODEL"), *named = c->model ? c->model : variable && *variable ? variable : NULL;
    char path[NST_PATH_BYTES], user[NST_PATH_BYTES] = "";
    nst_error e;
    bool own;

    *text = 0;
    if (nst_models_find(c->model, path, sizeof path, &e) || !strcmp(path, "small") || (named && !strcmp(named, path)))
        return text;
    own = nst_places_user(user, sizeof user) && !strncmp(path, user, strlen(user)) && path[strlen(user)] == '/';
    snprintf(text, bytes, " (%s%.*s)", own ? "the user's own, in " : "the system's, in ",
             (int)(nst_paths_base(path) - path - 1), path);
    return text;
}
