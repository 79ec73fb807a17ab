#include "blueprint/setting.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const Setting settings[] = {
#define SETTING(name, kind, least, most, words, help)                                              \
    {#name, SETTING_##kind, least, most, words, help},
#include "blueprint/settings.def"
#undef SETTING
};

static const char *const names[] = {
#define SETTING(name, kind, least, most, words, help) #name,
#include "blueprint/settings.def"
#include "core/array.h"
#undef SETTING
};

enum { SETTING_COUNT = ARRAY_COUNT(settings) };

/* How many base units one of these is; names are case-sensitive, as in PostgreSQL's guc.c. */
typedef struct Unit {
    const char *name;
    double factor;
} Unit;

static const Unit time_units[] = {
    {"us", 0.001},         {"ms", 1}, {"s", 1000}, {"min", 60.0 * 1000}, {"h", 3600.0 * 1000},
    {"d", 86400.0 * 1000}, {NULL, 0}};
static const Unit kb_units[] = {{"B", 1.0 / 1024},    {"kB", 1},
                                {"MB", 1024},         {"GB", 1024.0 * 1024},
                                {"TB", 1073741824.0}, {NULL, 0}};
static const Unit page_units[] = {{"B", 1.0 / 8192},        {"kB", 1.0 / 8},
                                  {"MB", 1024.0 / 8},       {"GB", 1024.0 * 1024 / 8},
                                  {"TB", 1073741824.0 / 8}, {NULL, 0}};
static const Unit no_units[] = {{NULL, 0}};

/* How each kind reads numbers, and what a message says of it; NULL units: the value is a word. */
static const struct {
    const Unit *units;
    const char *noun;
    const char *base;
    const char *example;
    const char *words;
} kinds[] = {
    [SETTING_MS] = {time_units, "a time", " ms", ", such as 30s or 5min", NULL},
    [SETTING_KB] = {kb_units, "a size", " kB", ", such as 16MB", NULL},
    [SETTING_PAGES] = {page_units, "a size", " pages of 8 kB", ", such as 16MB", NULL},
    [SETTING_INT] = {no_units, "a whole number", "", "", NULL},
    [SETTING_BOOL] = {NULL, "on or off", NULL, NULL, "on|off|true|false|yes|no|1|0"},
    [SETTING_ENUM] = {NULL, NULL, NULL, NULL, NULL},
};

const Setting *setting_find(const char *name)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        if (strcmp(settings[i].name, name) == 0) {
            return &settings[i];
        }
    }
    return NULL;
}

const char *const *setting_names(size_t *ret_count)
{
    *ret_count = SETTING_COUNT;
    return names;
}

static bool is_word_of(const char *words, const char *value)
{
    const size_t length = strlen(value);
    for (const char *word = words;; word++) {
        const size_t width = strcspn(word, "|");
        if (width == length && strncasecmp(word, value, width) == 0) {
            return true;
        }
        word += width;
        if (*word == '\0') {
            return false;
        }
    }
}

static bool find_factor(const Unit *units, const char *name, double *ret_factor)
{
    if (*name == '\0') {
        *ret_factor = 1;
        return true;
    }
    for (; units->name != NULL; units++) {
        if (strcmp(units->name, name) == 0) {
            *ret_factor = units->factor;
            return true;
        }
    }
    return false;
}

/* Decimal digits with at most one point; PostgreSQL's other forms (hexadecimal, exponents) say
 * nothing that these cannot. */
static bool is_in_range(const Setting *setting, const char *value)
{
    const size_t width = strspn(value, "0123456789.");
    const char *point = memchr(value, '.', width);
    if (width == 0 || *value == '.' ||
        (point != NULL && memchr(point + 1, '.', width - (size_t)(point + 1 - value)) != NULL)) {
        return false;
    }
    const char *unit = value + width;
    unit += strspn(unit, " ");
    double factor = 0;
    if (!find_factor(kinds[setting->kind].units, unit, &factor)) {
        return false;
    }
    const double number = rint(strtod(value, NULL) * factor);
    return number >= setting->least && number <= setting->most;
}

bool setting_accepts(const Setting *setting, const char *value)
{
    if (kinds[setting->kind].units != NULL) {
        return is_in_range(setting, value);
    }
    return is_word_of(setting->kind == SETTING_ENUM ? setting->words : kinds[setting->kind].words,
                      value);
}

const char *setting_expectation(Arena *arena, const Setting *setting)
{
    if (setting->kind == SETTING_ENUM) {
        return arena_printf(arena, "one of %s", setting->words);
    }
    if (setting->kind == SETTING_BOOL) {
        return kinds[SETTING_BOOL].noun;
    }
    return arena_printf(arena, "%s from %.0f to %.0f%s%s", kinds[setting->kind].noun,
                        setting->least, setting->most, kinds[setting->kind].base,
                        kinds[setting->kind].example);
}
