/* What an operation tells while it runs: a bar on a terminal, lines elsewhere. Internal to cli. */
#ifndef TENANTRY_CLI_PROGRESS_H
#define TENANTRY_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdio.h>

#include "ops/op.h"

/* Takes away what is on the line of a terminal. */
#define PROGRESS_ERASE_LINE "\r\033[K"

typedef struct Progress {
    FILE *out;        /* standard error */
    FILE *in;         /* where a person types; NULL: there is nobody to ask */
    bool is_silent;   /* --quiet, --json */
    bool has_bar;     /* out is a terminal that can redraw a line */
    size_t columns;   /* width of the terminal */
    char title[80];   /* the step that was told last */
    bool is_bar_open; /* a bar stands on the current line */
} Progress;

/* The callbacks for an operation; progress must outlive them. */
OpProgress progress_callbacks(Progress *progress);

/* Takes the bar away, so that the answer begins on an empty line. */
void progress_done(Progress *progress);

#endif
