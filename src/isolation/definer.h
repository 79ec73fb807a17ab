/* What a SECURITY DEFINER function touches, by the parse trees of its body: a string or BEGIN
 * ATOMIC of SQL, the statements and expressions of PL/pgSQL; and what a rule does. Internal to the
 * module. Any thread; does not block. */
#ifndef TENANTRY_ISOLATION_DEFINER_H
#define TENANTRY_ISOLATION_DEFINER_H

#include <stdbool.h>

#include "core/arena.h"
#include "core/err.h"

typedef struct DefinerVerdict {
    const char *outside; /* "it uses tenant_ab12.orders, ...": what is in another schema; or NULL */
    const char *other_id; /* the tenant whose schema the first of these is in, or NULL */
    const char *unknown;  /* why it cannot be told what it touches, or NULL */
    const char *unheld;   /* of code of a shared place: what it does with its owner's rights that
                             row-level security does not hold, or NULL */
} DefinerVerdict;

/* body: the JSON of snapshot/iso_body.sql or rules/shared_code.sql. What a name without a schema
 * means is decided by the function's own search_path, which is looked at too. */
bool definer_judge(Arena *arena, const char *body, DefinerVerdict *ret_verdict, Err *err);

#endif
