#include <string.h>
#include <unistd.h>

#include "blueprint/stamp.h"
#include "core/log.h"
#include "ops/context.h"

/* Root leaves pg_dump to the embedded server's user, as all programs of PostgreSQL. */
static ProcessUser find_user(OpContext *context)
{
    const bool is_embedded = !op_has_external_database(context) && op_data_dir(context) != NULL;
    if (geteuid() != 0 || !is_embedded) {
        return (ProcessUser){.is_set = false};
    }
    const char *pg_dir = arena_printf(context->arena, "%s/pg", op_data_dir(context));
    return process_find_owner(context->arena, pg_dir);
}

static bool ensure(OpContext *context, const char *name, bool is_forced, const Stamp **ret_stamp,
                   bool *ret_is_new, Err *err)
{
    Store *store = NULL;
    Blueprint *blueprint = NULL;
    const StampOptions options = {.bin_dir = config_text(context->config, OPT_PG_BIN_DIR),
                                  .user = find_user(context),
                                  .is_forced = is_forced};
    return op_store(context, &store, err) &&
           registry_get(context->arena, store, name, &blueprint, err) &&
           stamp_ensure(context->arena, store, blueprint, &options, ret_stamp, ret_is_new, err);
}

bool op_drop_stamp_leftovers(OpContext *context, Err *err)
{
    Store *store = NULL;
    return op_store(context, &store, err) && stamp_drop_leftovers(context->arena, store, err);
}

void op_note_stamp(OpContext *context, const char *blueprint)
{
    const Stamp *stamp = NULL;
    bool is_new = false;
    Err err;
    if (!ensure(context, blueprint, false, &stamp, &is_new, &err)) {
        log_warn("blueprint.stamp",
                 "blueprint \"%s\" has no stamp, tenants are made by its migrations: %s", blueprint,
                 err.message);
    }
}

static bool run_stamp(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    const char *name = json_get_text(args, "name", "");
    const Stamp *stamp = NULL;
    bool is_new = false;
    if (!ensure(context, name, json_get_bool(args, "force", false), &stamp, &is_new, err)) {
        return false;
    }
    *ret_answer = json_object();
    json_put_text(*ret_answer, "name", name);
    json_put_int(*ret_answer, "version", stamp->version);
    json_put_text(*ret_answer, "kind", stamp->is_flat ? "flat" : "migrations");
    json_put_text(*ret_answer, "reason", stamp->reason);
    json_put_int(*ret_answer, "statements", stamp->statement_count);
    json_put_int(*ret_answer, "migration_statements", stamp->migration_statement_count);
    json_put_text(*ret_answer, "fingerprint", stamp->fingerprint);
    json_put_bool(*ret_answer, "is_new", is_new);
    json_put_int(*ret_answer, "took_ms", stamp->took_ms);
    return true;
}

const Operation op_blueprint_stamp = {
    .name = "blueprint.stamp",
    .summary = "Take the stamp that new tenants of a blueprint are made from.",
    .description =
        "Makes places by the migrations and from their flattened dump, compares them, and keeps "
        "the better way of the two for tenants of the schema tier. Does nothing when the stamp of "
        "this content, these extensions and this server is kept. Without pg_dump the migrations "
        "are kept; take it again with --force once it is installed.",
    .access = ACCESS_ADMIN,
    .kind = OP_COMMAND,
    .params = (const Param[]){{"name", PARAM_TEXT, .is_positional = true, .is_required = true,
                               .most = 100, .help = "The blueprint."},
                              {"force", PARAM_BOOL, .help = "Take a new one although one is kept."},
                              {0}},
    .result = (const Field[]){{"name", FIELD_TEXT, .help = "the blueprint"},
                              {"version", FIELD_INT, .help = "of the blueprint"},
                              {"kind", FIELD_TEXT, .help = "flat, or migrations"},
                              {"reason", FIELD_TEXT, .help = "why it is of this kind"},
                              {"statements", FIELD_INT, .help = "that make a tenant's objects"},
                              {"migration_statements", FIELD_INT,
                               .help = "that the migrations have"},
                              {"fingerprint", FIELD_TEXT,
                               .help = "SHA-256 over the structure of every new tenant"},
                              {"is_new", FIELD_BOOL, .help = "whether it was taken now"},
                              {"took_ms", FIELD_INT, .help = "milliseconds that taking it took"},
                              {0}},
    .examples = (const OpExample[]){{"blueprint stamp trading", "after adding a version"}, {0}},
    .run = run_stamp,
};
