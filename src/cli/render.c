#include "cli/render.h"

#include "core/text.h"

#include <string.h>

#include "cli/screen.h"
#include "cli/table.h"

enum { INDENT = 2, WRITE_BYTES = 16384 };

typedef struct Render {
    FILE *out;
    Arena *arena;
    bool is_wide;
} Render;

static bool is_number(FieldType type)
{
    return type == FIELD_INT || type == FIELD_NUMBER || type == FIELD_BYTES;
}

/* Members that are one value on one line. */
static bool is_line(const Field *field)
{
    return field->type != FIELD_MAP && field->type != FIELD_OBJECT && field->type != FIELD_LIST &&
           field->type != FIELD_LINES;
}

static bool is_shown(const Render *render, const Field *field)
{
    return render->is_wide || !field->is_wide;
}

/* "created_at" as people read it: "created at", in capitals for the head of a column. */
static const char *title(const Render *render, const char *name, bool is_upper)
{
    char *text = arena_strdup(render->arena, name);
    for (char *c = text; *c != '\0'; c++) {
        if (*c == '_') {
            *c = ' ';
        } else if (is_upper) {
            *c = text_upper(*c);
        }
    }
    return text;
}

static size_t count_shown(const Render *render, const Field *fields)
{
    size_t count = 0;
    for (const Field *field = fields; field->name != NULL; field++) {
        count += is_shown(render, field) ? 1 : 0;
    }
    return count;
}

static bool has_long(const Field *fields)
{
    const Field *field = fields;
    while (field->name != NULL && !field->is_long) {
        field++;
    }
    return field->name != NULL;
}

/* Below the short members of a row. Only what is SQL has lines: those of another text, which may be
 * a tenant's, could look like ours. */
static void write_long(const Render *render, const Field *field, const Json *value, size_t indent)
{
    if (field->type != FIELD_SQL) {
        screen_pad(render->out, indent);
        fprintf(render->out, "%s\n", render_scalar(render->arena, field->type, value));
        return;
    }
    const char *text = json_string_value(value);
    while (*text != '\0') {
        const size_t length = strcspn(text, "\n");
        screen_pad(render->out, indent);
        fprintf(render->out, "%s\n",
                screen_safe(render->arena, arena_strndup(render->arena, text, length)));
        text += length + (text[length] == '\n' ? 1 : 0);
    }
}

/* Rows with something too long for a column: the short members on one line, each long one that is
 * there below. */
static void write_blocks(const Render *render, const Field *fields, const Json *list, size_t indent)
{
    for (size_t row = 0; row < json_array_size(list); row++) {
        const Json *object = json_array_get(list, row);
        screen_pad(render->out, indent);
        const char *gap = "";
        for (const Field *field = fields; field->name != NULL; field++) {
            if (is_shown(render, field) && !field->is_long) {
                fprintf(render->out, "%s%s", gap,
                        render_scalar(render->arena, field->type,
                                      json_object_get(object, field->name)));
                gap = "  ";
            }
        }
        putc('\n', render->out);
        for (const Field *field = fields; field->name != NULL; field++) {
            const Json *value = json_object_get(object, field->name);
            if (is_shown(render, field) && field->is_long && !json_is_null(value)) {
                write_long(render, field, value, indent + INDENT);
            }
        }
    }
}

static void write_list(const Render *render, const Field *fields, const Json *list, size_t indent)
{
    if (json_array_size(list) == 0) {
        screen_pad(render->out, indent);
        fputs("none\n", render->out);
        return;
    }
    if (has_long(fields)) {
        write_blocks(render, fields, list, indent);
        return;
    }
    const size_t columns = count_shown(render, fields);
    const size_t rows = json_array_size(list) + 1;
    const char **cells = (const char **)arena_alloc_array(render->arena, rows * columns,
                                                          sizeof *cells);
    bool *is_right = ARENA_ARRAY(render->arena, bool, columns);
    size_t column = 0;
    for (const Field *field = fields; field->name != NULL; field++) {
        if (!is_shown(render, field)) {
            continue;
        }
        is_right[column] = is_number(field->type);
        cells[column] = title(render, field->name, true);
        for (size_t row = 1; row < rows; row++) {
            const Json *value = json_object_get(json_array_get(list, row - 1), field->name);
            cells[row * columns + column] = render_scalar(render->arena, field->type, value);
        }
        column++;
    }
    table_write(render->out, cells, rows, columns, is_right, indent);
}

static void write_texts(const Render *render, const Json *list, size_t indent)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        screen_pad(render->out, indent);
        fprintf(render->out, "%s\n",
                render_scalar(render->arena, FIELD_TEXT, json_array_get(list, i)));
    }
}

static void write_map(const Render *render, const Json *map, size_t indent)
{
    const size_t count = json_object_size(map);
    if (count == 0) {
        screen_pad(render->out, indent);
        fputs("none\n", render->out);
        return;
    }
    const char **cells = ARENA_ARRAY(render->arena, const char *, count * 2);
    size_t row = 0;
    Json *object = (Json *)(uintptr_t)map; /* jansson iterates over mutable objects only */
    for (void *at = json_object_iter(object); at != NULL; at = json_object_iter_next(object, at)) {
        cells[row * 2] = screen_safe(render->arena, json_object_iter_key(at));
        cells[row * 2 + 1] = render_scalar(render->arena, FIELD_TEXT, json_object_iter_value(at));
        row++;
    }
    static const bool is_right[] = {false, false};
    table_write(render->out, cells, count, 2, is_right, indent);
}

/* The members that are one line each, as aligned names and values; how many there were. */
static size_t write_lines(const Render *render, const Field *fields, const Json *object,
                          size_t indent)
{
    const char **cells = ARENA_ARRAY(render->arena, const char *, 2 * count_shown(render, fields));
    size_t rows = 0;
    for (const Field *field = fields; field->name != NULL; field++) {
        if (is_line(field) && is_shown(render, field)) {
            const Json *value = json_object_get(object, field->name);
            cells[rows * 2] = title(render, field->name, false);
            cells[rows * 2 + 1] = render_scalar(render->arena, field->type, value);
            rows++;
        }
    }
    static const bool is_right[] = {false, false};
    table_write(render->out, cells, rows, 2, is_right, indent);
    return rows;
}

static void write_object(const Render *render, const Field *fields, const Json *object,
                         size_t indent)
{
    const bool is_alone = indent == 0 && count_shown(render, fields) == 1;
    bool has_text = write_lines(render, fields, object, indent) > 0;
    for (const Field *field = fields; field->name != NULL; field++) {
        const Json *value = json_object_get(object, field->name);
        const bool is_empty = json_array_size(value) == 0 && json_object_size(value) == 0;
        if (is_line(field) || !is_shown(render, field) || (field->is_rare && is_empty)) {
            continue;
        }
        size_t inner = indent;
        if (!is_alone) {
            fputs(has_text && indent == 0 ? "\n" : "", render->out);
            screen_pad(render->out, indent);
            fprintf(render->out, "%s\n", title(render, field->name, false));
            inner += INDENT;
        }
        has_text = true;
        if (value == NULL || json_is_null(value)) {
            screen_pad(render->out, inner);
            fputs("none\n", render->out);
        } else if (field->type == FIELD_LIST) {
            write_list(render, field->fields, value, inner);
        } else if (field->type == FIELD_LINES) {
            write_texts(render, value, inner);
        } else if (field->type == FIELD_MAP) {
            write_map(render, value, inner);
        } else {
            write_object(render, field->fields, value, inner);
        }
    }
}

void render_answer(FILE *out, const Operation *op, const Json *answer, bool is_wide)
{
    scoped_arena Arena *arena = arena_new();
    const Render render = {out, arena, is_wide};
    if (op->done != NULL) {
        fprintf(out, "%s\n", render_sentence(arena, op->done, answer));
    }
    if (op->result != NULL) {
        write_object(&render, op->result, answer, 0);
    }
}

/* jansson writes a few bytes at a time, and a stream's own buffer costs more than the bytes. */
typedef struct JsonWriter {
    FILE *out;
    size_t length;
    char bytes[WRITE_BYTES];
} JsonWriter;

static int flush_json(JsonWriter *writer)
{
    const size_t written = fwrite(writer->bytes, 1, writer->length, writer->out);
    const bool is_whole = written == writer->length;
    writer->length = 0;
    return is_whole ? 0 : -1;
}

static int write_json(const char *bytes, size_t length, void *data)
{
    JsonWriter *writer = data;
    if (length > sizeof writer->bytes - writer->length && flush_json(writer) != 0) {
        return -1;
    }
    if (length > sizeof writer->bytes) {
        return fwrite(bytes, 1, length, writer->out) == length ? 0 : -1;
    }
    memcpy(writer->bytes + writer->length, bytes, length);
    writer->length += length;
    return 0;
}

void render_json(FILE *out, const Json *json, bool is_indented)
{
    const size_t flags = is_indented ? JSON_INDENT(2) : JSON_COMPACT;
    JsonWriter writer;
    writer.out = out;
    writer.length = 0;
    /* A failed write shows in ferror, which the caller asks. */
    if (json_dump_callback(json, write_json, &writer, flags | JSON_ENCODE_ANY) == 0) {
        (void)flush_json(&writer);
    }
    putc('\n', out);
}
