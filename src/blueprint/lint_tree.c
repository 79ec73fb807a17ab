/* Look-ups in the parse trees of libpg_query. */
#include <string.h>
#include <strings.h>

#include "blueprint/lint.h"

const char *tree_list_text(const Json *list, size_t index)
{
    const Json *item = json_object_get(json_array_get(list, index), "String");
    return json_get_text(item, "sval", "");
}

const char *tree_last_text(const Json *list)
{
    const size_t count = json_array_size(list);
    return count == 0 ? "" : tree_list_text(list, count - 1);
}

int tree_list_find(const Json *list, const char *text)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (strcmp(tree_list_text(list, i), text) == 0) {
            return (int)i;
        }
    }
    return -1;
}

bool tree_list_has(const Json *list, const char *text)
{
    return tree_list_find(list, text) >= 0;
}

const Json *tree_find_option(const Json *options, const char *name)
{
    for (size_t i = 0; i < json_array_size(options); i++) {
        const Json *option = json_object_get(json_array_get(options, i), "DefElem");
        if (tree_text_is(option, "defname", name)) {
            return option;
        }
    }
    return NULL;
}

const Json *tree_find_search_path(const Json *options)
{
    for (size_t i = 0; i < json_array_size(options); i++) {
        const Json *option = json_object_get(json_array_get(options, i), "DefElem");
        const Json *set = json_object_get(json_object_get(option, "arg"), "VariableSetStmt");
        if (tree_text_is(set, "name", "search_path") &&
            tree_text_is(set, "kind", "VAR_SET_VALUE")) {
            return json_object_get(set, "args");
        }
    }
    return NULL;
}

const char *tree_config_name(const Json *call)
{
    const Json *name = json_array_get(json_object_get(call, "args"), 0);
    const Json *cast = json_object_get(name, "TypeCast");
    const Json *constant = json_object_get(cast != NULL ? json_object_get(cast, "arg") : name,
                                           "A_Const");
    return strcmp(tree_last_text(json_object_get(call, "funcname")), "set_config") == 0
               ? json_get_text(json_object_get(constant, "sval"), "sval", "")
               : "";
}

bool tree_text_is(const Json *object, const char *key, const char *text)
{
    return strcmp(json_get_text(object, key, ""), text) == 0;
}

bool tree_option_is_true(const Json *option)
{
    const Json *value = json_object_get(option, "arg");
    if (value == NULL) {
        return true;
    }
    const char *text = json_get_text(json_object_get(value, "String"), "sval", "");
    return strcasecmp(text, "true") == 0 || strcasecmp(text, "on") == 0 || strcmp(text, "1") == 0 ||
           json_get_bool(json_object_get(value, "Boolean"), "boolval", false) ||
           json_get_int(json_object_get(value, "Integer"), "ival", 0) == 1;
}
