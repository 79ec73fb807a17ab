#include "core/stop.h"

#include <stdatomic.h>

static atomic_bool is_listening;
static atomic_bool is_requested;

void stop_listen(bool is_on)
{
    atomic_store(&is_requested, false);
    atomic_store(&is_listening, is_on);
}

bool stop_request(void)
{
    return atomic_load(&is_listening) && !atomic_exchange(&is_requested, true);
}

bool stop_is_requested(void)
{
    return atomic_load(&is_requested);
}
