/* Stamps: how the newest version of a blueprint is replayed when a place of the schema tier is
 * made.
 *
 * A stamp is taken by making places with random names: one by the migrations, as the model, and
 * when pg_dump is there a second one that is dumped; its statements, with a token where the place's
 * name goes, must then make a third one with the same structure. The stamp is flat when they do,
 * when they are fewer than those of the migrations, and when the migrations left neither rows nor a
 * sequence that was moved, used no variant for an extension, and ran no code that depends on when
 * it runs (moment.h); else creates replay the migrations, and the reason is kept. The same
 * statements and answers give the same choice every time.
 *
 * The control schema keeps one stamp for each blueprint, under a key over all that it was made from
 * (content of the blueprint, extensions, version of the server). Taking one is no part of making a
 * tenant: where none is kept under the present key, the migrations are replayed. All of it blocks.
 */
#ifndef TENANTRY_BLUEPRINT_STAMP_H
#define TENANTRY_BLUEPRINT_STAMP_H

#include "blueprint/blueprint.h"
#include "blueprint/registry.h"
#include "core/process.h"
#include "store/store.h"

typedef struct Stamp {
    int64_t version; /* of the blueprint */
    bool is_flat;
    const char *reason;
    const char *token;             /* what stands for the place's name; NULL unless flat */
    const char *const *statements; /* NULL unless flat */
    int64_t statement_count;       /* that a replay sends, rights and partitions not counted */
    int64_t migration_statement_count;
    const char *fingerprint; /* that every place made from this blueprint has, hex */
    int64_t took_ms;
} Stamp;

typedef struct StampOptions {
    const char *bin_dir; /* where pg_dump is; NULL: look for it */
    ProcessUser user;    /* whom pg_dump runs as */
    bool is_forced;      /* take a new one although one is kept */
} StampOptions;

/* The stamp that is kept under the present key, or NULL; one index look-up. */
bool stamp_find(Arena *arena, Store *store, const Blueprint *blueprint,
                const Extensions *extensions, const Stamp **ret_stamp, Err *err);

/* The same, and takes one when there is none; *ret_is_new tells. Not within a transaction: a place
 * that pg_dump reads must be committed. A crash leaves such a place behind, with a
 * password that nobody knows; the next stamp that is taken drops it. Fails where the migrations do,
 * so that no tenant could be made either; ERR_INPUT_INVALID without a schema tier, ERR_JOB_BUSY
 * when another process takes one for longer than a lock is waited for. */
bool stamp_ensure(Arena *arena, Store *store, const Blueprint *blueprint,
                  const StampOptions *options, const Stamp **ret_stamp, bool *ret_is_new, Err *err);

/* Drops what was left behind, unless a stamp is being taken at this moment. Not within a
 * transaction. */
bool stamp_drop_leftovers(Arena *arena, Store *store, Err *err);

/* One statement of a flat stamp for a place of this name, whose roles' names begin with it.
 * ERR_INTERNAL for a name that would need quotes. */
bool stamp_statement(Arena *arena, const Stamp *stamp, size_t number, const char *place_name,
                     const char **ret_sql, Err *err);

#endif
