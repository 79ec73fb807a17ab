/* Answers that were asked for together with others, kept until somebody asks. */
#include <string.h>

#include "store/store.h"

typedef struct KeptAnswer {
    const char *sql;
    PgParams params;
    PgRows *rows; /* NULL: somebody took it */
} KeptAnswer;

struct StoreAnswers {
    Arena *arena; /* that all of this is in */
    KeptAnswer *list;
    size_t count;
};

void store_keep_answers(Store *store, PgBatch *batch, size_t first)
{
    store_drop_answers(store);
    const size_t count = pg_batch_count(batch) - first;
    if (count == 0) {
        return;
    }
    Arena *arena = arena_new();
    store->answers = ARENA_NEW(arena, StoreAnswers);
    *store->answers = (StoreAnswers){
        .arena = arena, .list = ARENA_ARRAY(arena, KeptAnswer, count), .count = count};
    for (size_t i = 0; i < count; i++) {
        KeptAnswer *answer = &store->answers->list[i];
        answer->sql = pg_batch_statement(batch, first + i, &answer->params);
        answer->params = pg_params_copy(arena, answer->params);
        answer->rows = pg_batch_take_rows(batch, first + i);
    }
}

void store_drop_answers(Store *store)
{
    if (store->answers == NULL) {
        return;
    }
    for (size_t i = 0; i < store->answers->count; i++) {
        pg_rows_free(store->answers->list[i].rows);
    }
    arena_free(store->answers->arena);
    store->answers = NULL;
}

static bool are_same(PgParams a, PgParams b)
{
    bool is_same = a.count == b.count;
    for (size_t i = 0; is_same && i < a.count; i++) {
        is_same = a.values[i] == NULL || b.values[i] == NULL
                      ? a.values[i] == b.values[i]
                      : strcmp(a.values[i], b.values[i]) == 0;
    }
    return is_same;
}

/* NULL: it is not kept. */
static PgRows *take(StoreAnswers *answers, const char *sql, PgParams params)
{
    for (size_t i = 0; answers != NULL && i < answers->count; i++) {
        KeptAnswer *answer = &answers->list[i];
        if (answer->rows != NULL && answer->sql == sql && are_same(answer->params, params)) {
            PgRows *rows = answer->rows;
            answer->rows = NULL;
            return rows;
        }
    }
    return NULL;
}

bool store_query(Store *store, StatementId id, PgParams params, PgRows **ret_rows, Err *err)
{
    PgRows *kept = take(store->answers, store_sql(id), params);
    if (kept == NULL) {
        return pg_query_fixed(store->conn, store_sql(id), params, ret_rows, err);
    }
    if (ret_rows == NULL) {
        pg_rows_free(kept);
    } else {
        *ret_rows = kept;
    }
    return true;
}
