/* dbmate: 20240101120000_name.sql with a block "-- migrate:up" and one "-- migrate:down". */
#include <string.h>

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
static BlockKind block_of_line(const char *line, const char **ret_options)
{
    static const struct {
        const char *word;
        BlockKind kind;
    } words[] = {{"migrate:up", BLOCK_UP}, {"migrate:down", BLOCK_DOWN}};
    if (strncmp(line, "--", 2) != 0) {
        return BLOCK_NONE;
    }
    line += 2 + strspn(line + 2, " \t");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const size_t width = strlen(words[i].word);
        if (strncmp(line, words[i].word, width) == 0 &&
            (line[width] == '\0' || strchr(" \t\r\n", line[width]) != NULL)) {
            *ret_options = line + width;
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

/* Whether the rest of the directive's line has the word transaction:false. */
static bool has_false_transaction(const char *options)
{
    static const char word[] = "transaction:false";
    const char *end = options + strcspn(options, "\n");
    for (const char *at = options; at < end; at += strcspn(at, " \t\r\n")) {
        at += strspn(at, " \t\r");
        const size_t width = strcspn(at, " \t\r\n");
        if (width == strlen(word) && strncmp(at, word, width) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_comment_or_empty(const char *line)
{
    line += strspn(line, " \t\r");
    return *line == '\n' || *line == '\0' || strncmp(line, "--", 2) == 0;
}

/* Where the two blocks of a file begin. */
typedef struct Blocks {
    const char *up;
    const char *down;
} Blocks;

static bool take_block(LayoutReader *reader, const char *file, int number, BlockKind kind,
                       const char *line, Blocks *blocks, Err *err)
{
    if (kind == BLOCK_UP && blocks->up != NULL) {
        return layout_fail_line(reader, file, number, err,
                                "a second \"-- migrate:up\"; a migration is one transaction here, "
                                "so each pair of blocks needs a file of its own");
    }
    if (kind == BLOCK_DOWN && blocks->up == NULL) {
        return layout_fail_line(reader, file, number, err,
                                "dbmate wants \"-- migrate:up\" before \"-- migrate:down\"");
    }
    if (kind == BLOCK_DOWN && blocks->down != NULL) {
        return layout_fail_line(reader, file, number, err,
                                "dbmate wants a \"-- migrate:up\" before each \"-- migrate:down\"");
    }
    if (kind == BLOCK_UP) {
        blocks->up = line;
    } else {
        blocks->down = line;
    }
    return true;
}

static bool find_blocks(LayoutReader *reader, const char *file, LayoutText *text, Blocks *ret,
                        Err *err)
{
    Blocks blocks = {0};
    int number = 1;
    for (const char *line = text->up; *line != '\0'; line = next_line(line), number++) {
        const char *options = NULL;
        const BlockKind kind = block_of_line(line, &options);
        if (kind == BLOCK_NONE) {
            if (blocks.up == NULL && !is_comment_or_empty(line)) {
                return layout_fail_line(reader, file, number, err,
                                        "dbmate takes no statements before \"-- migrate:up\"");
            }
            continue;
        }
        if (!take_block(reader, file, number, kind, line, &blocks, err)) {
            return false;
        }
        if (has_false_transaction(options)) {
            text->is_without_transaction = true;
            text->told_in = file;
            text->told_line = number;
        }
    }
    *ret = blocks;
    return true;
}

/* Each text keeps the lines of the file: what is before the down block is empty lines in it. */
bool layout_text_dbmate(LayoutReader *reader, const LayoutMigration *migration, LayoutText *text,
                        Err *err)
{
    Blocks blocks = {0};
    const char *whole = text->up;
    if (!find_blocks(reader, migration->up, text, &blocks, err)) {
        return false;
    }
    if (blocks.up == NULL || blocks.down == NULL) {
        return layout_fail(reader, migration->up, err, "dbmate wants a block \"-- migrate:%s\"",
                           blocks.up == NULL ? "up" : "down");
    }
    const size_t up_length = (size_t)(blocks.down - whole);
    char *down = arena_strdup(reader->arena, whole);
    for (size_t i = 0; i < up_length; i++) {
        down[i] = down[i] == '\n' ? '\n' : ' ';
    }
    text->up = arena_strndup(reader->arena, whole, up_length);
    text->down = down;
    return true;
}
