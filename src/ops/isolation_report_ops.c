/* isolation.key and isolation.check-report: who signs reports, and whether one is as it was signed.
 */
#include <string.h>

#include "core/array.h"
#include "core/file.h"
#include "core/limits.h"
#include "isolation/report.h"
#include "ops/context.h"
#include "store/signing.h"

/* --- key -------------------------------------------------------------------------------------- */

static bool run_key(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    Store *store = NULL;
    uint8_t *seed = NULL;
    uint8_t public_key[SECRET_PUBLIC_BYTES];
    const char *fingerprint = NULL;
    (void)args;
    if (!op_store(context, &store, err) ||
        !store_signing_key(context->arena, store, context->actor, &seed, err)) {
        return false;
    }
    const bool is_public = secret_sign_public(seed, public_key, err);
    secret_free(seed, SECRET_SEED_BYTES);
    if (!is_public || !secret_sign_fingerprint(context->arena, public_key, &fingerprint, err)) {
        return false;
    }
    *ret_answer = json_object();
    json_put_text(*ret_answer, "public_key",
                  secret_to_hex(context->arena, public_key, sizeof public_key));
    json_put_text(*ret_answer, "fingerprint", fingerprint);
    json_put_text(*ret_answer, "installation", store->installation_id);
    return true;
}

const Operation op_isolation_key = {
    .name = "isolation.key",
    .summary = "Show the public key that signed reports are checked with.",
    .description =
        "The key (Ed25519) is made at first use and stays the same when the master key is rotated. "
        "Hand it over by another way than the reports: who has it names it with "
        "\"isolation check-report --key\", and then knows that a report is of this installation.",
    .access = ACCESS_VIEWER,
    .kind = OP_COMMAND,
    .http = {"GET", "/v1/isolation/key"},
    .params = (const Param[]){{0}},
    .result = (const Field[]){{"public_key", FIELD_TEXT, .help = "64 hex digits"},
                              {"fingerprint", FIELD_TEXT, .help = "what people compare"},
                              {"installation", FIELD_UUID, .help = "whose key it is"},
                              {0}},
    .examples = (const OpExample[]){{"isolation key", "once, for the auditor"}, {0}},
    .run = run_key,
};

/* --- check-report ----------------------------------------------------------------------------- */

static const struct {
    const char *name;
    const char *sentence;
} states[] = {
    [REPORT_RIGHT] = {"right", "the report is as it was signed, by the key that you trust"},
    [REPORT_UNPINNED] = {"right_if_key_is", "the report is as it was signed; by whom, the "
                                            "fingerprint tells: compare it, or name the key with "
                                            "--key"},
    [REPORT_CHANGED] = {"changed", "the report is not what was signed"},
    [REPORT_KEY_UNKNOWN] = {"unknown_key", "the report is signed by another key than the one that "
                                           "you trust"},
};

static bool judge(const ReportChecked *checked, const char *path, Err *err)
{
    if (checked->state == REPORT_CHANGED) {
        return ERR_SET(err, ERR_REPORT_CHANGED, "ask for it again, by another way",
                       "\"%s\" is not what was signed", path);
    }
    return checked->state != REPORT_KEY_UNKNOWN ||
           ERR_SET(err, ERR_REPORT_KEY, "it may be of another installation, or forged",
                   "\"%s\" is signed by key %s, not by the one that you trust", path,
                   checked->fingerprint);
}

/* What it found, with how severe it is and who answers for it. */
static Json *found_of(const Json *content)
{
    const Json *findings = json_object_get(content, "findings");
    Json *list = json_array();
    for (size_t i = 0; i < json_array_size(findings); i++) {
        static const char *const texts[] = {"severity", "id", "check", "object", "evidence"};
        const Json *finding = json_array_get(findings, i);
        const Json *accepted = json_object_get(finding, "accepted");
        Json *found = json_object();
        for (size_t j = 0; j < ARRAY_COUNT(texts); j++) {
            json_put_text(found, texts[j], json_get_text(finding, texts[j], NULL));
        }
        json_put_text(found, "accepted_until", json_get_text(accepted, "until", NULL));
        json_put_text(found, "accepted_by", json_get_text(accepted, "actor", NULL));
        json_array_append_new(list, found);
    }
    return list;
}

/* A report that was changed says nothing that can be believed. */
static Json *answer_of(const ReportChecked *checked)
{
    static const char *const texts[] = {"verdict",        "installation", "product_version",
                                        "server_version", "tenant",       "started",
                                        "catalogue",      "mode"};
    Json *answer = json_object();
    json_put_text(answer, "state", states[checked->state].name);
    json_put_text(answer, "meaning", states[checked->state].sentence);
    json_put_text(answer, "fingerprint",
                  *checked->fingerprint == '\0' ? NULL : checked->fingerprint);
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        json_put_text(answer, texts[i], json_get_text(checked->content, texts[i], NULL));
    }
    static const char *const numbers[] = {"accepted", "tenants", "tried", "pairs", "seed"};
    for (size_t i = 0; i < ARRAY_COUNT(numbers); i++) {
        const Json *number = json_object_get(checked->content, numbers[i]);
        json_put(answer, numbers[i],
                 json_is_integer(number) ? json_integer(json_integer_value(number)) : json_null());
    }
    json_put(answer, "found", found_of(checked->content));
    static const char *const lists[] = {"findings", "unchecked", "checks"};
    for (size_t i = 0; i < ARRAY_COUNT(lists); i++) {
        const Json *list = json_object_get(checked->content, lists[i]);
        json_put(answer, lists[i],
                 list == NULL ? json_null() : json_integer((json_int_t)json_array_size(list)));
    }
    return answer;
}

static bool run_check_report(OpContext *context, const Json *args, Json **ret_answer, Err *err)
{
    const char *path = json_get_text(args, "file", "");
    const char *text = NULL;
    size_t length = 0;
    ReportChecked checked;
    if (!file_read(context->arena, path, LIMIT_REPORT_BYTES, &text, &length, err) ||
        !report_check(context->arena, text, length, json_get_text(args, "key", NULL), &checked,
                      err)) {
        return false;
    }
    *ret_answer = answer_of(&checked);
    json_decref(checked.root);
    return judge(&checked, path, err);
}

const Operation op_isolation_check_report = {
    .name = "isolation.check-report",
    .summary = "Check a signed report: whether it was changed, and whose it is. Needs no database.",
    .description =
        "Every byte counts. Without --key it can only tell that nobody changed the report since it "
        "was signed with the key whose fingerprint is shown: compare that with \"isolation key\" "
        "of "
        "the installation. Exit status 65 when it was changed, 77 when it is signed by another key "
        "than --key.",
    .access = ACCESS_PUBLIC,
    .kind = OP_QUERY,
    .params = (const Param[]){{"file", PARAM_PATH, .is_positional = true, .is_required = true,
                               .help = "The report, as \"isolation verify --report\" wrote it."},
                              {"key", PARAM_TEXT, .most = 64,
                               .help = "The public key that you trust, 64 hex digits."},
                              {0}},
    .result =
        (const Field[]){
            {"state", FIELD_TEXT, .help = "right, right_if_key_is, changed, unknown_key"},
            {"meaning", FIELD_TEXT, .help = "in a sentence"},
            {"fingerprint", FIELD_TEXT, .is_nullable = true, .help = "of the key that it names"},
            {"verdict", FIELD_TEXT, .is_nullable = true, .help = "what the report says"},
            {"installation", FIELD_UUID, .is_nullable = true, .help = "of which installation"},
            {"product_version", FIELD_TEXT, .is_nullable = true, .help = "Tenantry's version"},
            {"server_version", FIELD_TEXT, .is_nullable = true, .help = "PostgreSQL's version"},
            {"tenant", FIELD_TEXT, .is_nullable = true, .help = "the tenant; none: the fleet"},
            {"started", FIELD_TIME, .is_nullable = true, .help = "when it was made"},
            {"catalogue", FIELD_TEXT, .is_nullable = true,
             .help = "SHA-256 over the part of the catalogue that was read"},
            {"tenants", FIELD_INT, .is_nullable = true, .help = "tenants that were looked at"},
            {"tried", FIELD_INT, .is_nullable = true,
             .help = "of those: tenants of which a login tried"},
            {"mode", FIELD_TEXT, .is_nullable = true,
             .help = "whom logins were to try: rules_only, one_neighbour, pairs, all_pairs"},
            {"pairs", FIELD_INT, .is_nullable = true, .help = "how many were asked for"},
            {"seed", FIELD_INT, .is_nullable = true, .help = "decided which pairs were tried"},
            {"findings", FIELD_INT, .is_nullable = true, .help = "findings in it"},
            {"accepted", FIELD_INT, .is_nullable = true, .help = "of those: accepted by somebody"},
            {"found", FIELD_LIST,
             .fields =
                 (const Field[]){
                     {"severity", FIELD_TEXT, .help = "critical, high, medium or low"},
                     {"id", FIELD_TEXT, .help = "the finding"},
                     {"check", FIELD_TEXT, .help = "the rule or probe"},
                     {"accepted_until", FIELD_TIME, .is_nullable = true,
                      .help = "somebody answers for it until then"},
                     {"accepted_by", FIELD_TEXT, .is_nullable = true, .help = "who"},
                     {"object", FIELD_TEXT, .is_long = true, .help = "where"},
                     {"evidence", FIELD_TEXT, .is_long = true, .help = "what was found"},
                     {0}},
             .help = "what it says was found, accepted or not"},
            {"unchecked", FIELD_INT, .is_nullable = true, .help = "what it says was not checked"},
            {"checks", FIELD_INT, .is_nullable = true, .help = "rules and probes that it knows"},
            {0}},
    .examples = (const OpExample[]){{"isolation check-report isolation.json",
                                     "whether it was changed"},
                                    {0}},
    .run = run_check_report,
};
