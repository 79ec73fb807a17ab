/* Indexes by name, for constraints that take one. */
#include <string.h>

#include "blueprint/lint_made.h"

const LintIndex *lint_find_index(const Lint *lint, const char *name)
{
    const LintIndex *index = lint->indexes;
    while (index != NULL && strcmp(index->name, name) != 0) {
        index = index->next;
    }
    return index;
}

/* Of an expression the name is "", which no column has. */
void lint_note_index(Lint *lint, const Json *tree)
{
    const Json *elements = json_object_get(tree, "indexParams");
    const size_t count = json_array_size(elements);
    LintIndex *index = ARENA_NEW(lint->arena, LintIndex);
    *index = (LintIndex){
        .next = lint->indexes,
        .name = arena_strdup(lint->arena, json_get_text(tree, "idxname", "")),
        .columns = ARENA_ARRAY(lint->arena, const char *, count),
        .count = count,
    };
    for (size_t i = 0; i < count; i++) {
        const Json *element = json_object_get(json_array_get(elements, i), "IndexElem");
        index->columns[i] = arena_strdup(lint->arena, json_get_text(element, "name", ""));
    }
    lint->indexes = index;
}

void lint_rename_index(Lint *lint, const char *from, const char *to)
{
    for (LintIndex *index = lint->indexes; index != NULL; index = index->next) {
        if (strcmp(index->name, from) == 0) {
            index->name = arena_strdup(lint->arena, to);
            return;
        }
    }
}
