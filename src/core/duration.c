#include "core/duration.h"

#include <string.h>

#include "core/array.h"
#include "core/text.h"

static const struct {
    const char *name;
    int64_t ms;
} units[] = {
    {"h", 3600000},
    {"min", 60000},
    {"s", 1000},
    {"ms", 1},
};

enum { UNIT_COUNT = ARRAY_COUNT(units), DIGITS_MAX = 18 };

bool duration_to_ms(const char *text, int64_t *ret_ms)
{
    const size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > DIGITS_MAX) {
        return false;
    }
    char number[DIGITS_MAX + 1] = {0};
    memcpy(number, text, digits);
    int64_t count = 0;
    if (!text_to_int(number, &count)) {
        return false;
    }
    for (size_t i = 0; i < UNIT_COUNT; i++) {
        if (strcmp(text + digits, units[i].name) == 0) {
            return !__builtin_mul_overflow(count, units[i].ms, ret_ms);
        }
    }
    return false;
}

const char *duration_to_text(Arena *arena, int64_t ms)
{
    size_t i = 0;
    while (ms % units[i].ms != 0 || (ms == 0 && units[i].ms != 1000)) {
        i++;
    }
    return arena_printf(arena, "%lld%s", (long long)(ms / units[i].ms), units[i].name);
}

const char *duration_to_rough_text(Arena *arena, int64_t ms)
{
    size_t i = 0;
    while (i + 1 < UNIT_COUNT && ms < 2 * units[i].ms) {
        i++;
    }
    return duration_to_text(arena, (ms + units[i].ms - 1) / units[i].ms * units[i].ms);
}
