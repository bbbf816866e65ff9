/* models.c: the model that a run uses, opened. */
#include "cli/models/models.h"

#include "cli/models/known.h"

#include <stdlib.h>
#include <string.h>

nst_status nst_models_open(nst_model **out, const nst_command *c, nst_error *e)
{
    nst_known o = { .m = NULL };
    char path[NST_PATH_BYTES];
    nst_status s;

    *out = NULL;
    s = nst_places_find(c->model, path, sizeof path, e);
    if (!s)
        s = nst_known_open(&o, path, c, false, e);
    if (s)
        return s;
    *out = o.m;
    return NST_OK;
}

const char *nst_models_reason(const nst_command *c, char *text, size_t bytes)
{
    const char *variable = getenv("NST_MODEL"), *named = c->model ? c->model : variable;
    char path[NST_PATH_BYTES], user[NST_PATH_BYTES] = "";
    nst_error e;
    bool own;

    *text = 0;
    if (nst_places_find(c->model, path, sizeof path, &e) || !strcmp(path, "small") || (named && !strcmp(named, path)))
        return text;
    own = nst_places_user(user, sizeof user) && !strncmp(path, user, strlen(user)) && path[strlen(user)] == '/';
    snprintf(text, bytes, " (%s%.*s)", own ? "the user's own, in " : "the system's, in ",
             (int)(nst_paths_base(path) - path - 1), path);
    return text;
}
