/* The PostgreSQL settings that a plan may give its tenants' roles (settings.def), and their values
 * as PostgreSQL would read them. Any thread; does not block. */
#ifndef TENANTRY_BLUEPRINT_SETTING_H
#define TENANTRY_BLUEPRINT_SETTING_H

#include <stdbool.h>
#include <stddef.h>

#include "core/arena.h"

/* What a value of a setting looks like; PAGES are 8 kB. */
typedef enum SettingKind {
    SETTING_MS,
    SETTING_KB,
    SETTING_PAGES,
    SETTING_INT,
    SETTING_BOOL,
    SETTING_ENUM
} SettingKind;

typedef struct Setting {
    const char *name;
    SettingKind kind;
    double least; /* in the base unit of the kind */
    double most;
    const char *words; /* ENUM: allowed words, separated by '|' */
    const char *help;
} Setting;

/* The row of a name, or NULL. */
const Setting *setting_find(const char *name);

/* All names, sorted; for "did you mean". */
const char *const *setting_names(size_t *ret_count);

/* Whether PostgreSQL would take the value: a number with one of its units (PostgreSQL 15, section
 * 20.1.1) in the allowed range, a boolean, one of the words. */
bool setting_accepts(const Setting *setting, const char *value);

/* "a time from 0 to 2147483647 ms, such as 30s": what a value should be. In the arena. */
const char *setting_expectation(Arena *arena, const Setting *setting);

#endif
