/* places.h: where models lie: a file, the user's folder, the system's folders. */
#ifndef NST_PLACES_H
#define NST_PLACES_H

#include "cli/paths.h"

#define NST_PLACES_SUFFIX ".safetensors"
#define NST_PLACES_DEFAULT "vgg19" /* the model that is used when none is named */

/* The user's folder of models, $XDG_DATA_HOME/nst/models, else ~/.local/share/nst/models; false when neither variable
 * is set. */
bool nst_places_user(char *path, size_t bytes);
/* The system's, number i from 0: nst/models in each of $XDG_DATA_DIRS, then where this nst was installed; false past
 * the last. */
bool nst_places_system(int i, char *path, size_t bytes);
/* Makes the user's folder, and each on the way. */
nst_status nst_places_make(nst_error *e);
/* The file of the user's model NAME, whether it is there or not.  NST_EARG for what is no name of a model. */
nst_status nst_places_own(const char *name, char *path, size_t bytes, nst_error *e);
/* The file of the model NAME in the first folder that has one, the user's first; false when there is none. */
bool nst_places_search(const char *name, char *path, size_t bytes);
bool nst_places_is_file(const char *path);

/* The file of the model to use, "small" for the built-in one, into path: what the user names (a file, or a model of
 * the user's or the system's folder), else $NST_MODEL, else vgg19 of these folders, else the built-in one. */
nst_status nst_places_find(const char *named, char *path, size_t bytes, nst_error *e);

#endif
