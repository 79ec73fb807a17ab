#include "isolation/rule_sql.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "core/array.h"
#include "core/embedded_file.h"
#include "core/strbuf.h"

/* When a rule is asked. */
typedef enum Scope {
    SCOPE_BIRTH, /* always, also by isolation_require */
    SCOPE_CHECK, /* by isolation_check_rules */
    SCOPE_SUPER, /* the same, when the role may read what others may not */
} Scope;

typedef struct Rule {
    const char *id;
    Scope scope;
    const char *sieve; /* a piece of the snapshot: where it is empty, so is the rule; or NULL */
} Rule;

#define RULE(id, severity, tiers, scope, sieve, title, why) {id, scope, sieve},
static const Rule rules[] = {
#include "isolation/rules.def"
};
#undef RULE

enum { RULES = ARRAY_COUNT(rules) };

/* In the order of their needs. `by_reach`: a file for one tenant and another for the fleet.
 * `at_birth`: yet another for the birth of a tenant, which is refused for what is its own, not for
 * what its neighbours are or what everybody may do. */
typedef struct Piece {
    const char *name;
    bool by_reach;
    bool at_birth;
} Piece;

static const Piece pieces[] = {
    {"iso_target", true, false},   {"iso_place", false, false},     {"iso_own", false, false},
    {"iso_wide", true, true},      {"iso_reach", false, false},     {"iso_kept", false, true},
    {"iso_in", false, false},      {"iso_relation", false, false},  {"iso_function", false, false},
    {"iso_type", false, false},    {"iso_object", false, false},    {"iso_acl", false, false},
    {"iso_outside", true, false},  {"iso_part", true, false},       {"iso_edge", true, false},
    {"iso_far", true, false},      {"iso_passed", false, false},    {"iso_holder", false, false},
    {"iso_role", false, false},    {"iso_reference", false, false}, {"iso_between", true, false},
    {"iso_space", false, false},   {"iso_grant", false, false},     {"iso_excess", false, false},
    {"iso_member", false, false},  {"iso_misowned", false, false},  {"iso_definer", false, false},
    {"iso_body", false, false},    {"iso_power", false, false},     {"iso_setting", false, false},
    {"iso_shared", false, false},  {"iso_code", false, false},      {"iso_map", true, false},
    {"iso_astray", false, false},  {"iso_foreign", false, false},   {"iso_link", false, false},
    {"iso_right", false, false},   {"iso_row", false, false},       {"iso_kin", false, false},
    {"iso_event", false, false},   {"iso_extension", false, false}, {"iso_word", false, false},
    {"iso_common", false, false},  {"iso_reached", false, false},   {"iso_bearer", false, true},
    {"iso_large", false, false},   {"iso_loose", false, false},     {"iso_buried", true, false},
    {"iso_free", false, false},    {"iso_lent", false, false},      {"iso_stray", false, false},
    {"iso_thing", false, false},   {"iso_maker", false, false},     {"iso_path", false, false},
    {"iso_planted", false, false}, {"iso_given", false, false},     {"iso_view", false, false},
    {"iso_opened", false, false},  {"iso_met", false, false},
};

enum { PIECES = ARRAY_COUNT(pieces) };
_Static_assert((size_t)PIECES <= RULE_SQL_PIECES, "a plan has room for every piece");

static bool find_sql(Arena *arena, const char *folder, const char *name, const char *suffix,
                     const char **ret_sql, Err *err)
{
    const char *path = arena_printf(arena, "src/isolation/%s/%s%s.sql", folder, name, suffix);
    const EmbeddedFile *file = embedded_file_find(path);
    if (file == NULL) {
        return ERR_SET(err, ERR_INTERNAL, NULL, "\"%s\" is not in the binary", path);
    }
    *ret_sql = file->text;
    return true;
}

static const char *reach_suffix(bool is_fleet)
{
    return is_fleet ? "_fleet" : "_tenant";
}

static bool find_piece(Arena *arena, const Piece *piece, bool is_fleet, bool is_birth,
                       const char **ret_sql, Err *err)
{
    const char *reach = piece->by_reach ? reach_suffix(is_fleet) : "";
    const char *suffix = is_birth && piece->at_birth ? "_birth" : reach;
    return find_sql(arena, "snapshot", piece->name, suffix, ret_sql, err);
}

static size_t find_piece_number(const char *name)
{
    size_t i = 0;
    while (strcmp(pieces[i].name, name) != 0) {
        if (++i == PIECES) {
            abort(); /* a sieve of the table that is no piece: every check would meet it */
        }
    }
    return i;
}

/* --- which rules ------------------------------------------------------------------------------ */

size_t rule_sql_count(void)
{
    return RULES;
}

const char *rule_sql_id(size_t rule)
{
    return rules[rule].id;
}

bool rule_sql_is_asked(const RulePlan *plan, size_t rule)
{
    const Scope scope = rules[rule].scope;
    if (plan->is_birth) {
        return scope == SCOPE_BIRTH;
    }
    return scope != SCOPE_SUPER || plan->is_super;
}

void rule_sql_note_sieve(RulePlan *plan, const char *name)
{
    plan->has_rows[find_piece_number(name)] = true;
}

/* The sieve that decides whether the rule is asked; NULL: it is asked at once. */
static const char *find_sieve(const RulePlan *plan, size_t rule)
{
    const char *sieve = rules[rule].sieve;
    return sieve != NULL && plan->is_row && strcmp(sieve, "iso_row") == 0 ? NULL : sieve;
}

/* Whether the rule is part of this statement: the first has those without a sieve, the second those
 * whose sieve let something through. */
static bool is_in_statement(const RulePlan *plan, size_t rule, bool is_first)
{
    const char *sieve = find_sieve(plan, rule);
    if (!rule_sql_is_asked(plan, rule)) {
        return false;
    }
    return sieve == NULL ? is_first : !is_first && plan->has_rows[find_piece_number(sieve)];
}

/* --- parts ------------------------------------------------------------------------------------ */

/* Ends each branch of the one statement. PostgreSQL pulls a branch without a condition up into the
 * whole, finds out when it is done that the branch has too many relations for that, and begins anew
 * with it; a branch with a condition it leaves alone from the start. A tenth of the planning. */
#define ALONE " WHERE true"

bool rule_sql_rule(Arena *arena, size_t rule, const char **ret_sql, Err *err)
{
    const char *body = NULL;
    if (!find_sql(arena, "rules", rules[rule].id, "", &body, err)) {
        return false;
    }
    /* The id is a word of our own table. */
    *ret_sql = arena_printf(arena,
                            "SELECT '%s', r.tenant_id::text, r.other_id::text, r.object::text,"
                            " r.evidence::text, r.mend::text FROM (%s) r" ALONE,
                            rules[rule].id, body);
    return true;
}

bool rule_sql_digest(Arena *arena, const char **ret_sql, Err *err)
{
    const char *body = NULL;
    if (!find_sql(arena, "snapshot", "digest", "", &body, err)) {
        return false;
    }
    *ret_sql = arena_printf(arena,
                            "SELECT '" RULE_SQL_DIGEST
                            "', NULL, NULL, r.digest, r.tenants::text, r.spares::text"
                            " FROM (%s) r (digest, tenants, spares)" ALONE,
                            body);
    return true;
}

bool rule_sql_question(Arena *arena, const char *name, const char **ret_sql, Err *err)
{
    return find_sql(arena, "snapshot", name, "", ret_sql, err);
}

bool rule_sql_table(Arena *arena, size_t piece, const char **ret_create, const char **ret_analyze,
                    Err *err)
{
    const char *part = NULL;
    *ret_create = NULL;
    if (piece >= PIECES) {
        return true;
    }
    if (!find_piece(arena, &pieces[piece], true, false, &part, err)) {
        return false;
    }
    /* Names of pieces are words of our own table. */
    *ret_create = arena_printf(arena, "CREATE TEMPORARY TABLE %s ON COMMIT DROP AS %s",
                               pieces[piece].name, part);
    *ret_analyze = arena_printf(arena, "ANALYZE pg_temp.%s", pieces[piece].name);
    return true;
}

/* --- one statement ---------------------------------------------------------------------------- */

static bool is_word_byte(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static bool has_word(const char *text, const char *word)
{
    const size_t length = strlen(word);
    for (const char *at = text; (at = strstr(at, word)) != NULL; at += length) {
        if ((at == text || !is_word_byte(at[-1])) && !is_word_byte(at[length])) {
            return true;
        }
    }
    return false;
}

/* The pieces that the rest of the statement names, and those that they name: PostgreSQL plans every
 * part of a WITH that anything refers to. A piece refers to earlier ones only. The first, which has
 * the parameter, is there in any case: the statement is sent with one. */
static bool add_pieces(Arena *arena, bool is_fleet, bool is_birth, const char *body, StrBuf *sql,
                       Err *err)
{
    const char *parts[PIECES] = {NULL};
    const char *separator = "WITH";
    for (size_t i = PIECES; i-- > 0;) {
        bool is_needed = i == 0 || has_word(body, pieces[i].name);
        for (size_t j = i + 1; j < PIECES && !is_needed; j++) {
            is_needed = parts[j] != NULL && has_word(parts[j], pieces[i].name);
        }
        if (is_needed && !find_piece(arena, &pieces[i], is_fleet, is_birth, &parts[i], err)) {
            return false;
        }
    }
    for (size_t i = 0; i < PIECES; i++) {
        if (parts[i] != NULL) {
            strbuf_printf(sql, "%s %s AS MATERIALIZED (%s)", separator, pieces[i].name, parts[i]);
            separator = ",";
        }
    }
    return true;
}

/* The sieves that have rows. */
static void add_sieves(const RulePlan *plan, StrBuf *body)
{
    bool is_sieve[PIECES] = {false};
    for (size_t i = 0; i < RULES; i++) {
        const char *sieve = find_sieve(plan, i);
        if (sieve != NULL && rule_sql_is_asked(plan, i)) {
            is_sieve[find_piece_number(sieve)] = true;
        }
    }
    for (size_t i = 0; i < PIECES; i++) {
        if (is_sieve[i]) {
            strbuf_printf(body,
                          " UNION ALL SELECT '" RULE_SQL_SIEVE "', NULL, NULL, '%s', NULL, NULL"
                          " WHERE EXISTS (SELECT FROM %s)",
                          pieces[i].name, pieces[i].name);
        }
    }
}

bool rule_sql_statement(Arena *arena, const RulePlan *plan, bool is_fleet, bool is_first,
                        const char **ret_sql, Err *err)
{
    StrBuf body = strbuf_init(arena);
    StrBuf sql = strbuf_init(arena);
    const char *part = NULL;
    const char *separator = "";
    for (size_t i = 0; i < RULES; i++) {
        if (is_in_statement(plan, i, is_first)) {
            if (!rule_sql_rule(arena, i, &part, err)) {
                return false;
            }
            strbuf_printf(&body, "%s %s", separator, part);
            separator = " UNION ALL";
        }
    }
    if (is_first && !plan->is_birth) {
        if (!rule_sql_digest(arena, &part, err)) {
            return false;
        }
        strbuf_printf(&body, "%s %s", separator, part);
    }
    if (is_first) {
        add_sieves(plan, &body);
    }
    if (body.length == 0) {
        *ret_sql = NULL;
        return true;
    }
    if (!add_pieces(arena, is_fleet, plan->is_birth, body.text, &sql, err)) {
        return false;
    }
    strbuf_printf(&sql, " %s", body.text);
    *ret_sql = sql.text;
    return true;
}
