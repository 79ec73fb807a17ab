/* What the probes find, as a process, for test_isolation_probes.py: probe_main CONNINFO KEYFILE
 * [name=value ...] with tenant (an id), pairs, all, seed, pause. Prints findings, what was not
 * checked and how long it took as JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/json.h"
#include "isolation/isolation.h"

enum { CONNECT_TIMEOUT_MS = 5000, LOCK_TIMEOUT_MS = 5000 };

static const char *find_option(int argc, char **argv, const char *name)
{
    for (int i = 3; i < argc; i++) {
        const size_t length = strlen(name);
        if (strncmp(argv[i], name, length) == 0 && argv[i][length] == '=') {
            return argv[i] + length + 1;
        }
    }
    return NULL;
}

static int64_t find_number(int argc, char **argv, const char *name)
{
    const char *text = find_option(argc, argv, name);
    return text == NULL ? 0 : strtoll(text, NULL, 10);
}

static bool is_rule(const char *id)
{
    const IsolationCheck *check = isolation_find_check(id); /* "probes" is none */
    return check != NULL && !check->is_probe;
}

static void print_result(Arena *arena, const IsolationResult *result, int64_t took_us)
{
    scoped_json Json *answer = json_object();
    Json *findings = json_array();
    Json *unchecked = json_array();
    for (size_t i = 0; i < result->list.count; i++) {
        const Finding *finding = &result->list.findings[i];
        if (is_rule(finding->check->id)) {
            continue;
        }
        Json *entry = json_object();
        json_put_text(entry, "id", finding->id);
        json_put_text(entry, "check", finding->check->id);
        json_put_text(entry, "tenant", finding->tenant_id);
        json_put_text(entry, "other", finding->other_id);
        json_put_text(entry, "object", finding->object);
        json_put_text(entry, "evidence", finding->evidence);
        json_put_text(entry, "mend", finding->mend);
        json_array_append_new(findings, entry);
    }
    for (size_t i = 0; i < result->unchecked_count; i++) {
        if (is_rule(result->unchecked[i].check_id)) {
            continue;
        }
        Json *entry = json_object();
        json_put_text(entry, "check", result->unchecked[i].check_id);
        json_put_text(entry, "reason", result->unchecked[i].reason);
        json_array_append_new(unchecked, entry);
    }
    json_put(answer, "findings", findings);
    json_put(answer, "unchecked", unchecked);
    json_put_int(answer, "probes", result->probes);
    json_put_int(answer, "took_us", took_us);
    printf("%s\n", json_to_text(arena, answer));
}

static bool probe(int argc, char **argv, Err *err)
{
    scoped_arena Arena *arena = arena_new();
    Store *store = NULL;
    const StoreOptions options = {.target = {.conninfo = argv[1],
                                             .connect_timeout_ms = CONNECT_TIMEOUT_MS,
                                             .lock_timeout_ms = LOCK_TIMEOUT_MS},
                                  .keys = {.file = argv[2]}};
    IsolationResult result = {.list = {.arena = arena}};
    if (!secret_init(err) || !store_open(&options, &store, err)) {
        return false;
    }
    const int64_t start_us = clock_monotonic_us();
    const bool is_good = isolation_verify(
        arena, store,
        &(ProbeOptions){.tenant_id = find_option(argc, argv, "tenant"),
                        .pairs = find_number(argc, argv, "pairs"),
                        .is_all_pairs = find_option(argc, argv, "all") != NULL,
                        .seed = find_number(argc, argv, "seed"),
                        .pause_ms = find_number(argc, argv, "pause")},
        &result, err);
    if (is_good) {
        print_result(arena, &result, clock_monotonic_us() - start_us);
    }
    store_close(store);
    return is_good;
}

int main(int argc, char **argv)
{
    Err err;
    if (argc < 3 || !probe(argc, argv, &err)) {
        fprintf(stderr, "probe_main: %s\n", argc < 3 ? "CONNINFO KEYFILE" : err.message);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
