/* Answers of operations, written for people or as JSON. Internal to cli. */
#ifndef TENANTRY_CLI_RENDER_H
#define TENANTRY_CLI_RENDER_H

#include <stdbool.h>
#include <stdio.h>

#include "core/json.h"
#include "ops/op.h"

/* The sentence of the operation, then its members: scalars as aligned lines, lists as tables. Wide
 * members when is_wide. Nothing in the answer can control the terminal. */
void render_answer(FILE *out, const Operation *op, const Json *answer, bool is_wide);

/* One JSON value and a newline; indented for people to look at, or compact. */
void render_json(FILE *out, const Json *json, bool is_indented);

/* One scalar as people see it: yes and no, "1.5 MiB", "2026-11-21 01:24:00Z", "-" for null. Safe
 * for the screen; in the arena. */
const char *render_scalar(Arena *arena, FieldType type, const Json *value);

/* A sentence with {member} and {member.member} replaced from the answer. In the arena. */
const char *render_sentence(Arena *arena, const char *sentence, const Json *answer);

#endif
