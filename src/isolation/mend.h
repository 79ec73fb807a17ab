/* Statements that mend findings: which of them Tenantry runs itself.
 *
 * A rule makes its statements from the catalogue with quoted names. That they take something away
 * or put an attribute right, and lose nobody's data or code, is decided here by the parser before
 * they run: a mistake in a rule cannot run anything else. What drops tables, views or routines is
 * right to show and left to a person. Nothing blocks. */
#ifndef TENANTRY_ISOLATION_MEND_H
#define TENANTRY_ISOLATION_MEND_H

#include <stdbool.h>
#include <stddef.h>

#include "core/arena.h"
#include "core/err.h"

typedef struct Mend {
    bool may_run;                  /* false: for a person to run */
    const char *const *statements; /* one by one */
    size_t count;
    const char *names; /* JSON list of every text in them, names of schemas and roles among them */
} Mend;

/* Reads what a rule gave, in the arena. What does not parse is for a person, and does not keep
 * other findings from being mended; ERR_INTERNAL when it is empty. */
bool mend_read(Arena *arena, const char *text, Mend *ret_mend, Err *err);

#endif
