/* From the words that a person typed to a command, its parameters and the options. Checks form
 * only: values are checked by op_check_args and config_load. Internal to cli. */
#ifndef TENANTRY_CLI_PARSE_H
#define TENANTRY_CLI_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/catalog.h"
#include "core/err.h"
#include "core/json.h"

typedef struct CliCall {
    const CliCommand *command; /* NULL: none was named */
    const char *noun;          /* for help about a noun when command is NULL; or NULL */
    bool is_help;
    bool is_version;
    const ConfigFlag *flags;
    size_t flag_count;
    const CliFlag *const *given; /* parameters, in the order of the command line */
    const char *const *values;   /* their values */
    size_t given_count;
} CliCall;

/* argv[0] is skipped. ERR_USAGE says what cannot be understood and how to get help. What is found
 * is in the arena or borrowed from argv. Does not block. */
bool cli_parse(Arena *arena, const Catalog *catalog, int argc, const char *const *argv,
               CliCall *ret_call, Err *err);

/* The parameters as op_check_args takes them: an object of texts. A new reference. */
Json *cli_call_args(const CliCall *call);

/* "tenantry tenant create SLUG --blueprint TEXT [options]". */
const char *cli_usage(Arena *arena, const CliCommand *command);

#endif
