#include "cli/table.h"

#include "cli/screen.h"

enum { COLUMN_GAP = 2 };

static size_t column_width(const char *const *cells, size_t row_count, size_t column_count,
                           size_t column)
{
    size_t widest = 0;
    for (size_t row = 0; row < row_count; row++) {
        const size_t width = screen_width(cells[row * column_count + column]);
        widest = width > widest ? width : widest;
    }
    return widest;
}

static void write_cell(FILE *out, const char *cell, size_t width, bool is_right, bool is_last)
{
    const size_t own = screen_width(cell);
    if (is_right) {
        screen_pad(out, width - own);
    }
    fputs(cell, out);
    if (!is_right && !is_last) {
        screen_pad(out, width - own);
    }
}

void table_write(FILE *out, const char *const *cells, size_t row_count, size_t column_count,
                 const bool *is_right, size_t indent)
{
    scoped_arena Arena *arena = arena_new();
    size_t *widths = ARENA_ARRAY(arena, size_t, column_count);
    for (size_t column = 0; column < column_count; column++) {
        widths[column] = column_width(cells, row_count, column_count, column);
    }
    for (size_t row = 0; row < row_count; row++) {
        screen_pad(out, indent);
        for (size_t column = 0; column < column_count; column++) {
            screen_pad(out, column == 0 ? 0 : COLUMN_GAP);
            write_cell(out, cells[row * column_count + column], widths[column], is_right[column],
                       column + 1 == column_count);
        }
        putc('\n', out);
    }
}
