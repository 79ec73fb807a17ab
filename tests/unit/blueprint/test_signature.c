#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "blueprint/signature.h"
#include "core/array.h"
#include "secret/secret.h"

#define HEX_64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

typedef struct Sample {
    Arena *arena;
    uint8_t *seed;
    const char *key; /* its public part */
    BlueprintMigration migrations[2];
    Blueprint blueprint;
} Sample;

static const char *public_of(Arena *arena, const uint8_t *seed)
{
    Err err;
    uint8_t key[SECRET_PUBLIC_BYTES];
    assert_true(secret_sign_public(seed, key, &err));
    return secret_to_hex(arena, key, sizeof key);
}

static int set_up(void **state)
{
    Err err;
    static Sample sample;
    assert_true(secret_init(&err));
    sample = (Sample){.arena = arena_new()};
    assert_true(secret_sign_new(&sample.seed, &err));
    sample.key = public_of(sample.arena, sample.seed);
    sample.migrations[0] = (BlueprintMigration){
        .version = 1, .name = "a", .file = "migrations/V0001__a.sql", .up = "SELECT 1"};
    sample.migrations[1] = (BlueprintMigration){.version = 2,
                                                .name = "b",
                                                .file = "migrations/V0002__b.sql",
                                                .up = "SELECT 2",
                                                .down = "SELECT 3"};
    sample.blueprint = (Blueprint){.name = "crm",
                                   .version = 2,
                                   .migration_count = 2,
                                   .migrations = sample.migrations,
                                   .seed = "SELECT 4"};
    *state = &sample;
    return 0;
}

static int tear_down(void **state)
{
    Sample *sample = *state;
    secret_free(sample->seed, SECRET_SEED_BYTES);
    arena_free(sample->arena);
    return 0;
}

/* Signs with the seed; how many signatures were new. */
static int64_t sign_with(Sample *sample, const uint8_t *seed, bool is_all)
{
    SignatureList list;
    int64_t added = 0;
    Err err;
    if (!signatures_add(sample->arena, &sample->blueprint, seed, is_all, &list, &added, &err)) {
        fail_msg("%s", err.message);
    }
    sample->blueprint.signatures = list.items;
    sample->blueprint.signature_count = list.count;
    return added;
}

static bool check(const Sample *sample, int64_t upto, const char *key, Err *err)
{
    const char *const keys[] = {HEX_64, key};
    return signatures_check(sample->arena, &sample->blueprint, upto,
                            &(TrustedKeys){.count = 2, .keys = keys}, err);
}

static void check_refused(const Sample *sample, const char *key, const char *says)
{
    Err err;
    assert_false(check(sample, 2, key, &err));
    assert_int_equal(err.code, ERR_SIGNATURE);
    if (strstr(err.message, says) == NULL) {
        fail_msg("%s", err.message);
    }
}

static void every_script_is_signed_once_and_checked(void **state)
{
    Sample *sample = *state;
    Err err;
    check_refused(sample, sample->key, "migrations/V0001__a.sql (SHA-256 e004ebd5");
    assert_int_equal(sign_with(sample, sample->seed, false), 4);
    assert_int_equal(sign_with(sample, sample->seed, false), 0);
    assert_true(check(sample, 2, sample->key, &err));
}

static void what_another_key_signed_is_not_signed_again_unless_asked_for(void **state)
{
    Sample *sample = *state;
    Err err;
    uint8_t *other = NULL;
    sample->blueprint.migration_count = 1;
    sign_with(sample, sample->seed, false);
    sample->blueprint.migration_count = 2;
    assert_true(secret_sign_new(&other, &err));
    assert_int_equal(sign_with(sample, other, false), 2);
    check_refused(sample, sample->key, "migrations/V0002__b.sql (SHA-256 ");
    check_refused(sample, sample->key, "which is not trusted");
    assert_true(check(sample, 1, sample->key, &err));
    assert_int_equal(sign_with(sample, other, true), 2);
    assert_true(check(sample, 2, public_of(sample->arena, other), &err));
    secret_free(other, SECRET_SEED_BYTES);
}

static void a_text_that_another_key_did_not_sign_is_refused(void **state)
{
    Sample *sample = *state;
    Err err;
    uint8_t *other = NULL;
    SignatureList list;
    int64_t added = 0;
    sign_with(sample, sample->seed, false);
    sample->migrations[0].up = "SELECT 5";
    check_refused(sample, sample->key, "V0001__a.sql is not what key ");
    check_refused(sample, sample->key, " was expected, ");
    assert_true(secret_sign_new(&other, &err));
    assert_false(
        signatures_add(sample->arena, &sample->blueprint, other, false, &list, &added, &err));
    assert_int_equal(err.code, ERR_SIGNATURE);
    assert_string_equal(err.hint, "look at what was changed; --all signs it as it is");
    assert_int_equal(sign_with(sample, sample->seed, false), 1);
    assert_int_equal(sample->blueprint.signature_count, 4);
    assert_true(check(sample, 2, sample->key, &err));
    secret_free(other, SECRET_SEED_BYTES);
}

static void an_older_text_of_a_repeated_script_stays_signed(void **state)
{
    Sample *sample = *state;
    sample->migrations[0].is_repeatable = true;
    sign_with(sample, sample->seed, false);
    sample->migrations[0].up = "SELECT 5";
    assert_int_equal(sign_with(sample, sample->seed, false), 1);
    assert_int_equal(sample->blueprint.signature_count, 5);
}

static void an_older_text_of_a_repeated_script_cannot_be_put_back_without_a_key(void **state)
{
    Sample *sample = *state;
    Err err;
    BlueprintMigration runs[4];
    for (size_t i = 0; i < ARRAY_COUNT(runs); i++) {
        runs[i] = (BlueprintMigration){
            .version = (int64_t)i + 1, .name = "r", .file = "R__r.sql", .is_repeatable = true};
    }
    runs[0].up = runs[2].up = "SELECT 1";
    runs[1].up = "SELECT 2";
    runs[3].up = "SELECT 1 /* again */";
    sample->blueprint.migrations = runs;
    sample->blueprint.migration_count = 2;
    sign_with(sample, sample->seed, false);
    assert_true(check(sample, 2, sample->key, &err));
    sample->blueprint.migration_count = 3;
    assert_true(check(sample, 2, sample->key, &err));
    assert_false(check(sample, 3, sample->key, &err));
    assert_int_equal(err.code, ERR_SIGNATURE);
    assert_non_null(strstr(err.message, "R__r.sql has the text of an older version again"));
    sample->blueprint.migration_count = 4;
    sign_with(sample, sample->seed, false);
    assert_true(check(sample, 4, sample->key, &err));
}

static void a_signature_holds_for_its_blueprint_and_its_name_alone(void **state)
{
    Sample *sample = *state;
    sign_with(sample, sample->seed, false);
    sample->blueprint.name = "erp";
    check_refused(sample, sample->key, "has a signature that key ");
    sample->blueprint.name = "crm";
    sample->migrations[0].file = "migrations/V0001__other.sql";
    check_refused(sample, sample->key, "V0001__other.sql (SHA-256 ");
}

static void the_files_of_another_tool_are_signed_by_their_own_sums(void **state)
{
    Sample *sample = *state;
    const BlueprintScript *scripts = NULL;
    size_t count = 0;
    Err err;
    sample->blueprint.layout = "flyway";
    sample->migrations[0].sha256 = "up1";
    sample->migrations[1].sha256 = "up2";
    sample->migrations[1].down_sha256 = "down2";
    assert_true(blueprint_scripts(sample->arena, &sample->blueprint, &scripts, &count, &err));
    assert_int_equal(count, 4);
    assert_string_equal(scripts[1].sha256, "up2");
    assert_string_equal(scripts[2].name, "migrations/V0002__b.sql, down");
    assert_string_equal(scripts[2].sha256, "down2");
    assert_string_equal(scripts[3].name, "seed");
}

static void scripts_of_the_program_itself_need_no_signature(void **state)
{
    Sample *sample = *state;
    Blueprint *own = NULL;
    Err err;
    assert_true(blueprint_load_embedded(sample->arena, "saas", &own, &err));
    sample->blueprint = *own;
    assert_true(check(sample, INT64_MAX, HEX_64, &err));
    BlueprintMigration *changed = ARENA_ARRAY(sample->arena, BlueprintMigration,
                                              own->migration_count);
    memcpy(changed, own->migrations, own->migration_count * sizeof *changed);
    changed[0].up = "SELECT 1";
    sample->blueprint.migrations = changed;
    check_refused(sample, HEX_64, "is not signed");
}

static void the_file_of_signatures_is_read_as_it_is_written(void **state)
{
    Sample *sample = *state;
    SignatureList list;
    Err err;
    sign_with(sample, sample->seed, false);
    const SignatureList all = {.count = sample->blueprint.signature_count,
                               .items = sample->blueprint.signatures};
    const char *text = signatures_to_text(sample->arena, &all);
    assert_true(signatures_parse(sample->arena, "f", text, strlen(text), &list, &err));
    assert_int_equal(list.count, 4);
    assert_string_equal(list.items[2].script, "migrations/V0002__b.sql, down");
    assert_string_equal(signatures_to_text(sample->arena, &list), text);
}

static void what_is_no_signature_or_no_key_is_refused_with_its_line(void **state)
{
    Sample *sample = *state;
    static const char *const texts[] = {"#\nx", "#\n" HEX_64 " " HEX_64 " " HEX_64 " a",
                                        "#\n" HEX_64, "\n" HEX_64 " x"};
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        SignatureList list;
        Err err;
        assert_false(signatures_parse(sample->arena, "f", texts[i], strlen(texts[i]), &list, &err));
        assert_int_equal(err.code, ERR_BLUEPRINT_INVALID);
        assert_string_equal(err.message, "f:2: this is no signature");
    }
    TrustedKeys keys;
    Err err;
    static const char good[] = "# ours\n" HEX_64 "\n" HEX_64 " # Ana\n\n";
    assert_true(trusted_keys_parse(sample->arena, "k", good, strlen(good), &keys, &err));
    assert_int_equal(keys.count, 2);
    assert_false(trusted_keys_parse(sample->arena, "k", "abc", 3, &keys, &err));
    assert_int_equal(err.code, ERR_CONFIG_INVALID);
    assert_string_equal(err.message, "k:1: expected a public key of 64 lower-case hex digits");
    assert_false(trusted_keys_parse(sample->arena, "k", "# none", 6, &keys, &err));
    assert_string_equal(err.message, "k: it holds no public key");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_script_is_signed_once_and_checked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            what_another_key_signed_is_not_signed_again_unless_asked_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_text_that_another_key_did_not_sign_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_older_text_of_a_repeated_script_stays_signed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            an_older_text_of_a_repeated_script_cannot_be_put_back_without_a_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_signature_holds_for_its_blueprint_and_its_name_alone,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_files_of_another_tool_are_signed_by_their_own_sums,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(scripts_of_the_program_itself_need_no_signature, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_file_of_signatures_is_read_as_it_is_written, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_signature_or_no_key_is_refused_with_its_line,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
