/* memory_limit.c: how much memory a run may take, before anything is known of it. */
#include "engine/settings/settings.h"

size_t nst_budget_limit(const nst_settings *s, size_t sharers)
{
    size_t available;

    if (s->memory)
        return (size_t)s->memory;
    available = nst_memory_available();
    return available ? nst_memory_own() + available / 4 * 3 / sharers : SIZE_MAX;
}
