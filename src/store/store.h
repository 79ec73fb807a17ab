/* The control schema: an open connection to it, and what is the same for the whole installation.
 *
 * store.c (open, keys), answers.c (statements and their answers), install.c (make and migrate),
 * rights.c (what the role may do), audit.c, audit_verify.c, signing.c, tenants.c (and places).
 * Statements are in statements.def. Everything blocks; one thread per Store. */
#ifndef TENANTRY_STORE_STORE_H
#define TENANTRY_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/err.h"
#include "core/json.h"
#include "pg/batch.h"
#include "pg/conn.h"
#include "secret/secret.h"

typedef enum StatementId {
#define STATEMENT(symbol, sql) symbol,
#include "store/statements.def"
#undef STATEMENT
    STATEMENT_COUNT_
} StatementId;

/* The text of a statement. */
const char *store_sql(StatementId id);

typedef struct StoreOptions {
    PgTarget target;
    KeySource keys;
} StoreOptions;

typedef struct StoreAnswers StoreAnswers;

typedef struct Store {
    Arena *arena; /* lives as long as the store */
    PgConn *conn;
    StoreOptions options;
    const char *installation_id;
    const char *tenants_role; /* the group that every tenant's role is in */
    const char *audit_role;
    const char *active_key_id;
    const char *audit_key_id;
    uint8_t *audit_key_sealed;
    size_t audit_key_sealed_length;
    Keyring *keyring;   /* NULL until store_need_keys */
    uint8_t *audit_key; /* NULL until store_need_keys */
    size_t audit_key_length;
    StoreAnswers *answers; /* that are kept; or NULL */
} Store;

/* Opens a session of the control role. Whoever may CREATE on the database could have made schemas
 * of these names before `up`, with code in them that would run with the control role's rights: so
 * nothing in them is named before it is known that they are there and whose they are. The session's
 * role must own them (a superuser: or a role that is one, or has CREATEROLE); ERR_NOT_INSTALLED. */
bool store_connect(const StoreOptions *options, PgConn **ret_conn, Err *err);

/* The same for the rows of CONTROL_SCHEMAS, where they need not be there yet: *ret_has_schemas. */
bool store_check_owners(const PgConn *conn, const PgRows *rows, bool *ret_has_schemas, Err *err);

/* Connects and reads the installation. ERR_NOT_INSTALLED when there is no control schema, or an
 * older or a newer one than this program's. options and its texts must outlive the store. */
bool store_open(const StoreOptions *options, Store **ret_store, Err *err);
Store *store_close(Store *store);

/* Connects again after a lost connection, with the target's retries. */
bool store_reconnect(Store *store, Err *err);

/* Makes the control schema, or brings it up to this program's version; does nothing when it is.
 * Under an advisory lock, in one transaction. A new control schema gets a master key of its own in
 * the key file, which is made when it is not there; with a key from the environment, or a file that
 * may not be written, it takes the first one. *ret_what tells what was done: "made", "migrated", or
 * NULL for nothing. ERR_PG_RIGHT_MISSING: the hint holds the statement that grants what is missing.
 */
bool store_install(Arena *arena, const StoreOptions *options, const char *actor,
                   const char **ret_what, bool *ret_is_key_new, Err *err);

/* Checks that the role may do what Tenantry needs: CREATEROLE, CREATE on the database. */
bool store_check_rights(Arena *arena, PgConn *conn, Err *err);

/* Refuses a database that is not in UTF8: ERR_CONFIG_INVALID, with the statement that makes one. */
bool store_check_encoding(Arena *arena, PgConn *conn, Err *err);

/* Loads the keyring, once, and opens the key of the audit chain. ERR_KEY_MISSING, ERR_KEY_WRONG. */
bool store_need_keys(Store *store, Err *err);

/* Reads the master keys again when this one is not among them: another process may have rotated
 * them. It may still be missing afterwards; who uses it says so. */
bool store_find_key(Store *store, const char *key_id, Err *err);

/* Within a transaction that seals secrets: learns the active key, and keeps it active until the
 * transaction ends. ERR_CONFLICT when a rotation was faster. */
bool store_hold_active_key(Store *store, Err *err);

/* Runs a fixed statement, or takes its answer where that is kept. */
bool store_query(Store *store, StatementId id, PgParams params, PgRows **ret_rows, Err *err);

/* For statements that are sure to be asked: they travel together, and who asks one of them later
 * need not know. Keeps the answers of a batch that ran, from statement number `first` on, until the
 * next ones are kept or they are dropped; store_query gives each once, for the same statement with
 * the same parameters. Whoever keeps answers drops them when their transaction ends. */
void store_keep_answers(Store *store, PgBatch *batch, size_t first);
void store_drop_answers(Store *store);

/* A statement whose one value is JSON: parsed, the caller's. NULL in *ret_json when there is no
 * row. */
bool store_query_json(Store *store, StatementId id, PgParams params, Json **ret_json, Err *err);

/* The rows of a statement as a list of objects, a member for each column; times as RFC 3339. For
 * long lists: made here they take a third of the time that making JSON there and reading it here
 * takes. The caller's. */
bool store_query_list(Store *store, StatementId id, PgParams params, Json **ret_list, Err *err);

/* Adds a fixed statement to a batch. */
size_t store_batch(PgBatch *batch, StatementId id, PgParams params);

#endif
