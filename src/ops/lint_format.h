/* Findings of the lint in the forms that other programs read. */
#ifndef TENANTRY_OPS_LINT_FORMAT_H
#define TENANTRY_OPS_LINT_FORMAT_H

#include "blueprint/blueprint.h"

/* SARIF 2.1.0: one run, with the rules that found something; what a comment silences is a
 * suppressed result. folder stands before the files. */
Json *lint_to_sarif(Arena *arena, const char *folder, const LintFinding *findings, size_t count);

/* One "::error file=...,line=...::" per finding that counts, which GitHub shows beside the lines of
 * a change.
 */
const char *lint_to_github(Arena *arena, const char *folder, const LintFinding *findings,
                           size_t count);

#endif
