/* The table of operations as data, with the shape that each answer has: for tests, and for programs
 * that are written against --json. */
#include "cli/generate.h"
#include "cli/render.h"
#include "core/json.h"

static const char *const access_names[] = {
    [ACCESS_PUBLIC] = "public",
    [ACCESS_VIEWER] = "viewer",
    [ACCESS_OPERATOR] = "operator",
    [ACCESS_ADMIN] = "admin",
};

static const char *const kind_names[] = {
    [OP_QUERY] = "query",
    [OP_COMMAND] = "command",
    [OP_JOB] = "job",
};

static const char *const param_types[] = {
    [PARAM_TEXT] = "text",
    [PARAM_SLUG] = "slug",
    [PARAM_INT] = "int",
    [PARAM_BOOL] = "bool",
    [PARAM_ENUM] = "enum",
    [PARAM_PATH] = "path",
    [PARAM_DURATION_MS] = "duration",
};

static const char *const field_types[] = {
    [FIELD_TEXT] = "text",   [FIELD_INT] = "int",       [FIELD_NUMBER] = "number",
    [FIELD_BOOL] = "bool",   [FIELD_TIME] = "time",     [FIELD_UUID] = "uuid",
    [FIELD_BYTES] = "bytes", [FIELD_TEXTS] = "texts",   [FIELD_LINES] = "lines",
    [FIELD_MAP] = "map",     [FIELD_OBJECT] = "object", [FIELD_LIST] = "list",
    [FIELD_SQL] = "sql",
};

static Json *params_to_json(const Param *params)
{
    Json *list = json_array();
    for (const Param *param = params; param != NULL && param->name != NULL; param++) {
        Json *entry = json_object();
        json_put_text(entry, "name", param->name);
        json_put_text(entry, "type", param_types[param->type]);
        json_put_bool(entry, "is_positional", param->is_positional);
        json_put_bool(entry, "is_required", param->is_required);
        json_put_bool(entry, "is_repeated", param->is_repeated);
        json_put_text(entry, "default", param->fallback);
        json_put_text(entry, "choices", param->choices);
        json_put_text(entry, "help", param->help);
        json_array_append_new(list, entry);
    }
    return list;
}

/* As deep as the table nests, which no outside input can change. */
static Json *fields_to_json(const Field *fields)
{
    Json *list = json_array();
    for (const Field *field = fields; field->name != NULL; field++) {
        Json *entry = json_object();
        json_put_text(entry, "name", field->name);
        json_put_text(entry, "type", field_types[field->type]);
        json_put_bool(entry, "is_nullable", field->is_nullable);
        json_put_text(entry, "help", field->help);
        json_put(entry, "fields",
                 field->fields == NULL ? json_null() : fields_to_json(field->fields));
        json_array_append_new(list, entry);
    }
    return list;
}

static Json *operation_to_json(const Operation *op)
{
    Json *entry = json_object();
    json_put_text(entry, "name", op->name);
    json_put_text(entry, "summary", op->summary);
    json_put_text(entry, "kind", kind_names[op->kind]);
    json_put_text(entry, "access", access_names[op->access]);
    json_put_text(entry, "method", op->http.method);
    json_put_text(entry, "path", op->http.path);
    json_put(entry, "params", params_to_json(op->params));
    json_put(entry, "result", op->result == NULL ? json_null() : fields_to_json(op->result));
    return entry;
}

void docs_write_operations_json(FILE *out, const Catalog *catalog)
{
    scoped_json Json *answer = json_object();
    Json *list = json_array();
    for (size_t i = 0; i < catalog->count; i++) {
        json_array_append_new(list, operation_to_json(catalog->commands[i].op));
    }
    json_put(answer, "operations", list);
    render_json(out, answer, false);
}
