/* dbmate: 20240101120000_name.sql with a block "-- migrate:up" and one "-- migrate:down". */
#include <string.h>

#include "core/array.h"

#include "blueprint/layout.h"

typedef enum BlockKind { BLOCK_NONE, BLOCK_UP, BLOCK_DOWN } BlockKind;

bool layout_list_dbmate(LayoutReader *reader, Err *err)
{
    for (size_t i = 0; i < reader->file_count; i++) {
        const char *file = reader->files[i];
        const size_t length = strlen(file);
        if (strchr(file, '/') != NULL || length < 4 || strcmp(file + length - 4, ".sql") != 0) {
            continue;
        }
        const size_t digits = strspn(file, "0123456789");
        if (digits == 0) {
            return layout_fail_name(reader, file, err);
        }
        layout_add(reader,
                   &(LayoutMigration){.order = file,
                                      .version = arena_strndup(reader->arena, file, digits),
                                      .name = arena_strndup(reader->arena, file, length - 4),
                                      .up = file,
                                      .down = file});
    }
    return true;
}

/* Which block the line opens: "--", spaces, "migrate:up", then a space or the end. */
static BlockKind block_of_line(const char *line)
{
    static const struct {
        const char *word;
        BlockKind kind;
    } words[] = {{"migrate:up", BLOCK_UP}, {"migrate:down", BLOCK_DOWN}};
    if (strncmp(line, "--", 2) != 0) {
        return BLOCK_NONE;
    }
    line += 2 + strspn(line + 2, " \t");
    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        const size_t width = strlen(words[i].word);
        if (strncmp(line, words[i].word, width) == 0 &&
            (line[width] == '\0' || strchr(" \t\r\n", line[width]) != NULL)) {
            return words[i].kind;
        }
    }
    return BLOCK_NONE;
}

static const char *next_line(const char *line)
{
    line += strcspn(line, "\n");
    return line + (*line == '\n' ? 1 : 0);
}

static bool is_comment_or_empty(const char *line)
{
    line += strspn(line, " \t\r");
    return *line == '\n' || *line == '\0' || strncmp(line, "--", 2) == 0;
}

/* The blocks of a file while its lines are read. */
typedef struct Blocks {
    BlockKind kind; /* of the one that is open */
    const char *start;
    size_t up_count;
    char *up;         /* the file, with spaces in place of what is no up block */
    const char *down; /* the down blocks, the last one first; NULL: none */
} Blocks;

static void blank(char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        text[i] = text[i] == '\n' ? '\n' : ' ';
    }
}

/* Each down block keeps the lines of the file when it is the only one: those before it are empty.
 * Of several the last is run first. */
static void close_block(Arena *arena, const char *whole, const char *end, Blocks *blocks)
{
    if (blocks->kind != BLOCK_DOWN) {
        return;
    }
    const size_t offset = (size_t)(blocks->start - whole);
    char *down = arena_strndup(arena, whole, (size_t)(end - whole));
    blank(down, offset);
    blocks->down = blocks->down == NULL
                       ? down
                       : arena_printf(arena, "%s\n%s", down + offset, blocks->down);
    blank(blocks->up + offset, (size_t)(end - blocks->start));
}

static bool open_block(LayoutReader *reader, const char *file, int number, BlockKind kind,
                       const char *line, Blocks *blocks, Err *err)
{
    if (kind == BLOCK_DOWN && blocks->kind == BLOCK_NONE) {
        return layout_fail_line(reader, file, number, err,
                                "dbmate wants \"-- migrate:up\" before \"-- migrate:down\"");
    }
    if (kind == BLOCK_DOWN && blocks->kind == BLOCK_DOWN) {
        return layout_fail_line(reader, file, number, err,
                                "dbmate wants a \"-- migrate:up\" before each \"-- migrate:down\"");
    }
    if (kind == BLOCK_UP && blocks->kind == BLOCK_UP) {
        return layout_fail_line(reader, file, number, err,
                                "dbmate wants a \"-- migrate:down\" behind each \"-- migrate:up\"");
    }
    blocks->kind = kind;
    blocks->start = line;
    blocks->up_count += kind == BLOCK_UP ? 1 : 0;
    return true;
}

static bool find_blocks(LayoutReader *reader, const char *file, LayoutText *text, Blocks *blocks,
                        Err *err)
{
    int number = 1;
    const char *line = text->up;
    for (; *line != '\0'; line = next_line(line), number++) {
        const BlockKind kind = block_of_line(line);
        if (kind == BLOCK_NONE) {
            if (blocks->up_count == 0 && !is_comment_or_empty(line)) {
                return layout_fail_line(reader, file, number, err,
                                        "dbmate takes no statements before \"-- migrate:up\"");
            }
            continue;
        }
        close_block(reader->arena, text->up, line, blocks);
        if (!open_block(reader, file, number, kind, line, blocks, err)) {
            return false;
        }
    }
    close_block(reader->arena, text->up, line, blocks);
    return true;
}

/* All up blocks of a file are one text: they are one migration, and one transaction here. */
bool layout_text_dbmate(LayoutReader *reader, const LayoutMigration *migration, LayoutText *text,
                        Err *err)
{
    Blocks blocks = {.up = arena_strdup(reader->arena, text->up)};
    if (!find_blocks(reader, migration->up, text, &blocks, err)) {
        return false;
    }
    if (blocks.kind != BLOCK_DOWN) {
        return layout_fail(reader, migration->up, err, "dbmate wants a block \"-- migrate:%s\"",
                           blocks.kind == BLOCK_NONE ? "up" : "down");
    }
    /* What follows the last statement depends on the down block's size, and the SHA-256 must not.
     */
    size_t length = strlen(blocks.up);
    while (length > 0 && strchr(" \t\r\n", blocks.up[length - 1]) != NULL) {
        length--;
    }
    text->up = arena_strndup(reader->arena, blocks.up, length);
    text->down = blocks.down;
    return true;
}
