/* build_info.c: what this build is.  configure knows. */
#include "base/base.h"

const char *nst_version(void)
{
    return PACKAGE_VERSION;
}

const char *nst_build_info(void)
{
    return NST_BUILT_WITH;
}
