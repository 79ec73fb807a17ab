#include "config/file.h"

#include <sys/stat.h>
#include <unistd.h>

#include "core/array.h"
#include "core/file.h"
#include "core/limits.h"
#include "core/process.h"
#include "core/yaml.h"

static const char form_hint[] = "write one \"name: value\" in each line, such as \"port: 5499\"";

/* A file that nobody named. */
static bool check_owner(const char *path, const struct stat *status, Err *err)
{
    if (status->st_uid != 0 && status->st_uid != geteuid()) {
        return ERR_SET(err, ERR_CONFIG_INVALID, "if you trust the file, name it with --config",
                       "\"%s\" belongs to another user", path);
    }
    return process_check_writers(path, status, err);
}

const char *config_file_find_usual(Arena *arena, const char *home)
{
    const char *const usual[] = {
        "./tenantry.yaml",
        home != NULL ? arena_printf(arena, "%s/.config/tenantry/tenantry.yaml", home) : NULL,
        "/etc/tenantry/tenantry.yaml",
    };
    for (size_t i = 0; i < ARRAY_COUNT(usual); i++) {
        if (usual[i] != NULL && file_exists(usual[i])) {
            return usual[i];
        }
    }
    return NULL;
}

static bool is_accepted(OptionId id)
{
    return id != OPT_CONFIG && !option_kind(id)->is_secret;
}

/* Options that a file cannot set are known, and refused with the reason. */
static bool check_accepted(const YamlEntry *entry, Err *err)
{
    const int known = option_find(entry->key);
    const OptionId id = (OptionId)known;
    if (known < 0 || is_accepted(id)) {
        return true;
    }
    const OptionKind *kind = option_kind(id);
    if (kind->is_secret) {
        scoped_arena Arena *arena = arena_new();
        ERR_SET(err, ERR_CONFIG_INVALID, NULL,
                YAML_AT_FORMAT "option \"%s\" is a secret and is not accepted in a file",
                entry->value->file, entry->line, kind->name);
        err_hint(err, "set it in the environment as %s", option_env_name(arena, id));
        return false;
    }
    return ERR_SET(err, ERR_CONFIG_INVALID, "name one file, with --config or TENANTRY_CONFIG",
                   YAML_AT_FORMAT "option \"config\" cannot be set in a configuration file",
                   entry->value->file, entry->line);
}

static bool check_keys(const YamlNode *root, Err *err)
{
    const char *names[OPTION_COUNT_];
    size_t count = 0;
    for (int id = 0; id < OPTION_COUNT_; id++) {
        if (is_accepted((OptionId)id)) {
            names[count++] = option_kind((OptionId)id)->name;
        }
    }
    for (size_t i = 0; i < root->count; i++) {
        if (!check_accepted(&root->entries[i], err)) {
            return false;
        }
    }
    return yaml_check_keys(root, names, count, ERR_CONFIG_INVALID, err);
}

static bool check_value(const YamlEntry *entry, const OptionKind *kind, Err *err)
{
    if (entry->value->kind != YAML_KIND_SCALAR) {
        return ERR_SET(err, ERR_CONFIG_INVALID, form_hint,
                       YAML_AT_FORMAT "option \"%s\" is one value, not a list or a map",
                       YAML_AT(entry->value), kind->name);
    }
    return true;
}

bool config_file_parse(Arena *arena, const char *path, const char *text, size_t length,
                       ConfigFileEntry *entries, size_t *ret_count, Err *err)
{
    const YamlNode *root = NULL;
    if (!yaml_parse(arena, path, text, length, LIMIT_CONFIG_FILE_BYTES, ERR_CONFIG_INVALID, &root,
                    err)) {
        if (*err->hint == '\0') {
            err_hint(err, "%s", form_hint);
        }
        return false;
    }
    if (root->kind != YAML_KIND_MAP) {
        return ERR_SET(err, ERR_CONFIG_INVALID, form_hint,
                       YAML_AT_FORMAT "a configuration file is a map of option names and values",
                       YAML_AT(root));
    }
    if (!check_keys(root, err)) {
        return false;
    }
    for (size_t i = 0; i < root->count; i++) {
        const YamlEntry *entry = &root->entries[i];
        const OptionId id = (OptionId)option_find(entry->key);
        if (!check_value(entry, option_kind(id), err)) {
            return false;
        }
        entries[i] = (ConfigFileEntry){id, entry->line, entry->value->text};
    }
    *ret_count = root->count; /* keys are known and none comes twice: at most OPTION_COUNT_ */
    return true;
}

bool config_file_read(Arena *arena, const char *path, bool is_named, ConfigFileEntry *entries,
                      size_t *ret_count, Err *err)
{
    const char *text = NULL;
    size_t length = 0;
    FileCheck *check = is_named ? NULL : check_owner;
    if (!file_read_checked(arena, path, LIMIT_CONFIG_FILE_BYTES, check, &text, &length, err)) {
        err->code = ERR_CONFIG_INVALID;
        if (*err->hint == '\0') {
            err_hint(err, "name a file that this user can read, or leave --config out");
        }
        return err_prefix(err, "configuration file");
    }
    return config_file_parse(arena, path, text, length, entries, ret_count, err);
}
