/* Help for people. Internal to cli. */
#ifndef TENANTRY_CLI_HELP_H
#define TENANTRY_CLI_HELP_H

#include <stdio.h>

#include "cli/catalog.h"

/* What there is: every command with its sentence, grouped by noun. */
void help_write_overview(FILE *out, const Catalog *catalog);

/* The commands of one noun. */
void help_write_noun(FILE *out, const Catalog *catalog, const char *noun);

/* All about one command. */
void help_write_command(FILE *out, const CliCommand *command);

/* "-c, --config PATH"; in the arena. */
const char *help_flag_title(Arena *arena, const CliFlag *flag);

/* The sentence of a flag with its default; in the arena. */
const char *help_flag_text(Arena *arena, const CliFlag *flag);

#endif
