/* Texts made from the tables: completion scripts, manual page, reference. Internal to cli. */
#ifndef TENANTRY_CLI_GENERATE_H
#define TENANTRY_CLI_GENERATE_H

#include <stdio.h>

#include "cli/catalog.h"

void complete_write_bash(FILE *out, const Catalog *catalog);
void complete_write_zsh(FILE *out, const Catalog *catalog);
void complete_write_fish(FILE *out, const Catalog *catalog);

/* roff with the man macros, section 1. */
void man_write(FILE *out, const Catalog *catalog);

/* Markdown. */
void docs_write_options(FILE *out);
void docs_write_operations(FILE *out, const Catalog *catalog);
void docs_write_errors(FILE *out);
void docs_write_isolation(FILE *out);

/* JSON: {"operations": [...]}, with parameters and the shape of each answer (null: it is no JSON).
 */
void docs_write_operations_json(FILE *out, const Catalog *catalog);

#endif
