/* What of a blueprint's scripts would come out differently at another time: partitions for today's
 * date that a DO block makes, a seed whose trial ends in 14 days.
 *
 * Only code that runs with the script counts. A column's default, a view, a policy and the body of
 * a function that no script calls are kept as they were written and run when they are used. What
 * cannot be told apart counts too (a text that has the word "now" in a DO block), so the answer
 * errs on one side only. */
#ifndef TENANTRY_BLUEPRINT_MOMENT_H
#define TENANTRY_BLUEPRINT_MOMENT_H

#include "blueprint/blueprint.h"
#include "blueprint/registry.h"

typedef enum MomentQuestion {
    MOMENT_OF_STAMP, /* of the migrations: the time, and chance */
    MOMENT_OF_SPARE, /* of the migrations and the seed: the time */
} MomentQuestion;

/* The first that is found, as "FILE:LINE: "current_date"", or NULL. ERR_BLUEPRINT_INVALID for a
 * script that is no SQL. Any thread; does not block. */
bool moment_find(Arena *arena, const Blueprint *blueprint, const Extensions *extensions,
                 MomentQuestion question, const char **ret_found, Err *err);

#endif
