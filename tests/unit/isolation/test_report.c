#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <libxml/parser.h>
#include <libxml/xpath.h>

#include "core/array.h"
#include "core/text.h"
#include "isolation/report.h"
#include "secret/secret.h"

#define TENANT "11111111-1111-1111-1111-111111111111"
#define OTHER "22222222-2222-2222-2222-222222222222"

static const IsolationCheck checks[] = {
    {"clean_rule", SEVERITY_LOW, false, "row, schema", "Nothing is wrong here", "Nothing to do."},
    {"grant_across", SEVERITY_CRITICAL, false, "schema", "A tenant has rights on another's table",
     "It can read what is in it; revoke the right."},
    {"hidden_rule", SEVERITY_HIGH, false, "row", "Something that could not be read", "Ask more."},
    {"read_table", SEVERITY_MEDIUM, true, "row, schema", "A tenant read another's rows", "Mend."},
};

static const Finding findings[] = {
    {.check = &checks[1],
     .tenant_id = TENANT,
     .other_id = OTHER,
     .object = "table tenant_ab.\"<orders>\x1b[31m & co\"",
     .evidence =
         "role \"tenant_cd_app\" has SELECT, over three roles, on a table of another tenant "
         "that is named at such length that the line has to be broken at a space",
     .mend = "REVOKE SELECT ON tenant_ab.orders FROM tenant_cd_app",
     .id = "00000000000000aa"},
    {.check = &checks[3],
     .tenant_id = TENANT,
     .object = "table public.notes",
     .evidence = "the attempt gave a row",
     .id = "00000000000000bb"},
};
static const Unchecked unchecked[] = {{"hidden_rule", "the control role is no superuser", NULL}};
static const Acceptance acceptances[] = {{"00000000000000bb", "the attempt gave a row",
                                          "public on purpose", "os:ada", "2027-01-31T23:59:59Z"}};

static const char *const tried[] = {"acme"};

/* A run with a critical finding, one that is accepted, a check that was not done and a clean one.
 */
typedef struct Sample {
    Arena *arena;
    Json *slugs;
    IsolationResult result;
    Report report;
} Sample;

static int make_sample(void **state)
{
    Arena *arena = arena_new();
    Sample *sample = ARENA_NEW(arena, Sample);
    sample->arena = arena;
    sample->slugs = json_object();
    json_put_text(sample->slugs, TENANT, "acme");
    Finding *copy = ARENA_ARRAY(arena, Finding, 2);
    memcpy(copy, findings, sizeof findings);
    int64_t *attempts = ARENA_ARRAY(arena, int64_t, ARRAY_COUNT(checks));
    attempts[3] = 40;
    sample->result = (IsolationResult){.list = {arena, copy, 2},
                                       .unchecked = unchecked,
                                       .unchecked_count = 1,
                                       .tenants = 2,
                                       .rules = 3,
                                       .probes = 40,
                                       .attempts = attempts,
                                       .tried = tried,
                                       .tried_count = 1,
                                       .catalogue = "c0ffee"};
    sample->report = (Report){.result = &sample->result,
                              .checks = checks,
                              .check_count = 4,
                              .acceptances = {.list = acceptances, .count = 1},
                              .slugs = sample->slugs,
                              .product_version = "1.2.3",
                              .server_version = "15.4",
                              .installation_id = OTHER,
                              .started = "2026-11-21T05:00:00Z",
                              .finished = "2026-11-21T05:00:01Z",
                              .run = 7,
                              .has_probes = true,
                              .fail_on = SEVERITY_LOW};
    *state = sample;
    return 0;
}

static int drop_sample(void **state)
{
    Sample *sample = *state;
    json_decref(sample->slugs);
    arena_free(sample->arena);
    return 0;
}

static void an_accepted_finding_does_not_count(void **state)
{
    Sample *sample = *state;
    const ReportCounts counts = report_count(&sample->report);
    assert_int_equal(counts.failing, 1);
    assert_int_equal(counts.open, 1);
    assert_int_equal(counts.accepted, 1);
    assert_string_equal(report_first_failing(&sample->report)->id, "00000000000000aa");
    assert_string_equal(report_verdict(&sample->report), "violated");
    sample->report.acceptances.count = 0;
    assert_int_equal(report_count(&sample->report).failing, 2);
}

static void a_fleet_with_accepted_findings_is_not_plainly_isolated(void **state)
{
    Sample *sample = *state;
    sample->result.list.findings[0] = sample->result.list.findings[1];
    sample->result.list.count = 1;
    sample->result.spares = 1;
    scoped_json Json *answer = report_to_json(&sample->report);
    const char *text = report_to_table(sample->arena, &sample->report);
    assert_string_equal(report_verdict(&sample->report), "isolated_but_for_accepted");
    assert_false(json_get_bool(answer, "is_isolated", true));
    assert_non_null(strstr(text, "isolated but for 1 accepted finding (1 "));
    assert_non_null(strstr(text, "the whole fleet: 2 tenants and 1 spare, 3 rules"));
}

static void a_finding_with_other_evidence_than_was_accepted_counts_again(void **state)
{
    Sample *sample = *state;
    sample->result.list.findings[1].evidence = "the attempt changed a row";
    assert_int_equal(report_count(&sample->report).failing, 2);
    assert_int_equal(report_count(&sample->report).accepted, 0);
}

static void only_findings_that_are_severe_enough_count(void **state)
{
    Sample *sample = *state;
    sample->report.acceptances.count = 0;
    sample->report.fail_on = SEVERITY_HIGH;
    assert_int_equal(report_count(&sample->report).failing, 1);
    sample->report.fail_on = REPORT_FAIL_NEVER;
    assert_int_equal(report_count(&sample->report).failing, 0);
    assert_int_equal(report_count(&sample->report).open, 2);
    assert_null(report_first_failing(&sample->report));
}

static void what_was_not_checked_is_part_of_the_verdict(void **state)
{
    Sample *sample = *state;
    sample->result.list.count = 0;
    assert_string_equal(report_verdict(&sample->report), "isolated_as_far_as_checked");
    sample->result.unchecked_count = 0;
    assert_string_equal(report_verdict(&sample->report), "isolated");
}

static void lines_for_people_fit_and_cannot_control_a_terminal(void **state)
{
    const Sample *sample = *state;
    const char *text = report_to_table(sample->arena, &sample->report);
    assert_non_null(strstr(text, "NOT ISOLATED: 1 finding (1 critical)\n"));
    assert_non_null(strstr(text, "the whole fleet: 2 tenants, 3 rules, 40 attempts, 1 accepted\n"));
    assert_non_null(strstr(text, "\ntried as 1 of 2 tenants: one neighbour each, seed 0\n"));
    assert_null(strstr(text, "nothing there to try"));
    assert_non_null(strstr(text, "tenants acme and " OTHER));
    assert_non_null(
        strstr(text, "accepted until 2027-01-31T23:59:59Z by os:ada: public on purpose"));
    assert_non_null(strstr(text, "    hidden_rule: the control role is no superuser\n"));
    assert_null(strchr(text, '\x1b'));
    while (*text != '\0') {
        const size_t length = strcspn(text, "\n");
        assert_true(length <= REPORT_COLUMNS);
        text += length + 1;
    }
}

static xmlXPathObjectPtr find(xmlXPathContextPtr xpath, const char *path)
{
    xmlXPathObjectPtr found = xmlXPathEvalExpression((const xmlChar *)path, xpath);
    assert_non_null(found);
    return found;
}

static int count_nodes(xmlXPathContextPtr xpath, const char *path)
{
    xmlXPathObjectPtr found = find(xpath, path);
    const int count = found->nodesetval == NULL ? 0 : found->nodesetval->nodeNr;
    xmlXPathFreeObject(found);
    return count;
}

static void junit_parses_and_has_a_case_for_every_check(void **state)
{
    const Sample *sample = *state;
    const char *text = NULL;
    Err err;
    assert_true(report_to_junit(sample->arena, &sample->report, &text, &err));
    xmlDocPtr document = xmlReadMemory(text, (int)strlen(text), "report.xml", NULL,
                                       XML_PARSE_NONET);
    assert_non_null(document);
    xmlXPathContextPtr xpath = xmlXPathNewContext(document);
    assert_int_equal(count_nodes(xpath, "/testsuites/testsuite"), 2);
    assert_int_equal(count_nodes(xpath, "/testsuites/testsuite/testcase"), 4);
    assert_int_equal(count_nodes(xpath, "//testsuite[@tests=3 and @failures=1 and @skipped=1]"), 1);
    assert_int_equal(count_nodes(xpath, "//testcase[@name='grant_across']/failure"), 1);
    assert_int_equal(count_nodes(xpath, "//testcase[@name='hidden_rule']/skipped"), 1);
    assert_int_equal(count_nodes(xpath, "//testcase[@name='read_table']/failure"), 0);
    assert_int_equal(count_nodes(xpath, "//testcase[@name='read_table']/system-out"), 1);
    assert_int_equal(count_nodes(xpath, "//testcase[@name='clean_rule']/*"), 0);
    xmlXPathFreeContext(xpath);
    xmlFreeDoc(document);
}

static void probes_that_were_not_asked_for_are_skipped_cases(void **state)
{
    Sample *sample = *state;
    const char *text = NULL;
    Err err;
    sample->report.has_probes = false;
    sample->result.list.count = 1;
    assert_true(report_to_junit(sample->arena, &sample->report, &text, &err));
    assert_non_null(strstr(text, "<skipped message=\"no attempts were asked for\"/>"));
}

static void a_login_that_was_not_tried_is_a_skipped_case_and_in_the_headline(void **state)
{
    Sample *sample = *state;
    static const Unchecked lost[] = {{"probes", "it cannot connect", "login tenant_ab12_app"}};
    const char *text = NULL;
    Err err;
    sample->result.unchecked = lost;
    sample->result.list.count = 0;
    assert_true(report_to_junit(sample->arena, &sample->report, &text, &err));
    assert_non_null(strstr(text, "name=\"login tenant_ab12_app\""));
    assert_non_null(strstr(text, "<skipped message=\"it cannot connect\"/>"));
    assert_string_equal(report_verdict(&sample->report), "isolated_as_far_as_checked");
    assert_non_null(strstr(report_to_table(sample->arena, &sample->report),
                           "isolated, as far as it was checked: 1 login could not be tried"));
    sample->result.probes = 0;
    assert_true(report_to_junit(sample->arena, &sample->report, &text, &err));
    assert_non_null(strstr(text, "<skipped message=\"no login could try\"/>"));
}

static const Json *find_named(const Json *list, const char *key, const char *value)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (strcmp(json_get_text(json_array_get(list, i), key, ""), value) == 0) {
            return json_array_get(list, i);
        }
    }
    fail_msg("nothing has the %s \"%s\"", key, value);
    return NULL;
}

static void a_probe_that_made_no_attempt_is_not_clean(void **state)
{
    static const char why[] = "no attempt: the tenants that tried had nothing that it is about";
    Sample *sample = *state;
    const char *text = NULL;
    Err err;
    sample->result.list.count = 0;
    {
        scoped_json Json *answer = report_to_json(&sample->report);
        const Json *check = find_named(json_object_get(answer, "checks"), "id", "read_table");
        assert_string_equal(json_get_text(check, "state", ""), "clean");
        assert_int_equal(json_get_int(check, "attempts", -1), 40);
    }
    sample->result.attempts[3] = 0; /* another probe made them */
    scoped_json Json *answer = report_to_json(&sample->report);
    const Json *check = find_named(json_object_get(answer, "checks"), "id", "read_table");
    assert_string_equal(json_get_text(check, "state", ""), "not checked");
    assert_string_equal(json_get_text(check, "reason", ""), why);
    assert_int_equal(json_get_int(check, "attempts", -1), 0);
    assert_non_null(strstr(report_to_table(sample->arena, &sample->report),
                           "    nothing there to try, no attempt: read_table\n"));
    assert_true(report_to_junit(sample->arena, &sample->report, &text, &err));
    assert_non_null(strstr(text, arena_printf(sample->arena, "<skipped message=\"%s\"/>", why)));
    assert_non_null(strstr(report_to_sarif(sample->arena, &sample->report), why));
}

static void a_report_says_whom_the_logins_were_to_try(void **state)
{
    Sample *sample = *state;
    assert_string_equal(report_mode(&sample->report), "one_neighbour");
    sample->report.pairs = 3;
    assert_string_equal(report_mode(&sample->report), "pairs");
    assert_non_null(strstr(report_to_table(sample->arena, &sample->report),
                           "\ntried as 1 of 2 tenants: pairs 3, seed 0\n"));
    sample->report.pairs = 0;
    sample->report.is_all_pairs = true;
    assert_string_equal(report_mode(&sample->report), "all_pairs");
    sample->report.has_probes = false;
    assert_string_equal(report_mode(&sample->report), "rules_only");
    assert_null(strstr(report_to_table(sample->arena, &sample->report), "tried as"));
}

/* The members that section 3 of SARIF 2.1.0 requires, of every object that we write. */
static void sarif_has_what_the_standard_requires(void **state)
{
    const Sample *sample = *state;
    scoped_json Json *log = NULL;
    Err err;
    assert_true(json_parse(report_to_sarif(sample->arena, &sample->report), "it", &log, &err));
    assert_string_equal(json_get_text(log, "version", ""), "2.1.0");
    const Json *run = json_array_get(json_object_get(log, "runs"), 0);
    const Json *driver = json_object_get(json_object_get(run, "tool"), "driver");
    const Json *rules = json_object_get(driver, "rules");
    assert_string_equal(json_get_text(driver, "name", ""), "Tenantry");
    assert_int_equal(json_array_size(rules), 4);
    const Json *results = json_object_get(run, "results");
    assert_int_equal(json_array_size(results), 2);
    for (size_t i = 0; i < json_array_size(results); i++) {
        const Json *result = json_array_get(results, i);
        const Json *rule = json_array_get(rules, (size_t)json_get_int(result, "ruleIndex", -1));
        assert_string_equal(json_get_text(result, "ruleId", ""), json_get_text(rule, "id", "-"));
        assert_non_null(json_get_text(json_object_get(result, "message"), "text", NULL));
        assert_true(json_is_array(json_object_get(result, "suppressions")));
    }
    assert_int_equal(json_array_size(json_object_get(json_array_get(results, 0), "suppressions")),
                     0);
    const Json *suppression = json_array_get(
        json_object_get(json_array_get(results, 1), "suppressions"), 0);
    assert_string_equal(json_get_text(suppression, "kind", ""), "external");
    const Json *invocation = json_array_get(json_object_get(run, "invocations"), 0);
    assert_true(json_get_bool(invocation, "executionSuccessful", false));
    assert_int_equal(json_array_size(json_object_get(invocation, "toolExecutionNotifications")), 1);
}

static const char *sign_sample(const Sample *sample, uint8_t **ret_seed)
{
    const char *text = NULL;
    Err err;
    assert_true(secret_sign_new(ret_seed, &err));
    assert_true(report_sign(sample->arena, &sample->report, *ret_seed, &text, &err));
    return text;
}

/* A report as another form has it: its content as it is signed, and as it is in the file. */
static const char *sign_by_hand(const Sample *sample, const char *content, const char *in_file)
{
    uint8_t *seed = NULL;
    uint8_t public_key[SECRET_PUBLIC_BYTES];
    uint8_t signature[SECRET_SIGNATURE_BYTES];
    const char *fingerprint = NULL;
    Err err;
    assert_true(secret_sign_new(&seed, &err));
    assert_true(secret_sign(seed, content, strlen(content), signature, &err));
    assert_true(secret_sign_public(seed, public_key, &err));
    assert_true(secret_sign_fingerprint(sample->arena, public_key, &fingerprint, &err));
    secret_free(seed, SECRET_SEED_BYTES);
    return arena_printf(sample->arena,
                        "{\n  \"report\": %s,\n  \"signature\": {\n"
                        "    \"algorithm\": \"Ed25519\",\n    \"fingerprint\": \"%s\",\n"
                        "    \"public_key\": \"%s\",\n    \"value\": \"%s\"\n  }\n}\n",
                        in_file, fingerprint,
                        secret_to_hex(sample->arena, public_key, sizeof public_key),
                        secret_to_hex(sample->arena, signature, sizeof signature));
}

static ReportState state_of(const Sample *sample, const char *text, size_t length, const char *key)
{
    ReportChecked checked;
    Err err;
    assert_true(report_check(sample->arena, text, length, key, &checked, &err));
    json_decref(checked.root);
    return checked.state;
}

static const char *public_of(const Sample *sample, const uint8_t *seed)
{
    uint8_t public_key[SECRET_PUBLIC_BYTES];
    Err err;
    assert_true(secret_sign_public(seed, public_key, &err));
    return secret_to_hex(sample->arena, public_key, sizeof public_key);
}

static void a_signed_report_is_right_for_who_trusts_its_key_only(void **state)
{
    const Sample *sample = *state;
    uint8_t *seed = NULL;
    uint8_t *other = NULL;
    Err err;
    const char *text = sign_sample(sample, &seed);
    const size_t length = strlen(text);
    assert_true(secret_sign_new(&other, &err));
    assert_int_equal(state_of(sample, text, length, NULL), REPORT_UNPINNED);
    assert_int_equal(state_of(sample, text, length, public_of(sample, seed)), REPORT_RIGHT);
    assert_int_equal(state_of(sample, text, length, public_of(sample, other)), REPORT_KEY_UNKNOWN);
    secret_free(seed, SECRET_SEED_BYTES);
    secret_free(other, SECRET_SEED_BYTES);
}

static void what_is_signed_is_what_the_form_of_a_report_says(void **state)
{
    static const struct {
        const char *content;
        const char *in_file;
        ReportState state;
    } cases[] = {
        {"{\"format\":\"tenantry isolation report 1\",\"object\":\"a\\u001Bb\"}",
         "{\n    \"format\": \"tenantry isolation report 1\",\n"
         "    \"object\": \"a\\u001Bb\"\n  }",
         REPORT_UNPINNED},
        {"{\"format\":\"tenantry isolation report 2\",\"object\":\"a\\u001bb\\\\u00AB\"}",
         "{\n    \"format\": \"tenantry isolation report 2\",\n"
         "    \"object\": \"a\\u001Bb\\\\u00AB\"\n  }",
         REPORT_UNPINNED},
        {"{\"format\":\"tenantry isolation report 2\",\"object\":\"a\\u001Bb\"}",
         "{\n    \"format\": \"tenantry isolation report 2\",\n"
         "    \"object\": \"a\\u001Bb\"\n  }",
         REPORT_CHANGED},
        {"{\"format\":\"tenantry isolation report 9\"}",
         "{\n    \"format\": \"tenantry isolation report 9\"\n  }", REPORT_CHANGED},
    };
    const Sample *sample = *state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const char *text = sign_by_hand(sample, cases[i].content, cases[i].in_file);
        assert_int_equal(state_of(sample, text, strlen(text), NULL), cases[i].state);
    }
}

static void any_changed_byte_of_a_signed_report_is_noticed(void **state)
{
    const Sample *sample = *state;
    uint8_t *seed = NULL;
    const char *text = sign_sample(sample, &seed);
    const size_t length = strlen(text);
    char *changed = arena_strndup(sample->arena, text, length);
    secret_free(seed, SECRET_SEED_BYTES);
    for (size_t i = 0; i < length; i++) {
        static const char replacements[] = {' ', '0', '\0'};
        for (size_t n = 0; n < sizeof replacements; n++) {
            changed[i] = replacements[n];
            if (text[i] != changed[i]) {
                assert_int_equal(state_of(sample, changed, length, NULL), REPORT_CHANGED);
            }
        }
        changed[i] = text[i];
    }
    assert_int_equal(state_of(sample, text, length - 1, NULL), REPORT_CHANGED);
    assert_int_equal(state_of(sample, arena_printf(sample->arena, "%s ", text), length + 1, NULL),
                     REPORT_CHANGED);
}

static void what_is_no_report_is_changed_and_what_is_no_key_is_refused(void **state)
{
    static const char *const texts[] = {"",
                                        "{}",
                                        "[]",
                                        "7",
                                        "{\"report\": {}, \"signature\": {}}",
                                        "{\"report\": 1, \"signature\": {\"public_key\": \"00\"}}"};
    const Sample *sample = *state;
    ReportChecked checked;
    Err err;
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        assert_int_equal(state_of(sample, texts[i], strlen(texts[i]), NULL), REPORT_CHANGED);
    }
    assert_false(report_check(sample->arena, "{}", 2, "abc", &checked, &err));
    assert_int_equal(err.code, ERR_INPUT_INVALID);
    assert_string_equal(err.message,
                        "the public key has another form than 64 lower-case hex digits");
}

int main(void)
{
    Err err;
    if (!secret_init(&err)) {
        return 1;
    }
#define WITH_SAMPLE(test) cmocka_unit_test_setup_teardown(test, make_sample, drop_sample)
    static const struct CMUnitTest tests[] = {
        WITH_SAMPLE(an_accepted_finding_does_not_count),
        WITH_SAMPLE(a_fleet_with_accepted_findings_is_not_plainly_isolated),
        WITH_SAMPLE(a_finding_with_other_evidence_than_was_accepted_counts_again),
        WITH_SAMPLE(only_findings_that_are_severe_enough_count),
        WITH_SAMPLE(what_was_not_checked_is_part_of_the_verdict),
        WITH_SAMPLE(lines_for_people_fit_and_cannot_control_a_terminal),
        WITH_SAMPLE(junit_parses_and_has_a_case_for_every_check),
        WITH_SAMPLE(probes_that_were_not_asked_for_are_skipped_cases),
        WITH_SAMPLE(a_login_that_was_not_tried_is_a_skipped_case_and_in_the_headline),
        WITH_SAMPLE(a_probe_that_made_no_attempt_is_not_clean),
        WITH_SAMPLE(a_report_says_whom_the_logins_were_to_try),
        WITH_SAMPLE(sarif_has_what_the_standard_requires),
        WITH_SAMPLE(a_signed_report_is_right_for_who_trusts_its_key_only),
        WITH_SAMPLE(what_is_signed_is_what_the_form_of_a_report_says),
        WITH_SAMPLE(any_changed_byte_of_a_signed_report_is_noticed),
        WITH_SAMPLE(what_is_no_report_is_changed_and_what_is_no_key_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
