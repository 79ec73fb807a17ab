/* The command line: NUL-separated arguments. What is understood has every parameter of its command
 * that is required and no other; what is not is a usage error that says so. */
#include <stdlib.h>
#include <string.h>

#include "cli/builtin.h"
#include "cli/parse.h"
#include "core/text.h"
#include "fuzz.h"

static const Param params[] = {
    {"slug", PARAM_SLUG, .is_positional = true, .is_required = true, .help = "Slug."},
    {"tier", PARAM_ENUM, .choices = "row|schema", .help = "Tier."},
    {"version", PARAM_INT, .help = "Version."},
    {"yes", PARAM_BOOL, .help = "Do not ask."},
    {0},
};
static const Operation tenant_create = {.name = "tenant.create", .params = params};
static const Operation up = {.name = "up"};
static const Operation *const operations[] = {&tenant_create, &up};

static void check_call(const CliCall *call)
{
    scoped_json Json *args = cli_call_args(call);
    const bool is_create = call->command != NULL && call->command->op == &tenant_create;
    if (is_create && !call->is_help && !call->is_version && json_object_get(args, "slug") == NULL) {
        abort();
    }
    for (size_t i = 0; i < call->given_count; i++) {
        if (call->command == NULL || call->given[i]->param == NULL || call->values[i] == NULL) {
            abort();
        }
    }
}

static void check_error(const Err *err)
{
    const bool is_said = err->code == ERR_USAGE && err->message[0] != '\0';
    if (!is_said || !text_is_utf8(err->message, strlen(err->message), NULL) ||
        !text_is_utf8(err->hint, strlen(err->hint), NULL)) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { ARGUMENTS_MAX = 64 };
    scoped_arena Arena *arena = arena_new();
    const char *text = arena_strndup(arena, (const char *)data, size);
    const char *argv[ARGUMENTS_MAX + 1] = {"tenantry"};
    int argc = 1;
    for (size_t i = 0; i < size && argc < ARGUMENTS_MAX; i += strlen(text + i) + 1) {
        argv[argc++] = text + i;
    }
    size_t builtin_count = 0;
    const Operation *builtins = builtin_table(&builtin_count);
    const Catalog *catalog = catalog_new(arena, operations, 2, builtins, builtin_count);
    CliCall call;
    Err err = {0};
    if (cli_parse(arena, catalog, argc, argv, &call, &err)) {
        check_call(&call);
    } else {
        check_error(&err);
    }
    return 0;
}
