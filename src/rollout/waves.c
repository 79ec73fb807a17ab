#include <stdlib.h>
#include <string.h>

#include "rollout/rollout_parts.h"

enum { MOST_WAVES = 100 };

/* A number or a percentage as it is written, at *text, which is moved behind it. */
static bool read_share(const char **text, int64_t *ret_number, bool *ret_is_share)
{
    char *end = NULL;
    if (**text < '0' || **text > '9') {
        return false;
    }
    *ret_number = strtoll(*text, &end, 10);
    *ret_is_share = *end == '%';
    *text = end + (*ret_is_share ? 1 : 0);
    return *ret_number <= (*ret_is_share ? 100 : INT32_MAX);
}

static int64_t share_of(int64_t number, bool is_share, int64_t total)
{
    return is_share ? total * number / 100 : number;
}

bool waves_limits(Arena *arena, const char *waves, int64_t total, const int64_t **ret_limits,
                  size_t *ret_count, Err *err)
{
    int64_t *limits = ARENA_ARRAY(arena, int64_t, MOST_WAVES + 1);
    size_t count = 0;
    int64_t last = 0;
    int64_t written[2] = {0}; /* the last number, the last percentage */
    for (const char *at = waves; count < MOST_WAVES; at++) {
        int64_t number = 0;
        bool is_share = false;
        if (!read_share(&at, &number, &is_share) || (*at != ',' && *at != '\0') ||
            number <= written[is_share]) {
            break;
        }
        written[is_share] = number;
        const int64_t limit = share_of(number, is_share, total);
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
                   "waves \"%s\" is no list of rising numbers and percentages, at most %d", waves,
                   MOST_WAVES);
}

bool allowance_of(const char *text, int64_t total, int64_t *ret_allowance, Err *err)
{
    const char *end = text;
    int64_t number = 0;
    bool is_share = false;
    const bool is_read = read_share(&end, &number, &is_share) && *end == '\0';
    *ret_allowance = share_of(number, is_share, total);
    return is_read ||
           ERR_SET(err, ERR_INPUT_INVALID, "such as 0, 3 or 2%",
                   "max-failures \"%s\" is neither a number nor a percentage of at most 100%%",
                   text);
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
