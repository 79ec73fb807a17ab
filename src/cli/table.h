/* Columns of text, aligned. Internal to cli. */
#ifndef TENANTRY_CLI_TABLE_H
#define TENANTRY_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Writes rows of cells (row_count x column_count, one after the other; all safe for the screen)
 * with two spaces between columns and indent before each line. is_right says which columns stand
 * at the right; the last column is not padded. */
void table_write(FILE *out, const char *const *cells, size_t row_count, size_t column_count,
                 const bool *is_right, size_t indent);

#endif
