#include <stdlib.h>
#include <string.h>

#include "rollout/rollout_parts.h"

enum { MOST_WAVES = 100 };

/* A number or a percentage of total at *text, which is moved behind it; -1: neither. */
static int64_t read_share(const char **text, int64_t total)
{
    char *end = NULL;
    if (**text < '0' || **text > '9') {
        return -1;
    }
    const long long number = strtoll(*text, &end, 10);
    const bool is_share = *end == '%';
    *text = end + (is_share ? 1 : 0);
    if (number > INT32_MAX || (is_share && number > 100)) {
        return -1;
    }
    return is_share ? total * number / 100 : number;
}

bool waves_limits(Arena *arena, const char *waves, int64_t total, const int64_t **ret_limits,
                  size_t *ret_count, Err *err)
{
    int64_t *limits = ARENA_ARRAY(arena, int64_t, MOST_WAVES + 1);
    size_t count = 0;
    int64_t last = 0;
    for (const char *at = waves; count < MOST_WAVES; at++) {
        const int64_t limit = read_share(&at, total);
        if (limit < 0 || (*at != ',' && *at != '\0')) {
            break;
        }
        const int64_t rounded = limit > total ? total : limit;
        /* A share of a small fleet may be no place at all: no wave then. */
        if (rounded > last) {
            limits[count++] = last = rounded;
        }
        if (*at == '\0') {
            if (last < total) {
                limits[count++] = total;
            }
            *ret_limits = limits;
            *ret_count = count;
            return true;
        }
    }
    return ERR_SET(err, ERR_INPUT_INVALID, "such as 1,5%,25%,100%",
                   "waves \"%s\" is no list of numbers and percentages, at most %d", waves,
                   MOST_WAVES);
}

bool allowance_of(const char *text, int64_t total, int64_t *ret_allowance, Err *err)
{
    const char *end = text;
    *ret_allowance = read_share(&end, total);
    return (*ret_allowance >= 0 && *end == '\0') ||
           ERR_SET(err, ERR_INPUT_INVALID, "such as 0, 3 or 2%",
                   "max-failures \"%s\" is neither a number nor a percentage", text);
}

bool rollout_check_waves(const char *waves, Err *err)
{
    scoped_arena Arena *arena = arena_new();
    const int64_t *limits = NULL;
    size_t count = 0;
    return waves_limits(arena, waves, 0, &limits, &count, err);
}

bool rollout_check_allowance(const char *max_failures, Err *err)
{
    int64_t allowance = 0;
    return allowance_of(max_failures, 0, &allowance, err);
}
