/* Options: one table (options.def) gives flags, environment, configuration file, defaults, ranges
 * and documentation.
 *
 * Precedence: flag, environment, configuration file, default. The file is YAML, a map of option
 * names as in the table; it is --config FILE, or TENANTRY_CONFIG, or the first of ./tenantry.yaml,
 * ~/.config/tenantry/tenantry.yaml, /etc/tenantry/tenantry.yaml that exists; CONFIG_FILE_NONE in
 * either place means that none is read. In a path, "~/" is HOME wherever it comes from; a relative
 * one is in the folder of the file when it stands in one, else in the current one. A value that is
 * out of range is refused wherever it comes from, naming where that is (ERR_CONFIG_INVALID). */
#ifndef TENANTRY_CONFIG_CONFIG_H
#define TENANTRY_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/err.h"

#define CONFIG_FILE_NONE "/dev/null"

typedef enum OptionType {
    OPTION_BOOL,
    OPTION_INT,
    OPTION_DURATION_MS,
    OPTION_ENUM,
    OPTION_PATH,
    OPTION_TEXT
} OptionType;

typedef enum OptionId {
#define OPT(symbol, name, short_flag, type, fallback, least, most, choices, is_secret, help) symbol,
#include "config/options.def"
#undef OPT
    OPTION_COUNT_
} OptionId;

typedef struct OptionKind {
    const char *symbol;
    const char *name; /* "data-dir": flag --data-dir, key data-dir in the file, TENANTRY_DATA_DIR */
    char short_flag;  /* 'v', or '\0' */
    OptionType type;
    const char *fallback; /* default as text; NULL: none */
    int64_t least, most;  /* OPTION_INT, OPTION_DURATION_MS */
    const char *choices;  /* OPTION_ENUM: "a|b|c" */
    bool is_secret;       /* not accepted as a flag (ps shows flags); config show hides it */
    const char *help;     /* one sentence */
} OptionKind;

typedef enum OptionOrigin {
    ORIGIN_DEFAULT,
    ORIGIN_FILE,
    ORIGIN_ENVIRONMENT,
    ORIGIN_FLAG
} OptionOrigin;

typedef struct Config Config;

/* A flag as the command line gave it; a bool's value is "true" or "false". */
typedef struct ConfigFlag {
    OptionId id;
    const char *value;
} ConfigFlag;

const OptionKind *option_kind(OptionId id);

/* The option with this name, or -1. */
int option_find(const char *name);

/* The environment variable of an option: TENANTRY_ and the name in capitals, '-' as '_'. In the
 * arena. */
const char *option_env_name(Arena *arena, OptionId id);

/* Loads everything into the arena. environ_get is getenv in the product. Reads the configuration
 * file; blocks. */
bool config_load(Arena *arena, const ConfigFlag *flags, size_t flag_count,
                 const char *(*environ_get)(const char *name), const Config **ret_config, Err *err);

/* Values. config_text gives NULL when there is neither value nor default: that of a path in the
 * data directory only when that is not known either (not root, no HOME, no home in the password
 * database). */
const char *config_text(const Config *config, OptionId id);
int64_t config_int(const Config *config,
                   OptionId id); /* OPTION_INT; OPTION_DURATION_MS in milliseconds */
bool config_bool(const Config *config, OptionId id);

/* Where the value came from: "flag --x", "environment TENANTRY_X", "file PATH:LINE", "default". In
 * config's arena. */
OptionOrigin config_origin(const Config *config, OptionId id, const char **ret_detail);

/* Whether somebody said so: it comes from anywhere but the defaults. */
bool config_is_given(const Config *config, OptionId id);

/* Path of the configuration file that was read, or NULL. */
const char *config_file(const Config *config);

/* A path as a person typed it, with "~/" as the home; in the arena or borrowed. where is for the
 * message ("parameter \"output\""). ERR_INPUT_INVALID for "~user/" and without a home. */
bool config_path(Arena *arena, const Config *config, const char *path, const char *where,
                 const char **ret_path, Err *err);

/* Checks one value as config_load would; where is for the message ("flag --port"). On true *ret_int
 * holds the number of an int, duration (ms) or bool (0, 1). */
bool option_check(OptionId id, const char *value, const char *where, int64_t *ret_int, Err *err);

#endif
