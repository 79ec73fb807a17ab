/* JSON that C must read or make: jansson, with the few helpers that this project repeats. Only this
 * header includes jansson. JSON that leaves the database is made in the database.
 *
 * Ownership is jansson's: json_object_set_new and the helpers named json_put_* take over what they
 * store; json_object_get lends. A Json* that a function returns through ret_ is the caller's, to be
 * json_decref'ed. */
#ifndef TENANTRY_CORE_JSON_H
#define TENANTRY_CORE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/err.h"

typedef json_t Json;

/* The greatest integer of which every reader of JSON, jq among them, has all digits: 2^53 - 1. */
#define JSON_EXACT_INT 9007199254740991

static inline void json_release_scoped(Json **json)
{
    json_decref(*json);
    *json = NULL;
}

/* scoped_json Json *object = json_object(); is released at the end of its block. */
#define scoped_json __attribute__((cleanup(json_release_scoped)))

/* Parses a text that must be one JSON value (RFC 8259), duplicates of a key refused; what says
 * where it came from in the error (ERR_INPUT_INVALID). */
bool json_parse(const char *text, const char *what, Json **ret_json, Err *err);

/* Compact, keys in the order of insertion. In the arena. */
const char *json_to_text(Arena *arena, const Json *json);

/* Keys sorted, compact: equal values give equal bytes. In the arena. Checksums that are kept are of
 * these bytes: they never change. */
const char *json_to_canonical(Arena *arena, const Json *json);

/* The same as other programs write it (RFC 8785, jq, Python): control characters with hex digits in
 * lower case. In the arena. */
const char *json_to_portable(Arena *arena, const Json *json);

/* Keys sorted, indented by two, for files that people read. In the arena. */
const char *json_to_indented(Arena *arena, const Json *json);

/* Store a value under key; NULL text stores null. */
void json_put_text(Json *object, const char *key, const char *text);
void json_put_int(Json *object, const char *key, int64_t value);
void json_put_bool(Json *object, const char *key, bool value);
void json_put(Json *object, const char *key, Json *value);

/* The text under key, borrowed; fallback when it is missing or no string. */
const char *json_get_text(const Json *object, const char *key, const char *fallback);
int64_t json_get_int(const Json *object, const char *key, int64_t fallback);
bool json_get_bool(const Json *object, const char *key, bool fallback);

#endif
