#include "blueprint/sql_edit.h"

#include <stdlib.h>
#include <string.h>

#include "core/strbuf.h"
#include "pg/sql_lex.h"

enum { EDITS_START = 16 };

void sql_edit_add(SqlEdits *edits, size_t offset, size_t length, const char *text)
{
    if (edits->count == edits->capacity) {
        edits->capacity = edits->capacity == 0 ? EDITS_START : edits->capacity * 2;
        SqlEdit *grown = ARENA_ARRAY(edits->arena, SqlEdit, edits->capacity);
        for (size_t i = 0; i < edits->count; i++) {
            grown[i] = edits->items[i];
        }
        edits->items = grown;
    }
    edits->items[edits->count++] = (SqlEdit){.offset = offset, .length = length, .text = text};
}

void sql_edit_leave_out(SqlEdits *edits, const SqlStatement *statement)
{
    const size_t length = strlen(statement->text);
    const char *behind = edits->text + statement->offset + length;
    const size_t space = sql_lex_space(behind);
    sql_edit_add(edits, statement->offset, length, "");
    if (behind[space] == ';') {
        sql_edit_add(edits, statement->offset + length + space, 1, "");
    }
}

static int compare_edits(const void *a, const void *b)
{
    const SqlEdit *left = a;
    const SqlEdit *right = b;
    return (left->offset > right->offset) - (left->offset < right->offset);
}

/* What stands in the place of a part: the new text, then the line ends of the old one. */
static void add_part(StrBuf *text, const char *old, const SqlEdit *edit)
{
    strbuf_add(text, edit->text);
    for (size_t i = 0; i < edit->length; i++) {
        if (old[i] == '\n' || *edit->text == '\0') {
            strbuf_add_char(text, old[i] == '\n' ? '\n' : ' ');
        }
    }
}

const char *sql_edit_apply(SqlEdits *edits)
{
    if (edits->count == 0) {
        return edits->text;
    }
    qsort(edits->items, edits->count, sizeof *edits->items, compare_edits);
    StrBuf text = strbuf_init(edits->arena);
    size_t at = 0;
    for (size_t i = 0; i < edits->count; i++) {
        const SqlEdit *edit = &edits->items[i];
        strbuf_add_bytes(&text, edits->text + at, edit->offset - at);
        add_part(&text, edits->text + edit->offset, edit);
        at = edit->offset + edit->length;
    }
    strbuf_add(&text, edits->text + at);
    return text.text;
}
