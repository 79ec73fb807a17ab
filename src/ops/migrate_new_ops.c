#include "blueprint/migration_new.h"
#include "ops/context.h"

enum { NAME_CHARS = 63 };

static bool run_new(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    MigrationNew made;
    const char *path = json_get_text(args, "path", "");
    if (!migration_new(context->arena, path, json_get_text(args, "name", ""), &made, err)) {
        return false;
    }
    *ret_answer = json_object();
    json_put_int(*ret_answer, "version", made.version);
    json_put_text(*ret_answer, "up", made.up);
    json_put_text(*ret_answer, "down", made.down);
    return true;
}

const Operation op_migrate_new = {
    .name = "migrate.new",
    .summary = "Make the files of a blueprint's next migration, up and down.",
    .description = "They hold a comment and no statement yet. A file that is there is never "
                   "written to. Needs no database.",
    .access = ACCESS_PUBLIC,
    .kind = OP_COMMAND,
    .params = (const Param[]){{"path", PARAM_PATH, .is_positional = true, .is_required = true,
                               .help = "The folder with blueprint.yaml."},
                              {"name", PARAM_TEXT, .is_positional = true, .is_required = true,
                               .most = NAME_CHARS,
                               .help = "What it does, of a-z, 0-9 and _, such as add_invoices."},
                              {0}},
    .result = (const Field[]){{"version", FIELD_INT, .help = "its version"},
                              {"up", FIELD_TEXT, .help = "the file to write it in"},
                              {"down", FIELD_TEXT, .help = "the file for its reverse"},
                              {0}},
    .examples = (const OpExample[]){{"migrate new ./packs/crm add_invoices",
                                     "then: write it, migrate lint, blueprint add"},
                                    {0}},
    .done = "version {version} begins in {up}",
    .run = run_new,
};
