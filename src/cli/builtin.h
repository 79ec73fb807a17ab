/* Commands that belong to the command line itself, as rows of the same form as operations. Internal
 * to cli. */
#ifndef TENANTRY_CLI_BUILTIN_H
#define TENANTRY_CLI_BUILTIN_H

#include <stdbool.h>
#include <stdio.h>

#include "cli/catalog.h"

/* The rows. Those without `run` are printed by builtin_print. */
const Operation *builtin_table(size_t *ret_count);

/* Prints a built-in command's text. args are checked. ERR_USAGE when it asks for help about
 * something that is not there. */
bool builtin_print(FILE *out, const Catalog *catalog, const Operation *op, const Json *args,
                   bool is_json, Err *err);

#endif
