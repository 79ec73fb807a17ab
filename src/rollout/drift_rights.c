/* Rights, owners and roles: the statements that would give back or take away what differs. */
#include <string.h>

#include "core/array.h"
#include "core/strbuf.h"
#include "core/text.h"
#include "pg/sql.h"
#include "rollout/drift_mend.h"

enum { MOST_ENTRIES = 200 };

const char *mend_object_of(const Mending *mending, const char *name, bool is_grant)
{
    static const struct {
        const char *kind; /* longer ones first */
        const char *sql;  /* in ALTER ... OWNER */
        const char *grant;
    } kinds[] = {
        {"materialized view ", "MATERIALIZED VIEW", "TABLE"},
        {"foreign table ", "FOREIGN TABLE", "TABLE"},
        {"function ", "ROUTINE", "ROUTINE"}, /* procedures, too */
        {"sequence ", "SEQUENCE", "SEQUENCE"},
        {"statistics ", "STATISTICS", NULL},
        {"table ", "TABLE", "TABLE"},
        {"type ", "TYPE", "TYPE"},
        {"view ", "VIEW", "TABLE"},
    };
    Arena *arena = mending->arena;
    if (text_is_same(name, "schema")) {
        return arena_printf(arena, "SCHEMA %s",
                            sql_ident(arena, mending->place->schema_name).quoted);
    }
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        const size_t length = strlen(kinds[i].kind);
        const char *word = is_grant ? kinds[i].grant : kinds[i].sql;
        if (strncmp(name, kinds[i].kind, length) == 0 && word != NULL) {
            const char *object = text_is_same(word, "ROUTINE")
                                     ? mend_function_name(mending, name + length)
                                     : mend_qualified(mending, name + length);
            return object == NULL ? NULL : arena_printf(arena, "%s %s", word, object);
        }
    }
    return NULL;
}

/* "role:PRIVILEGE" entries with commas between. */
typedef struct Entries {
    size_t count;
    const char *list[MOST_ENTRIES];
} Entries;

static void split_entries(Arena *arena, const char *text, const char *separator, Entries *entries)
{
    entries->count = 0;
    while (text != NULL && *text != '\0' && entries->count < MOST_ENTRIES) {
        const char *end = strstr(text, separator);
        const size_t length = end == NULL ? strlen(text) : (size_t)(end - text);
        entries->list[entries->count++] = arena_strndup(arena, text, length);
        text = end == NULL ? NULL : end + strlen(separator);
    }
}

static bool has_entry(const Entries *entries, const char *entry)
{
    for (size_t i = 0; i < entries->count; i++) {
        if (text_is_same(entries->list[i], entry)) {
            return true;
        }
    }
    return false;
}

static void add_statement(StrBuf *out, const char *statement)
{
    strbuf_printf(out, "%s%s", out->length == 0 ? "" : "; ", statement);
}

/* One statement per role for the entries of one list that the other lacks. columns: "" or " (c)".
 */
static void add_rights(const Mending *mending, StrBuf *out, const Entries *entries,
                       const Entries *others, bool is_grant, const char *object,
                       const char *columns)
{
    Arena *arena = mending->arena;
    const char *role = NULL;
    StrBuf rights = strbuf_init(arena);
    for (size_t i = 0; i <= entries->count; i++) {
        const char *entry = i == entries->count ? NULL : entries->list[i];
        const char *colon = entry == NULL ? NULL : strrchr(entry, ':');
        const char *next = colon == NULL ? NULL
                                         : arena_strndup(arena, entry, (size_t)(colon - entry));
        if (role != NULL && rights.length > 0 && (next == NULL || !text_is_same(role, next))) {
            add_statement(out,
                          arena_printf(arena, "%s %s ON %s %s %s", is_grant ? "GRANT" : "REVOKE",
                                       rights.text, object, is_grant ? "TO" : "FROM",
                                       mend_role_name(mending, role)));
            rights = strbuf_init(arena);
        }
        role = next;
        if (next != NULL && !has_entry(others, entry)) {
            strbuf_printf(&rights, "%s%.*s%s", rights.length == 0 ? "" : ", ",
                          (int)strcspn(colon + 1, "*"), colon + 1, columns);
        }
    }
}

/* What a partition has beyond its table. */
const char *mend_partition_grants(const Mending *mending)
{
    Arena *arena = mending->arena;
    Entries *found = ARENA_NEW(arena, Entries);
    static const Entries none;
    StrBuf out = strbuf_init(arena);
    split_entries(arena, mending->found, ",", found);
    add_rights(mending, &out, found, &none, false,
               arena_printf(arena, "TABLE %s", mend_qualified(mending, mending->name)), "");
    return out.length == 0 ? NULL : out.text;
}

/* Rights on an object that is too much go with it; one that is missing needs them when it has been
 * made, where there is a statement for that (an aggregate has none). */
static bool may_mend_grants(const Mending *mending)
{
    static const char *const made[] = {"function", "view"};
    if (mending->expected == NULL || mending->found != NULL) {
        return mending->expected != NULL;
    }
    for (size_t i = 0; i < ARRAY_COUNT(made); i++) {
        const size_t length = strlen(made[i]);
        if (strncmp(mending->name, made[i], length) == 0 && mending->name[length] == ' ') {
            Mending object = *mending;
            object.name = mending->name + length + 1;
            return mend_find_recipe(&object, made[i], true) != NULL;
        }
    }
    return false;
}

/* Whether it is on a column that has gone with its view by then: the view is made anew without it,
 * or is dropped. */
static bool is_of_dropped_column(const Mending *mending, const char *column)
{
    const FingerprintLine *wanted = drift_find_line(mending->reference, "column", column);
    const size_t length = strcspn(column, ".");
    for (size_t i = 0; wanted == NULL && i < mending->contents->count; i++) {
        const FingerprintLine *line = &mending->contents->lines[i];
        if (text_is_same(line->kind, "view") && strlen(line->name) == length &&
            strncmp(line->name, column, length) == 0) {
            return true;
        }
    }
    return false;
}

const char *mend_grants(const Mending *mending)
{
    static const char column[] = "column ";
    Arena *arena = mending->arena;
    const char *columns = "";
    const char *object = NULL;
    const char *table = NULL;
    const char *name = NULL;
    if (strncmp(mending->name, column, strlen(column)) == 0) {
        const char *of = mending->name + strlen(column);
        if (!mend_split_name(mending, of, &table, &name) || is_of_dropped_column(mending, of)) {
            return NULL;
        }
        columns = arena_printf(arena, " (%s)", sql_ident(arena, name).quoted);
        object = arena_printf(arena, "TABLE %s", mend_qualified(mending, table));
    } else if (may_mend_grants(mending)) {
        object = mend_object_of(mending, mending->name, true);
    }
    if (object == NULL) {
        return NULL;
    }
    Entries *expected = ARENA_NEW(arena, Entries);
    Entries *found = ARENA_NEW(arena, Entries);
    split_entries(arena, mending->expected, ",", expected);
    split_entries(arena, mending->found, ",", found);
    StrBuf out = strbuf_init(arena);
    if (mending->found == NULL && *columns == '\0') {
        add_statement(&out, arena_printf(arena, "REVOKE ALL ON %s FROM PUBLIC", object));
    }
    add_rights(mending, &out, found, expected, false, object, columns);
    add_rights(mending, &out, expected, found, true, object, columns);
    return out.length == 0 ? NULL : out.text;
}

/* Whether it is the owner of something that is dropped. */
static bool is_of_dropped(const Mending *mending)
{
    static const char *const dropped[] = {"function", "statistics", "view"};
    for (size_t i = 0; i < ARRAY_COUNT(dropped); i++) {
        const size_t length = strlen(dropped[i]);
        if (strncmp(mending->name, dropped[i], length) == 0 && mending->name[length] == ' ') {
            return drift_find_line(mending->reference, dropped[i], mending->name + length + 1) ==
                   NULL;
        }
    }
    return false;
}

/* Such a sequence has the owner of its table, and cannot have another. */
static bool is_sequence_of_column(const Mending *mending)
{
    static const char sequence[] = "sequence ";
    const FingerprintLine *line = text_begins_with(mending->name, sequence)
                                      ? mend_find_line(mending, "sequence",
                                                       mending->name + strlen(sequence))
                                      : NULL;
    return line != NULL && strstr(line->definition, " of ") != NULL;
}

const char *mend_owner(const Mending *mending)
{
    const bool is_mended = mending->expected == NULL && !is_of_dropped(mending) &&
                           !is_sequence_of_column(mending);
    const char *object = is_mended ? mend_object_of(mending, mending->name, false) : NULL;
    return object == NULL ? NULL
                          : arena_printf(mending->arena, "ALTER %s OWNER TO %s", object,
                                         mend_role_name(mending, "{owner}"));
}

/* What a role may do by itself, and which roles it is a member of. */
const char *mend_role(const Mending *mending)
{
    static const char member_of[] = "member of ";
    Arena *arena = mending->arena;
    if (mending->expected == NULL || mending->found == NULL) {
        return NULL;
    }
    const char *role = mend_role_name(mending, mending->name);
    const char *expected = strstr(mending->expected, member_of);
    const char *found = strstr(mending->found, member_of);
    const size_t attributes = found == NULL ? strlen(mending->found)
                                            : (size_t)(found - mending->found);
    StrBuf out = strbuf_init(arena);
    if (strncmp(mending->found, mending->expected, attributes) != 0) {
        add_statement(&out, arena_printf(arena,
                                         "ALTER ROLE %s NOSUPERUSER NOBYPASSRLS NOCREATEROLE "
                                         "NOCREATEDB NOREPLICATION INHERIT",
                                         role));
    }
    Entries *wanted = ARENA_NEW(arena, Entries);
    Entries *there = ARENA_NEW(arena, Entries);
    split_entries(arena, expected == NULL ? NULL : expected + strlen(member_of), ", ", wanted);
    split_entries(arena, found == NULL ? NULL : found + strlen(member_of), ", ", there);
    for (size_t i = 0; i < there->count; i++) {
        if (!has_entry(wanted, there->list[i])) {
            const char *group = arena_strndup(arena, there->list[i], strcspn(there->list[i], "*"));
            add_statement(&out, arena_printf(arena, "REVOKE %s FROM %s",
                                             mend_role_name(mending, group), role));
        }
    }
    return out.length == 0 ? NULL : out.text;
}
