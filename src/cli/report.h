/* Errors and notes on standard error. Internal to cli. */
#ifndef TENANTRY_CLI_REPORT_H
#define TENANTRY_CLI_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "core/err.h"

typedef struct ReportStyle {
    bool is_json;    /* {"error":{"code","message","hint","sqlstate"}} on one line */
    bool has_colour; /* for people */
} ReportStyle;

/* Whether to colour what goes to out: color is the value of the option ("auto", "always", "never");
 * auto asks for a terminal that is not "dumb" and honours NO_COLOR (no-color.org). */
bool report_has_colour(FILE *out, const char *color, const char *(*environ_get)(const char *name));

/* Writes the error and gives the exit status of its row. */
int report_error(FILE *out, const ReportStyle *style, const Err *err);

#endif
