#include "config/config.h"

#include <string.h>
#include <unistd.h>

#include "config/file.h"
#include "config/path.h"
#include "core/file.h"
#include "core/process.h"

typedef struct ConfigValue {
    const char *text; /* NULL: neither value nor default */
    int64_t number;
    OptionOrigin origin;
    const char *detail;
} ConfigValue;

struct Config {
    ConfigValue values[OPTION_COUNT_];
    const char *file;
    const char *home; /* NULL: this user has none */
};

static bool set_value(Arena *arena, Config *config, OptionId id, const char *text,
                      OptionOrigin origin, const char *detail, Err *err)
{
    int64_t number = 0;
    if (!option_check(id, text, detail, &number, err)) {
        return false;
    }
    if (option_kind(id)->type == OPTION_PATH && origin != ORIGIN_DEFAULT) {
        const char *file = origin == ORIGIN_FILE ? config->file : NULL;
        if (!config_path_resolve(arena, config->home, file, text, detail, &text, err) ||
            !option_check(id, text, detail, &number, err)) {
            return false;
        }
    }
    config->values[id] = (ConfigValue){text, number, origin, detail};
    return true;
}

static bool load_defaults(Arena *arena, Config *config, Err *err)
{
    for (int id = 0; id < OPTION_COUNT_; id++) {
        const char *fallback = option_kind((OptionId)id)->fallback;
        config->values[id].detail = "default";
        if (fallback != NULL &&
            !set_value(arena, config, (OptionId)id, fallback, ORIGIN_DEFAULT, "default", err)) {
            return false;
        }
    }
    return true;
}

static bool load_file(Arena *arena, Config *config, bool is_named, Err *err)
{
    ConfigFileEntry entries[OPTION_COUNT_];
    size_t count = 0;
    if (!config_file_read(arena, config->file, is_named, entries, &count, err)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const char *detail = arena_printf(arena, "file %s:%d", config->file, entries[i].line);
        if (!set_value(arena, config, entries[i].id, entries[i].text, ORIGIN_FILE, detail, err)) {
            return err_prefix(err, "option \"%s\"", option_kind(entries[i].id)->name);
        }
    }
    return true;
}

static bool load_variable(Arena *arena, Config *config, OptionId id,
                          const char *(*environ_get)(const char *name), Err *err)
{
    const char *name = option_env_name(arena, id);
    const char *text = environ_get(name);
    if (text == NULL || *text == '\0') {
        return true; /* empty is unset: `TENANTRY_X= tenantry ...` is how a shell clears it */
    }
    const char *detail = arena_printf(arena, "environment %s", name);
    return set_value(arena, config, id, arena_strdup(arena, text), ORIGIN_ENVIRONMENT, detail, err);
}

static bool load_environment(Arena *arena, Config *config,
                             const char *(*environ_get)(const char *name), Err *err)
{
    for (int id = 0; id < OPTION_COUNT_; id++) {
        if (!load_variable(arena, config, (OptionId)id, environ_get, err)) {
            return false;
        }
    }
    return true;
}

static bool load_flags(Arena *arena, Config *config, const ConfigFlag *flags, size_t flag_count,
                       Err *err)
{
    for (size_t i = 0; i < flag_count; i++) {
        const OptionKind *kind = option_kind(flags[i].id);
        const char *detail = arena_printf(arena, "flag --%s", kind->name);
        if (kind->is_secret) {
            return ERR_SET(
                err, ERR_CONFIG_INVALID, "set it in the environment, or use --master-key-file",
                "%s is not accepted: other users can see the arguments of a process", detail);
        }
        if (!set_value(arena, config, flags[i].id, arena_strdup(arena, flags[i].value), ORIGIN_FLAG,
                       detail, err)) {
            return false;
        }
    }
    return true;
}

/* The file that --config or TENANTRY_CONFIG names, before anything else is loaded; the last flag
 * wins, as in load_flags. */
static bool load_named_file(Arena *arena, Config *config, const ConfigFlag *flags,
                            size_t flag_count, const char *(*environ_get)(const char *name),
                            Err *err)
{
    for (size_t i = flag_count; i > 0; i--) {
        if (flags[i - 1].id == OPT_CONFIG) {
            return load_flags(arena, config, &flags[i - 1], 1, err);
        }
    }
    return load_variable(arena, config, OPT_CONFIG, environ_get, err);
}

/* HOME, which a person may set, else what the password database says; NULL when neither does. */
static const char *find_home(Arena *arena, const char *(*environ_get)(const char *name))
{
    const char *home = environ_get("HOME");
    return home != NULL && *home != '\0' ? home : process_find_home(arena);
}

/* Checked like one that was given: what HOME holds is nobody's but the environment's. */
static bool set_default_path(Arena *arena, Config *config, OptionId id, const char *folder,
                             const char *path, Err *err)
{
    if (config->values[id].text != NULL || folder == NULL) {
        return true;
    }
    const char *text = arena_printf(arena, "%s/%s", folder, path);
    return set_value(arena, config, id, text, ORIGIN_DEFAULT, "default", err) ||
           err_prefix(err, "option \"%s\"", option_kind(id)->name);
}

/* Where things are when nobody says. */
static bool set_default_paths(Arena *arena, Config *config, const char *home, Err *err)
{
    const bool is_root = geteuid() == 0;
    if (!set_default_path(arena, config, OPT_DATA_DIR, is_root ? "/var/lib" : home,
                          is_root ? "tenantry" : ".local/share/tenantry", err)) {
        err_hint(err, "correct HOME, or name a folder with --data-dir");
        return false;
    }
    const char *data_dir = config->values[OPT_DATA_DIR].text;
    return set_default_path(arena, config, OPT_MASTER_KEY_FILE, data_dir, "master.key", err) &&
           set_default_path(arena, config, OPT_SOCKET_DIR, data_dir, "run", err);
}

/* One of the usual files; its name is printed, and HOME may be any bytes. */
static bool find_usual_file(Arena *arena, const char *home, const char **ret_path, Err *err)
{
    int64_t ignored = 0;
    *ret_path = config_file_find_usual(arena, home);
    return *ret_path == NULL ||
           option_check(OPT_CONFIG, *ret_path, "configuration file", &ignored, err);
}

static bool load_all(Arena *arena, Config *config, const ConfigFlag *flags, size_t flag_count,
                     const char *(*environ_get)(const char *name), Err *err)
{
    config->home = find_home(arena, environ_get);
    if (!load_defaults(arena, config, err) ||
        !load_named_file(arena, config, flags, flag_count, environ_get, err)) {
        return false;
    }
    const char *named = config->values[OPT_CONFIG].text;
    if (named != NULL) {
        config->file = strcmp(named, CONFIG_FILE_NONE) == 0 ? NULL : named;
    } else if (!find_usual_file(arena, config->home, &config->file, err)) {
        return false;
    }
    if ((config->file != NULL && !load_file(arena, config, named != NULL, err)) ||
        !load_environment(arena, config, environ_get, err) ||
        !load_flags(arena, config, flags, flag_count, err)) {
        return false;
    }
    return set_default_paths(arena, config, config->home, err);
}

bool config_load(Arena *arena, const ConfigFlag *flags, size_t flag_count,
                 const char *(*environ_get)(const char *name), const Config **ret_config, Err *err)
{
    Config *config = ARENA_NEW(arena, Config);
    if (!load_all(arena, config, flags, flag_count, environ_get, err)) {
        if (*err->hint == '\0') {
            err_hint(err, "see \"tenantry docs options\" for what each option takes");
        }
        return false;
    }
    *ret_config = config;
    return true;
}

const char *config_text(const Config *config, OptionId id)
{
    return config->values[id].text;
}

int64_t config_int(const Config *config, OptionId id)
{
    return config->values[id].number;
}

bool config_bool(const Config *config, OptionId id)
{
    return config->values[id].number != 0;
}

OptionOrigin config_origin(const Config *config, OptionId id, const char **ret_detail)
{
    *ret_detail = config->values[id].detail;
    return config->values[id].origin;
}

bool config_is_given(const Config *config, OptionId id)
{
    return config->values[id].origin != ORIGIN_DEFAULT;
}

const char *config_file(const Config *config)
{
    return config->file;
}

bool config_path(Arena *arena, const Config *config, const char *path, const char *where,
                 const char **ret_path, Err *err)
{
    if (config_path_resolve(arena, config->home, NULL, path, where, ret_path, err)) {
        return true;
    }
    err->code = ERR_INPUT_INVALID;
    return false;
}
