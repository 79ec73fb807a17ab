#!/usr/bin/env python3
"""Reports of isolation: their formats, the signature, findings that are accepted, mended or watched."""
import contextlib
import functools
import json
import os
import shutil
import stat
import subprocess
import xml.etree.ElementTree as ElementTree

import harness
from harness import check_refusal, shared_server

RIGHT = "SELECT ON {0}.trades"
ROW_BLUEPRINT = {
    "blueprint.yaml": "name: pool\ntitle: Pool\ntiers: [row]\n"
                      "plans:\n  one: {title: One, default: true, limits: {max_connections: 10}}\n",
    "migrations/V0001__tables.sql":
        "CREATE TABLE items (tenant_id uuid NOT NULL DEFAULT tenancy.current_tenant(), id bigint NOT NULL,"
        " PRIMARY KEY (tenant_id, id));\n",
}


def place(slug="acme"):
    """The tenant's schema; makes the tenant at first use."""
    server = shared_server()
    sql = "SELECT p.schema_name FROM tenantry.places p JOIN tenantry.tenants t ON t.place_id = p.id WHERE t.slug = '%s'"
    found = server.psql(sql % slug)
    if not found:
        server.create(slug, "trading")
        found = server.psql(sql % slug)
    return found


def acme_app():
    place()
    return shared_server().tenantry("tenant", "show", "acme")["roles"]["app"]


@contextlib.contextmanager
def broken(right=RIGHT):
    """A right that a superuser granted to everybody on acme's table."""
    server = shared_server()
    what = right.format(place())
    server.psql("GRANT %s TO PUBLIC" % what, server.superuser)
    try:
        yield
    finally:
        server.psql("REVOKE %s FROM PUBLIC" % what, server.superuser)


def verify(*args, expect=0):
    """The answer of a run over the catalogue of acme."""
    place()
    result = shared_server().tenantry("isolation", "verify", "acme", "--rules-only", *args, "--json", json=False,
                                      expect=expect)
    return result.json()


def the_finding(answer):
    found = [f for f in answer["findings"] if f["object"].endswith(".trades")]
    assert len(found) == 1, answer["findings"]
    return found[0]


def audit_entries(action):
    entries = shared_server().tenantry("audit", "list", "--action", action)["entries"]
    assert shared_server().tenantry("audit", "verify")["is_whole"]
    return entries


def test_a_clean_tenant_is_isolated_and_what_was_not_checked_is_told():
    answer = verify()
    assert answer["verdict"] in ("isolated", "isolated_as_far_as_checked") and answer["failing"] == 0
    assert (answer["verdict"] == "isolated") == (not answer["unchecked"])
    assert answer["rules"] > 0 and answer["probes"] == 0 and len(answer["catalogue"]) == 64
    assert any("LISTEN and NOTIFY" in limit for limit in answer["limits"])


def test_a_leak_is_found_and_fails_unless_it_is_not_severe_enough():
    with broken():
        answer = verify(expect=76)
        assert answer["verdict"] == "violated" and answer["failing"] == 1
        finding = the_finding(answer)
        assert finding["tenant"] == "acme" and finding["mend"].startswith("REVOKE ") and len(finding["id"]) == 16
        assert the_finding(verify("--fail-on", "never")) == finding
        result = shared_server().tenantry("isolation", "verify", "acme", "--rules-only", expect=None)
        check_refusal(result, "isolation_violated", "1 finding", finding["object"])


def test_the_table_fits_a_page():
    with broken():
        text = shared_server().tenantry("isolation", "verify", "--rules-only", json=False, expect=76).out
    assert text.startswith("NOT ISOLATED: 1 finding (1 ") and "mended by: REVOKE" in text
    assert max(len(line) for line in text.splitlines()) <= 100


def test_junit_has_a_case_for_every_check():
    server = shared_server()
    checks = server.tenantry("isolation", "rules")["checks"]
    with broken():
        finding = the_finding(verify(expect=76))
        text = server.tenantry("isolation", "verify", "acme", "--rules-only", "--format", "junit", json=False, expect=76)
    root = ElementTree.fromstring(text.out)
    cases = {case.get("name"): case for case in root.iter("testcase")}
    assert set(cases) == {check["id"] for check in checks} and len(list(root.iter("testcase"))) == len(checks)
    failed = [name for name, case in cases.items() if case.find("failure") is not None]
    assert failed == [finding["check"]] and finding["id"] in cases[failed[0]].find("failure").text
    for check in checks:
        if check["kind"] == "probe":
            assert cases[check["id"]].find("skipped") is not None, check
    for suite in root.iter("testsuite"):
        assert int(suite.get("tests")) == len(suite.findall("testcase"))
        assert int(suite.get("failures")) == len(suite.findall("testcase/failure"))
        assert int(suite.get("skipped")) == len(suite.findall("testcase/skipped"))


def test_a_login_that_could_not_be_tried_has_not_passed():
    """Both logins of a tenant that changed its own passwords, which it may."""
    place()
    server = shared_server()
    run = functools.partial(server.tenantry, "isolation", json=False)
    assert run("watch", "acme", "--json").json()["untried"] == []
    roles = server.tenantry("tenant", "show", "acme")["roles"]
    for login in ("app", "readonly"):
        server.psql("ALTER ROLE %s PASSWORD 'its own'" % roles[login], server.superuser)
    try:
        told = run("watch", "acme", "--json", expect=76).json()["untried"]
        assert len(told) == 2 and all("cannot connect" in reason for reason in told), told
        assert run("watch", "acme", "--json").json()["untried"] == [], "told once"
        answer = run("verify", "acme", "--json").json()
        assert answer["verdict"] == "isolated_as_far_as_checked" and answer["untried"] == 2 and answer["probes"] == 0, answer
        head = run("verify", "acme").out.splitlines()[0]
        assert head == "isolated, as far as it was checked: 2 logins could not be tried"
        root = ElementTree.fromstring(run("verify", "acme", "--format", "junit").out)
        suite = [s for s in root.iter("testsuite") if s.get("name") == "isolation probes"][0]
        names = [case.get("name") for case in suite.findall("testcase")]
        assert {"login " + roles["app"], "login " + roles["readonly"]} <= set(names), names
        assert suite.get("skipped") == suite.get("tests") == str(len(suite.findall("testcase/skipped"))), suite.attrib
    finally:
        server.tenantry("tenant", "rotate", "acme")
    assert run("verify", "acme", "--json").json()["untried"] == 0


def test_sarif_has_what_version_2_1_0_requires():
    with broken():
        finding = the_finding(verify(expect=76))
        text = shared_server().tenantry("isolation", "verify", "acme", "--rules-only", "--format", "sarif", json=False,
                                        expect=76).out
    log = json.loads(text)
    assert log["version"] == "2.1.0" and len(log["runs"]) == 1
    run = log["runs"][0]
    driver = run["tool"]["driver"]
    assert driver["name"] == "Tenantry" and driver["version"] == harness.VERSION
    ids = [rule["id"] for rule in driver["rules"]]
    assert len(ids) == len(set(ids))
    for rule in driver["rules"]:
        assert rule["shortDescription"]["text"] and rule["fullDescription"]["text"]
        assert rule["defaultConfiguration"]["level"] in ("error", "warning", "note")
        page, anchor = rule["helpUri"].split("#")
        assert page.startswith("file:///") and page.endswith("/reference/isolation.md") and anchor == rule["id"]
    assert run["invocations"][0]["executionSuccessful"] is True
    assert len(run["results"]) == 1
    result = run["results"][0]
    assert ids[result["ruleIndex"]] == result["ruleId"] == finding["check"]
    assert result["level"] in ("error", "warning", "note") and result["message"]["text"] == finding["evidence"]
    assert result["partialFingerprints"] == {"findingId/v1": finding["id"]} and result["suppressions"] == []
    assert result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == finding["object"]


def test_a_file_is_private_and_not_replaced_without_force():
    server = shared_server()
    with harness.temporary_folder() as folder:
        for option in ("--output", "--report"):
            path = os.path.join(folder, option.strip("-"))
            verify(option, path)
            assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
            with open(path, encoding="utf-8") as f:
                before = f.read()
            server.refused("input_invalid", "isolation", "verify", "acme", "--rules-only", option, path,
                           says=("is there already", "--force"))
            with open(path, encoding="utf-8") as f:
                assert f.read() == before
            verify(option, path, "--force")
            assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        with open(os.path.join(folder, "output"), encoding="utf-8") as f:
            assert f.read().startswith("isolated")


def test_only_a_regular_file_is_replaced_and_an_impossible_one_is_refused_before_the_run():
    server = shared_server()
    place()
    with harness.temporary_folder() as folder:
        fifo, link, target = (os.path.join(folder, name) for name in ("fifo", "link", "target"))
        os.mkfifo(fifo)
        with open(target, "w", encoding="utf-8") as f:
            f.write("kept")
        os.symlink(target, link)
        runs = server.psql("SELECT count(*) FROM tenantry.isolation_runs")
        for option in ("--output", "--report"):
            for path, says in ((fifo, "no regular file"), (link, "no regular file"), ("/dev/null", "no regular file"),
                               (folder, "no regular file"), (folder + "/none/file", "no file can be made in")):
                server.refused("input_invalid", "isolation", "verify", "acme", "--rules-only", option, path, "--force",
                               says=(says,))
        assert server.psql("SELECT count(*) FROM tenantry.isolation_runs") == runs
        assert stat.S_ISFIFO(os.lstat(fifo).st_mode) and os.path.islink(link) and stat.S_ISCHR(os.stat("/dev/null").st_mode)
        with open(target, encoding="utf-8") as f:
            assert f.read() == "kept"


@contextlib.contextmanager
def signed_report():
    with harness.temporary_folder() as folder:
        path = os.path.join(folder, "report.json")
        answer = verify("--report", path)
        assert answer["fingerprint"] == shared_server().tenantry("isolation", "key")["fingerprint"]
        yield path


def check_report(path, *args, expect=0):
    """check-report, without any server or key file."""
    with harness.temporary_folder() as folder:
        return harness.tenantry("isolation", "check-report", path, *args, "--json", json=False, expect=expect,
                                env={"TENANTRY_DATA_DIR": folder + "/none"})


def test_a_signed_report_is_checked_without_a_database():
    key = shared_server().tenantry("isolation", "key")
    with signed_report() as path:
        answer = check_report(path).json()
        assert answer["state"] == "right_if_key_is" and answer["fingerprint"] == key["fingerprint"]
        answer = check_report(path, "--key", key["public_key"]).json()
        assert answer["state"] == "right" and answer["installation"] == key["installation"]
        assert answer["tenant"] == "acme" and answer["findings"] == 0
        for key, says in (("abc", "64 lower-case hex digits"), ("", '"key"')):
            refused = harness.tenantry("isolation", "check-report", path, "--key", key, expect=None)
            check_refusal(refused, "input_invalid", says)


def test_a_signature_is_right_for_another_program_too():
    """The bytes that docs/isolation-report.md names, and openssl; with a name that JSON has to escape, and the greatest seed."""
    openssl = shutil.which("openssl") or harness.skip("no openssl on this machine")
    server = shared_server()
    table = place() + '."\x1b[31m\x0b\\u00AB\t"'
    server.psql("CREATE TABLE {0} (); GRANT SELECT ON {0} TO PUBLIC".format(table), server.superuser)
    with harness.temporary_folder() as folder:
        path = os.path.join(folder, "report.json")
        try:
            server.tenantry("isolation", "verify", "acme", "--seed", str(2**53 - 1), "--report", path, expect=76, json=False)
        finally:
            server.psql("DROP TABLE %s" % table, server.superuser)
        assert check_report(path).json()["state"] == "right_if_key_is"
        with open(path, encoding="utf-8") as f:
            report = json.load(f)
        assert "\x1b[31m" in report["report"]["findings"][0]["object"]
        content = json.dumps(report["report"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        if shutil.which("jq"):
            assert harness.run(["jq", "-cjS", ".report", path]).out == content
        parts = {
            "bytes": content.encode(),
            "signature": bytes.fromhex(report["signature"]["value"]),
            "key": bytes.fromhex("302a300506032b6570032100" + report["signature"]["public_key"]),
        }
        for name, content in parts.items():
            with open(os.path.join(folder, name), "wb") as f:
                f.write(content)
        harness.run([openssl, "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", folder + "/key", "-rawin",
                     "-in", folder + "/bytes", "-sigfile", folder + "/signature"])


def test_a_report_of_a_sample_says_that_it_is_one_and_what_nobody_tried_is_not_clean():
    server = shared_server()
    for slug in ("acme", "globex"):
        place(slug)
    shared_place()
    tiers = dict(line.split("|") for line in
                 server.psql("SELECT slug, tier FROM tenantry.tenants WHERE state = 'active'").splitlines())
    shared = {check["id"] for check in server.tenantry("isolation", "rules")["checks"]
              if check["kind"] == "probe" and "row" in check["tiers"] and "schema" not in check["tiers"]}
    with harness.temporary_folder() as folder:
        path = os.path.join(folder, "report.json")
        answer = server.tenantry("isolation", "verify", "--pairs", "1", "--seed", "4", "--report", path)
        with open(path, encoding="utf-8") as f:
            report = json.load(f)["report"]
        checked = check_report(path).json()
    assert report["format"] == "tenantry isolation report 2" and report["tenants"] == len(tiers) > 2
    assert {key: report[key] for key in ("mode", "pairs", "seed", "tried")} == dict(mode="pairs", pairs=1, seed=4, tried=1)
    assert all(checked[key] == report[key] for key in ("mode", "pairs", "seed", "tried", "tenants")), checked
    assert len(report["tried_tenants"]) == 1 and report["tried_tenants"][0] in tiers
    probes = [check for check in report["checks"] if check["kind"] == "probe"]
    assert sum(check["attempts"] for check in probes) == report["probes"] == answer["probes"] > 0
    assert all(check["attempts"] is None for check in report["checks"] if check["kind"] == "rule")
    for check in probes:
        assert check["attempts"] > 0 or (check["state"], bool(check["reason"])) == ("not checked", True), check
    if tiers[report["tried_tenants"][0]] == "schema":
        assert shared <= {check["id"] for check in probes if check["attempts"] == 0}


def test_what_no_login_had_to_try_is_skipped_and_told():
    place("globex")
    place()
    server = shared_server()
    run = functools.partial(server.tenantry, "isolation", "verify", "acme", json=False)
    answer = run("--json").json()
    idle = {check["id"] for check in answer["checks"] if check["attempts"] == 0}
    assert "probe_shared_read" in idle and "probe_read" not in idle, idle
    root = ElementTree.fromstring(run("--format", "junit").out)
    skipped = {case.get("name") for case in root.iter("testcase") if case.find("skipped") is not None}
    assert idle <= skipped and "probe_read" not in skipped, skipped
    values = {p.get("name"): p.get("value") for p in root.find("testsuite").iter("property")}
    assert (values["mode"], values["tried"]) == ("one_neighbour", "1")
    log = json.loads(run("--format", "sarif").out)["runs"][0]
    told = {n["associatedRule"]["id"] for n in log["invocations"][0]["toolExecutionNotifications"]}
    assert idle <= told and log["properties"]["tried"] == 1
    text = run().out
    assert "tried as 1 of 1 tenant: one neighbour each, seed" in text and "nothing there to try, no attempt: probe_" in text
    assert max(len(line) for line in text.splitlines()) <= 100


def test_a_trick_that_is_refused_was_tried():
    """Tenants may make nothing temporary, which they are told before the statement that the trick is for."""
    server, slugs = shared_server(), ("trickster", "trickster-neighbour")
    for slug in slugs:
        server.create(slug, "saas")
    try:
        for more in ((), ("--all-pairs",)):
            checks = {c["id"]: c for c in server.tenantry("isolation", "verify", slugs[0], *more)["checks"]}
            shadow = checks["probe_shared_shadow"]
            assert (shadow["attempts"] > 0, shadow["state"], shadow["reason"]) == (True, "clean", None), shadow
    finally:
        for slug in slugs:
            server.tenantry("tenant", "archive", slug, "--drain-timeout", "0s")
            server.tenantry("tenant", "purge", slug, "--yes")


def test_a_changed_report_is_noticed():
    with signed_report() as path:
        with open(path, encoding="utf-8") as f:
            text = f.read()
        changes = {
            text.replace('"verdict": "isolated', '"verdict": "Isolated'),
            text.replace('"failing": 0', '"failing": 1'),
            text.replace("  ", " ", 1),
            text + "\n",
            text[:-1],
            text.replace('"Ed25519"', '"ed25519"'),
            "",
            "no report",
        }
        assert text not in changes
        for changed in changes:
            with open(path, "w", encoding="utf-8") as f:
                f.write(changed)
            result = check_report(path, expect=None)
            check_refusal(result, "report_changed", "is not what was signed")
            assert json.loads(result.out)["state"] == "changed"
            assert json.loads(result.out)["verdict"] is None


def test_a_report_of_another_installation_is_told_apart():
    key = shared_server().tenantry("isolation", "key")["public_key"]
    with harness.Server() as other, harness.temporary_folder() as folder:
        other.up()
        path = os.path.join(folder, "report.json")
        other.refused("finding_missing", "isolation", "list", says=("no run", "isolation verify"))
        other.tenantry("isolation", "verify", "--rules-only", "--report", path)
        assert check_report(path).json()["state"] == "right_if_key_is"
        result = check_report(path, "--key", key, expect=None)
        check_refusal(result, "report_key_unknown", "not by the one that you trust")
        assert json.loads(result.out)["state"] == "unknown_key"


def test_the_signing_key_stays_when_the_master_key_is_rotated():
    server = shared_server()
    before = server.tenantry("isolation", "key")
    server.tenantry("key", "rotate")
    assert server.tenantry("isolation", "key") == before
    assert len(audit_entries("isolation.key")) == 1


def test_an_accepted_finding_does_not_fail_until_the_day_is_over():
    server = shared_server()
    with broken():
        finding = the_finding(verify(expect=76))
        server.refused("input_invalid", "isolation", "accept", finding["id"], "--reason", "x", "--until", "2020-01-31",
                       says=("is over",))
        for day in ("2027-02-30", "tomorrow", "2027-1-1", "31.1.2027"):
            server.refused("input_invalid", "isolation", "accept", finding["id"], "--reason", "x", "--until", day,
                           says=("is no day",))
        server.refused("input_invalid", "isolation", "accept", finding["id"], "--reason", " ", says=("reason",))
        server.refused("finding_missing", "isolation", "accept", "0" * 16, "--reason", "x")
        answer = server.accept(finding, "--reason", "a shared list", "--until", "2999-12-31")
        assert answer["until"] == "2999-12-31T23:59:59Z"
        found = verify()
        assert found["accepted"] == 1 and found["failing"] == 0
        assert found["verdict"] == "isolated_but_for_accepted" and not found["is_isolated"]
        with signed_report() as path:
            checked = check_report(path).json()
            assert (checked["verdict"], checked["accepted"]) == ("isolated_but_for_accepted", 1)
            assert [(f["severity"], f["id"], f["accepted_until"]) for f in checked["found"]] == [
                (finding["severity"], finding["id"], "2999-12-31T23:59:59Z")]
        text = server.tenantry("isolation", "verify", "acme", "--rules-only", json=False).out
        assert text.startswith("isolated but for 1 accepted finding (1 critical)")
        assert the_finding(found)["accepted"]["reason"] == "a shared list"
        assert "accepted until 2999-12-31" in server.tenantry("isolation", "verify", "--rules-only", json=False).out
        junit = server.tenantry("isolation", "verify", "--rules-only", "--format", "junit", json=False).out
        assert "a shared list" in junit and "<failure" not in junit
        sarif = json.loads(server.tenantry("isolation", "verify", "--rules-only", "--format", "sarif", json=False).out)
        assert sarif["runs"][0]["results"][0]["suppressions"][0]["justification"] == "a shared list"
        server.psql("UPDATE tenantry.isolation_acceptances SET until = now() - interval '1 second'")
        assert verify(expect=76)["failing"] == 1
    entry = audit_entries("isolation.accept")[0]
    assert entry["tenant"] == "acme" and entry["detail"]["reason"] == "a shared list"


def on_a_terminal(*args, typed):
    """Exit status and all that is seen of a command whose question a person answers."""
    main, other = os.openpty()
    child = subprocess.Popen([harness.BINARY, *args], env=harness.environment(shared_server().env), stdin=other, stdout=other,
                             stderr=other)
    os.close(other)
    seen, is_asked = b"", False
    try:
        while chunk := os.read(main, 4096):
            seen += chunk
            if b"to confirm: " in seen and not is_asked:
                is_asked = True
                os.write(main, typed.encode() + b"\n")
    except OSError:
        pass  # what a terminal says at its end
    os.close(main)
    return child.wait(harness.EXIT_TIMEOUT_S), seen.decode()


def test_what_is_accepted_is_what_was_read_or_is_shown():
    """A finding keeps its id when there is more of it, and cron may have verified since a person looked."""
    server = shared_server()
    with broken():
        seen = the_finding(verify(expect=76))
        accept = ("isolation", "accept", seen["id"], "--reason", "reading is meant")
        with broken("INSERT, DELETE ON {0}.trades"):
            watch(expect=76)
            error = check_refusal(server.tenantry(*accept, expect=None), "confirmation_needed", "was not confirmed")
            more = the_finding(verify(expect=76))
            assert "--definition " + more["definition"] in error["hint"]
            assert more["id"] == seen["id"] and more["definition"] != seen["definition"] and "DELETE" in more["evidence"]
            assert all(f["evidence"].endswith("(definition %s)" % f["definition"]) for f in (seen, more))
            for definition in (seen["definition"], "0" * 32):
                refused = server.tenantry(*accept, "--definition", definition, expect=None)
                check_refusal(refused, "confirmation_needed", "has changed")
                assert more["evidence"] in refused.err, refused.text()
            assert verify(expect=76)["accepted"] == 0
            listed = server.tenantry("isolation", "list", "acme")["findings"]
            assert [f["definition"] for f in listed if f["id"] == seen["id"]] == [more["definition"]]
            assert server.accept(more, "--reason", "so it is")["evidence"] == more["evidence"]
            assert verify()["accepted"] == 1
        server.tenantry("isolation", "reopen", seen["id"])


def test_on_a_terminal_what_is_accepted_is_shown_and_asked_about():
    with broken():
        finding = the_finding(verify(expect=76))
        for typed, expect in (("no", 64), ("accept", 0)):
            status, screen = on_a_terminal("isolation", "accept", finding["id"], "--reason", "meant", typed=typed)
            assert status == expect and finding["definition"] in "".join(screen.split()), screen
            assert verify(expect=76 if expect else 0)["accepted"] == (0 if expect else 1)
        shared_server().tenantry("isolation", "reopen", finding["id"])


def test_more_than_was_accepted_counts_again():
    server = shared_server()
    with broken():
        finding = the_finding(verify(expect=76))
        server.accept(finding, "--reason", "reading is meant")
        assert verify()["accepted"] == 1
        with broken("DELETE ON {0}.trades"):
            again = the_finding(verify(expect=76))
            assert again["id"] == finding["id"] and again["accepted"] is None
        # The finally above took DELETE away again, and SELECT alone is accepted still.
        assert verify()["accepted"] == 1
        server.tenantry("isolation", "reopen", finding["id"])


def test_another_way_to_what_was_accepted_counts_again():
    """A role that is reached through another gets one power more: the same check, tenant and object."""
    server = shared_server()
    server.psql("CREATE ROLE reporting; GRANT pg_monitor TO reporting; GRANT reporting TO %s" % acme_app(), server.superuser)
    try:
        assert counts_again("GRANT pg_read_all_data TO reporting", "REVOKE pg_read_all_data FROM reporting", "member_predefined")
    finally:
        server.psql("DROP ROLE reporting", server.superuser)


def counts_again(change, undo, check):
    """Accepts what the check finds, and changes it: whether it counts again, under the same id."""
    server = shared_server()

    def found():
        answer = server.tenantry("isolation", "verify", "--rules-only", "--json", json=False, expect=None).json()
        return [f for f in answer["findings"] if f["check"] == check]

    first = found()
    assert len(first) == 1, first
    server.accept(first[0], "--reason", "as it is now")
    assert found()[0]["accepted"]["reason"] == "as it is now"
    server.psql(change, server.superuser)
    changed = found()
    server.psql(undo, server.superuser)
    assert found()[0]["accepted"] is not None
    server.tenantry("isolation", "reopen", first[0]["id"])
    return [f["id"] for f in changed] == [first[0]["id"]] and changed[0]["accepted"] is None


def test_an_accepted_policy_that_is_opened_counts_again():
    server = shared_server()
    table = shared_place() + ".items"
    using = server.psql("SELECT pg_get_expr(polqual, polrelid) FROM pg_policy WHERE polrelid = '%s'::regclass"
                        " AND polname = 'tenant_guard'" % table, server.superuser)
    policy = "ALTER POLICY tenant_guard ON %s USING (%%s)" % table
    stricter = policy % ("(%s) AND id > 0" % using)
    server.psql(stricter, server.superuser)
    try:
        assert counts_again(policy % "true", stricter, "policy_changed")
    finally:
        server.psql(policy % using, server.superuser)


def test_an_accepted_view_that_shows_more_counts_again():
    server = shared_server()
    globex = place("globex")
    view = "CREATE OR REPLACE VIEW %s.seen AS SELECT %%s AS n FROM %s.trades" % (globex, place())
    server.psql(view % "count(*)", server.superuser)
    try:
        assert counts_again(view % "count(*) + max(length(id::text))", view % "count(*)", "cross_view")
    finally:
        server.psql("DROP VIEW %s.seen" % globex, server.superuser)


def test_an_accepted_right_that_may_be_passed_on_counts_again():
    server = shared_server()
    login = server.psql("SELECT r.name FROM tenantry.roles r JOIN tenantry.tenants t ON t.id = r.tenant_id"
                        " WHERE t.slug = 'globex' AND r.kind = 'app'") if place("globex") else ""
    table = place() + ".trades"
    server.psql("GRANT SELECT ON %s TO %s" % (table, login), server.superuser)
    try:
        assert counts_again("GRANT SELECT ON %s TO %s WITH GRANT OPTION" % (table, login),
                            "REVOKE GRANT OPTION FOR SELECT ON %s FROM %s" % (table, login), "grant_table")
    finally:
        server.psql("REVOKE ALL ON %s FROM %s" % (table, login), server.superuser)


def test_an_accepted_function_with_another_body_counts_again():
    server = shared_server()
    schema = place()
    owner = server.psql("SELECT nspowner::regrole FROM pg_namespace WHERE nspname = '%s'" % schema)
    function = ("SET ROLE %s; CREATE OR REPLACE FUNCTION %s.runs(q text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER"
                " SET search_path = %s, pg_temp AS $$ BEGIN %%s EXECUTE q; END $$; RESET ROLE" % (owner, schema, schema))
    server.psql(function % "", server.superuser)
    try:
        assert counts_again(function % "q := q || ';';", function % "", "definer_dynamic")
    finally:
        server.psql("DROP FUNCTION %s.runs" % schema, server.superuser)


def test_an_accepted_aggregate_with_another_function_counts_again():
    server, schema = shared_server(), place()
    place("globex")
    login = server.tenantry("tenant", "show", "globex")["roles"]["app"]
    owner = server.psql("SELECT nspowner::regrole FROM pg_namespace WHERE nspname = '%s'" % schema)
    name = "%s.tally(integer)" % schema
    aggregate = "CREATE OR REPLACE AGGREGATE %s (SFUNC = %%s, STYPE = integer)" % name
    server.psql("%s; ALTER AGGREGATE %s OWNER TO %s; REVOKE ALL ON FUNCTION %s FROM PUBLIC; GRANT EXECUTE ON FUNCTION %s TO %s"
                % (aggregate % "int4pl", name, owner, name, name, login), server.superuser)
    try:
        assert counts_again(aggregate % "int4mul", aggregate % "int4pl", "grant_function")
    finally:
        server.psql("DROP AGGREGATE %s" % name, server.superuser)


def test_an_accepted_subscription_to_something_else_counts_again():
    server, role = shared_server(), acme_app()
    server.psql("CREATE SUBSCRIPTION s CONNECTION 'dbname=none' PUBLICATION p WITH (connect = false);"
                " ALTER ROLE {0} SUPERUSER; ALTER SUBSCRIPTION s OWNER TO {0}; ALTER ROLE {0} NOSUPERUSER".format(role),
                server.superuser)
    publication = "ALTER SUBSCRIPTION s SET PUBLICATION %s WITH (refresh = false)"
    try:
        for check in ("subscription", "owns_outside"):
            assert counts_again(publication % "p, q", publication % "p", check), check
        found = server.tenantry("isolation", "verify", "--rules-only", "--json", json=False, expect=76).json()["findings"]
        assert ["superusers only" in f["evidence"] for f in found if f["check"] == "subscription"] == [True]
    finally:
        server.psql("ALTER SUBSCRIPTION s SET (slot_name = NONE); DROP SUBSCRIPTION s", server.superuser)


def test_an_acceptance_of_what_has_no_definition_says_so():
    """An object that nothing is known of but its evidence."""
    server, role = shared_server(), acme_app()
    server.psql("CREATE TEXT SEARCH DICTIONARY public.words (TEMPLATE = simple);"
                " ALTER TEXT SEARCH DICTIONARY public.words OWNER TO %s" % role, server.superuser)
    try:
        found = [f for f in server.tenantry("isolation", "verify", "--rules-only", "--json", json=False, expect=76).json()["findings"]
                 if f["check"] == "owns_outside"]
        assert [f["evidence"].endswith("(definition %s, of this evidence alone)" % f["definition"]) for f in found] == [True], found
        assert server.accept(found[0], "--reason", "meant")["evidence"] == found[0]["evidence"]
        listed = [f for f in server.tenantry("isolation", "list")["findings"] if f["id"] == found[0]["id"]]
        assert [(f["definition"], f["reason"]) for f in listed] == [(found[0]["definition"], "meant")], listed
        server.tenantry("isolation", "reopen", found[0]["id"])
    finally:
        server.psql("DROP TEXT SEARCH DICTIONARY public.words", server.superuser)


def test_an_acceptance_of_what_leads_elsewhere_is_of_all_of_its_options():
    server, schema = shared_server(), place()
    owner = server.psql("SELECT nspowner::regrole FROM pg_namespace WHERE nspname = '%s'" % schema)
    table = schema + ".elsewhere"
    server.psql("CREATE FOREIGN DATA WRAPPER w; CREATE SERVER far FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE {0} (i int)"
                " SERVER far; ALTER FOREIGN TABLE {0} OWNER TO {1}".format(table, owner), server.superuser)
    try:
        for what, undo in (("FOREIGN TABLE %s OPTIONS (ADD schema_name 'a')" % table,
                            "FOREIGN TABLE %s OPTIONS (DROP schema_name)" % table),
                           ("FOREIGN TABLE %s ALTER i OPTIONS (ADD column_name 'a')" % table,
                            "FOREIGN TABLE %s ALTER i OPTIONS (DROP column_name)" % table),
                           ("SERVER far OPTIONS (ADD host 'a')", "SERVER far OPTIONS (DROP host)")):
            assert counts_again("ALTER " + what, "ALTER " + undo, "foreign_table"), what
    finally:
        server.psql("DROP FOREIGN DATA WRAPPER w CASCADE", server.superuser)


def test_an_acceptance_of_a_setting_of_the_database_is_of_all_of_its_value():
    server = shared_server()
    long = "ALTER DATABASE tenantry SET search_path = %s, %%s" % ("s" * 60)
    server.psql(long % "a", server.superuser)
    try:
        assert counts_again(long % "b", long % "a", "setting_database")
    finally:
        server.psql("ALTER DATABASE tenantry RESET search_path", server.superuser)


def test_a_reopened_finding_counts_again():
    server = shared_server()
    with broken():
        finding = the_finding(verify(expect=76))
        server.accept(finding, "--reason", "for a test")
        verify()
        server.tenantry("isolation", "reopen", finding["id"])
        verify(expect=76)
        server.refused("finding_missing", "isolation", "reopen", finding["id"], says=("not accepted",))
    assert audit_entries("isolation.reopen")[0]["detail"]["finding"] == finding["id"]


def test_the_last_run_is_listed():
    server = shared_server()
    with broken():
        run = verify(expect=76)
        listed = server.tenantry("isolation", "list", "acme")
        assert listed["run"] == run["run"] and not listed["has_probes"]
        assert [f["id"] for f in listed["findings"]] == [f["id"] for f in run["findings"]]
    verify()
    assert server.tenantry("isolation", "list", "acme")["findings"] == []


def test_a_leak_that_a_superuser_made_is_mended_and_audited():
    server = shared_server()
    with broken():
        finding = the_finding(verify(expect=76))
        server.refused("confirmation_needed", "isolation", "mend", finding["id"], says=("--yes",))
        assert the_finding(verify(expect=76)) == finding
        answer = server.tenantry("isolation", "mend", finding["id"], "--yes")
        assert answer["mended"] == 1 and answer["mends"][0]["statement"] == finding["mend"]
        assert verify()["findings"] == []
        server.refused("finding_missing", "isolation", "mend", finding["id"], "--yes")
        server.refused("input_invalid", "isolation", "mend", says=("--all",))
    mended = audit_entries("isolation.mended")[0]
    assert mended["tenant"] == "acme" and mended["detail"]["statement"] == finding["mend"]
    assert mended["job"] == answer["job"]
    assert audit_entries("isolation.mend")[0]["detail"] == {finding["id"]: finding["mend"]}
    assert server.psql("SELECT count(*) FROM pg_auth_members m JOIN tenantry.places p"
                       " ON p.owner_role = m.roleid::regrole::text WHERE m.member = current_user::regrole") == "0"


def test_all_findings_are_mended_but_those_that_are_for_a_person():
    server = shared_server()
    acme, globex = place(), place("globex")
    view = "%s.copied" % globex
    server.psql("CREATE MATERIALIZED VIEW %s AS SELECT count(*) AS n FROM %s.trades" % (view, acme), server.superuser)
    try:
        result = server.tenantry("isolation", "mend", "--all", "--yes", expect=None)
        error = check_refusal(result, "isolation_violated", "1 of 1 findings are still there", "postgres owns it")
        assert error["hint"].endswith("ALTER MATERIALIZED VIEW {0} OWNER TO {1}_owner".format(view, globex))
        server.psql("ALTER MATERIALIZED VIEW {0} OWNER TO {1}_owner".format(view, globex), server.superuser)
        with broken(), broken("INSERT ON {0}.positions"):
            found = server.tenantry("isolation", "verify", "--rules-only", "--json", json=False, expect=76).json()["findings"]
            by_hand = [f["id"] for f in found if (f["mend"] or "DROP MATERIALIZED").startswith("DROP MATERIALIZED")]
            answer = server.tenantry("isolation", "mend", "--all", "--yes")
            assert answer["mended"] >= 2 and answer["by_hand"] == len(by_hand) >= 1, answer
            assert len(found) == answer["mended"] + answer["by_hand"]
            server.refused("input_invalid", "isolation", "mend", by_hand[0], "--yes", says=("for a person to mend",))
            assert server.psql("SELECT to_regclass('%s') IS NOT NULL" % view, server.superuser) == "t"
            assert server.tenantry("isolation", "mend", "--all", "--yes")["job"] is None
    finally:
        server.psql("DROP MATERIALIZED VIEW %s" % view, server.superuser)


POLICIES = ("SELECT c.oid::regclass, pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)"
            " FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid WHERE p.polname = 'tenant_guard' ORDER BY 1")


def shared_place():
    """The schema of the row tier; made at first use."""
    server = shared_server()
    if not server.psql("SELECT 1 FROM tenantry.tenants WHERE slug = 'hooli'"):
        with harness.temporary_folder() as folder:
            os.makedirs(folder + "/pool/migrations")
            for name, text in ROW_BLUEPRINT.items():
                with open("%s/pool/%s" % (folder, name), "w", encoding="utf-8") as f:
                    f.write(text)
            server.tenantry("blueprint", "add", folder + "/pool")
        server.create("hooli", "pool")
    return place("hooli")


def test_nothing_is_mended_after_a_measure_that_is_wrong():
    server = shared_server()
    schema = shared_place()
    whole = server.psql(POLICIES)
    server.psql("ALTER POLICY tenant_guard ON tenantry.guard USING (true) WITH CHECK (true)")
    opened = server.psql(POLICIES)
    found = server.tenantry("isolation", "verify", "--rules-only", "--json", json=False, expect=76).json()["findings"]
    guard = [f["id"] for f in found if f["check"] == "guard_changed"]
    others = [f["id"] for f in found if f["check"] == "policy_changed" and schema in f["object"]]
    assert len(guard) == 1 and others
    for ids in (["--all"], [others[0]], ["%s,%s" % (guard[0], others[0])]):
        server.refused("isolation_violated", "isolation", "mend", *ids, "--yes", says=("nothing is mended", guard[0]))
        assert server.psql(POLICIES) == opened
    assert server.tenantry("isolation", "mend", guard[0], "--yes")["mended"] == 1
    assert server.psql(POLICIES) == whole
    assert verify()["findings"] == []


def test_all_findings_are_mended_but_those_that_are_accepted_or_only_narrow():
    server = shared_server()
    table = shared_place() + ".items"
    server.psql("CREATE POLICY narrow ON %s AS RESTRICTIVE USING (id > 0)" % table, server.superuser)
    try:
        with broken():
            finding = the_finding(verify(expect=76))
            server.accept(finding, "--reason", "meant")
            answer = server.tenantry("isolation", "mend", "--all", "--yes")
            assert (answer["mended"], answer["by_hand"], answer["accepted"]) == (0, 1, 1), answer
            assert the_finding(verify())["id"] == finding["id"]
            found = server.tenantry("isolation", "verify", "--rules-only", "--json", json=False, expect=76).json()
            assert [f["mend"] for f in found["findings"] if f["check"] == "policy_beside"] == [None]
            assert server.tenantry("isolation", "mend", finding["id"], "--yes")["mended"] == 1
            assert server.psql("SELECT count(*) FROM pg_policy WHERE polname = 'narrow'") == "1"
            server.tenantry("isolation", "reopen", finding["id"])
    finally:
        server.psql("DROP POLICY narrow ON %s" % table, server.superuser)


def test_roles_that_are_merely_reached_keep_what_they_may():
    """Mending takes the membership away, which is what is wrong: replication goes on."""
    server = shared_server()
    server.psql("CREATE ROLE copier LOGIN REPLICATION; GRANT copier TO %s" % acme_app(), server.superuser)
    try:
        found = verify(expect=76)["findings"]
        assert [f["mend"] for f in found if f["check"] == "role_replication"] == [None], found
        server.tenantry("isolation", "mend", "--all", "--yes", expect=None)
        assert verify()["findings"] == []
        assert server.psql("SELECT rolreplication FROM pg_roles WHERE rolname = 'copier'") == "t"
    finally:
        server.psql("DROP ROLE copier", server.superuser)


def test_mending_leaves_a_login_its_search_path():
    """Without one it would find none of its tables; a resume sets its own again."""
    server, role = shared_server(), acme_app()
    path = ("SELECT substr(c, 13) FROM pg_db_role_setting s, unnest(s.setconfig) c (c)"
            " WHERE s.setrole = '%s'::regrole AND c LIKE 'search_path=%%'" % role)
    own = server.psql(path, server.superuser)
    server.psql("ALTER ROLE %s SET search_path = %s, %s" % (role, own, shared_place()), server.superuser)
    found = verify(expect=76)["findings"]
    assert [(f["check"], f["mend"]) for f in found] == [("setting_search_path", None)], found
    assert server.tenantry("isolation", "mend", "--all", "--yes")["by_hand"] == 1
    assert server.psql(path, server.superuser) == "%s, %s" % (own, shared_place())
    server.tenantry("tenant", "suspend", "acme")
    server.tenantry("tenant", "resume", "acme")
    assert server.psql(path, server.superuser) == own
    assert verify()["findings"] == []


def test_a_map_that_hides_its_rows_is_mended_before_anything_is_said_about_them():
    """Forced row-level security holds Tenantry's own role too: it sees no row, forged ones neither."""
    with harness.Server() as server:
        server.up()
        one, other = server.create("one", "saas"), server.create("other", "saas")
        role = one["connections"][0]["role"]
        verify_all = functools.partial(server.tenantry, "isolation", "verify", "--rules-only", "--json", json=False)
        server.psql("UPDATE tenancy.role_tenants SET tenant_id = '%s' WHERE role_name = '%s';"
                    " ALTER TABLE tenancy.role_tenants FORCE ROW LEVEL SECURITY" % (other["id"], role), server.superuser)
        assert [f["check"] for f in verify_all(expect=76).json()["findings"]] == ["map_open"]
        server.refused("pg_right_missing", "tenant", "create", "third", "--blueprint", "saas", says=("isolation verify",))
        assert server.tenantry("isolation", "mend", "--all", "--yes")["mended"] == 1
        found = verify_all(expect=76).json()["findings"]
        assert [f["check"] for f in found] == ["map_forged"] and role in found[0]["object"], found
        assert server.tenantry("isolation", "mend", "--all", "--yes")["mended"] == 1
        assert verify_all().json()["is_isolated"]


def test_a_setting_of_the_plan_that_a_tenant_may_change_fails_nobody():
    server = shared_server()
    place()
    login = server.tenantry("tenant", "credentials", "acme")["connections"][0]["uri"]
    before = server.psql("SHOW work_mem", login)
    server.psql("ALTER ROLE CURRENT_USER SET work_mem = '23MB'", login)
    try:
        answer = server.tenantry("isolation", "verify", "acme", "--json", json=False).json()
        found = answer["findings"]
        assert [f["check"] for f in found] == ["probe_plan_setting"] and answer["failing"] == 0, answer
        assert answer["verdict"] == "isolated_but_for_accepted" and "known limit" in found[0]["accepted"]["reason"]
        text = server.tenantry("isolation", "verify", json=False).out
        assert text.startswith("isolated but for 1 accepted finding (1 low)"), text
        server.refused("finding_missing", "isolation", "mend", found[0]["id"], "--yes", says=("a probe", "isolation list"))
    finally:
        server.psql("ALTER ROLE CURRENT_USER SET work_mem = '%s'" % before, login)
    assert server.tenantry("isolation", "verify", "acme", "--json", json=False).json()["findings"] == []


def test_statements_are_shown_before_they_run_whatever_is_silenced():
    server = shared_server()
    for silenced in (["-q"], ["--json"]):
        with broken():
            finding = the_finding(verify(expect=76))
            shown = server.tenantry("isolation", "mend", finding["id"], "--yes", *silenced, json=False).err
            assert "%s  %s;" % (finding["id"], finding["mend"]) in shown


def test_mending_that_was_killed_goes_on():
    harness.require_faults()
    server = shared_server()
    for when in ("isolation.mend.apply.begin", "isolation.mend.apply.after"):
        with broken():
            finding = the_finding(verify(expect=76))
            killed = server.tenantry("isolation", "mend", finding["id"], "--yes", expect=None,
                                     env={"TENANTRY_FAULT_AT": when})
            assert killed.status == -9, killed.text()
            server.tenantry("job", "resume")
            assert verify()["findings"] == []
    assert server.tenantry("audit", "verify")["is_whole"]


def watch(expect=0):
    place()
    result = shared_server().tenantry("isolation", "watch", "acme", "--rules-only", "--json", json=False, expect=expect)
    return result.json()


def test_watching_tells_what_is_new_and_what_is_gone():
    verify()
    assert watch()["new"] == [] and not watch()["is_catalogue_changed"]
    with broken():
        first = watch(expect=76)
        assert len(first["new"]) == 1 and first["is_catalogue_changed"] and first["gone"] == []
        finding = first["new"][0]["id"]
        second = watch()
        assert second["new"] == [] and second["unchanged"] == 1 and not second["is_catalogue_changed"]
    third = watch()
    assert third["gone"] == [finding] and third["is_catalogue_changed"] and third["unchanged"] == 0


def test_watching_tells_when_an_acceptance_is_over_or_a_finding_has_grown():
    server = shared_server()
    with broken():
        seen = the_finding(verify(expect=76))
        finding = seen["id"]
        server.accept(seen, "--reason", "for a while")
        assert watch()["unchanged"] == 1
        server.psql("UPDATE tenantry.isolation_acceptances SET until = now() - interval '1 second'")
        assert [f["id"] for f in watch(expect=76)["new"]] == [finding]
        assert watch()["unchanged"] == 1
        with broken("DELETE ON {0}.trades"):
            assert [f["id"] for f in watch(expect=76)["new"]] == [finding]


def test_the_hash_of_the_catalogue_changes_with_all_that_the_rules_read():
    server = shared_server()
    table, schema = shared_place() + ".items", place()
    role, owner = ("%s_%s" % (schema, kind) for kind in ("app", "owner"))
    using = server.psql("SELECT pg_get_expr(polqual, polrelid) FROM pg_policy WHERE polrelid = '%s'::regclass"
                        " AND polname = 'tenant_guard'" % table, server.superuser)
    changes = [
        ("ALTER TABLE %s DISABLE ROW LEVEL SECURITY", "ALTER TABLE %s ENABLE ROW LEVEL SECURITY", table),
        ("ALTER TABLE %s NO FORCE ROW LEVEL SECURITY", "ALTER TABLE %s FORCE ROW LEVEL SECURITY", table),
        ("ALTER POLICY tenant_guard ON %s USING (true)", "ALTER POLICY tenant_guard ON %%s USING (%s)" % using, table),
        ("ALTER ROLE %s BYPASSRLS", "ALTER ROLE %s NOBYPASSRLS", role),
        ("ALTER ROLE %s SET row_security = off", "ALTER ROLE %s RESET row_security", role),
        ("ALTER DEFAULT PRIVILEGES FOR ROLE %s GRANT SELECT ON TABLES TO PUBLIC",
         "ALTER DEFAULT PRIVILEGES FOR ROLE %s REVOKE SELECT ON TABLES FROM PUBLIC", owner),
    ]

    def catalogues():
        runs = [server.tenantry("isolation", "verify", *who, "--rules-only", "--json", json=False, expect=None).json()
                for who in ([], ["hooli"], ["acme"])]
        return [run["catalogue"] for run in runs]

    before = catalogues()
    assert catalogues() == before
    for change, undo, what in changes:
        server.psql(change % what, server.superuser)
        now = catalogues()
        server.psql(undo % what, server.superuser)
        concerned = 1 if what == table else 2
        assert now[0] != before[0] and now[concerned] != before[concerned], change
        before = catalogues()
    # What is of the server as a whole is in every one.
    server.psql("CREATE SCHEMA beside; CREATE FUNCTION beside.f(xml) RETURNS money LANGUAGE sql AS 'SELECT 1::money'",
                server.superuser)
    before = catalogues()
    try:
        for change in ("GRANT USAGE ON SCHEMA pg_toast TO PUBLIC", "GRANT USAGE ON SCHEMA beside TO PUBLIC",
                       "CREATE CAST (xml AS money) WITH FUNCTION beside.f(xml)",
                       "CREATE OR REPLACE FUNCTION beside.f(xml) RETURNS money LANGUAGE sql AS 'SELECT 2::money'",
                       "GRANT CREATE ON SCHEMA beside TO PUBLIC", "GRANT EXECUTE ON FUNCTION pg_stat_reset() TO PUBLIC"):
            server.psql(change, server.superuser)
            now = catalogues()
            assert all(one != then for one, then in zip(now, before)), change
            before = now
    finally:
        server.psql("DROP SCHEMA beside CASCADE; REVOKE USAGE ON SCHEMA pg_toast FROM PUBLIC;"
                    " REVOKE EXECUTE ON FUNCTION pg_stat_reset() FROM PUBLIC", server.superuser)


def test_spares_are_no_tenants():
    server = shared_server()
    place()
    server.tenantry("spare", "fill", "trading", "--count", "2")
    tenants = int(server.psql("SELECT count(*) FROM tenantry.tenants WHERE state = 'active'"))
    with harness.temporary_folder() as folder:
        path = os.path.join(folder, "report.json")
        answer = server.tenantry("isolation", "verify", "--rules-only", "--report", path)
        assert (answer["tenants"], answer["spares"]) == (tenants, 2)
        with open(path, encoding="utf-8") as f:
            assert json.load(f)["report"]["tenants"] == tenants
    assert "%d tenant" % tenants in server.tenantry("isolation", "verify", "--rules-only", json=False).out


def test_only_as_many_runs_are_kept_as_the_option_says():
    server = shared_server()
    for _ in range(3):
        server.tenantry("isolation", "verify", "acme", "--rules-only", env={"TENANTRY_ISOLATION_RUNS": "2"})
    kept = server.psql("SELECT count(*) FROM tenantry.isolation_runs r JOIN tenantry.tenants t ON t.id = r.tenant_id"
                       " WHERE t.slug = 'acme' AND NOT r.has_probes")
    assert kept == "2", kept


def test_options_that_exclude_each_other_are_refused():
    place()
    for options in (["--rules-only", "--all-pairs"], ["--rules-only", "--pairs", "2"], ["--pairs", "2", "--all-pairs"]):
        shared_server().refused("input_invalid", "isolation", "verify", *options, says=("only one of",))
    shared_server().refused("tenant_missing", "isolation", "verify", "nobody")


def test_probes_log_in_and_a_leak_shows_there_too():
    server = shared_server()
    place("globex")
    clean = server.tenantry("isolation", "verify", "acme", "--seed", "1")
    assert clean["probes"] > 0 and clean["seed"] == 1
    checks = {check["id"]: check["kind"] for check in server.tenantry("isolation", "rules")["checks"]}
    with broken(), broken("USAGE ON SCHEMA {0}"):
        result = server.tenantry("isolation", "verify", "--json", json=False, expect=76)
        probed = [f for f in result.json()["findings"] if checks[f["check"]] == "probe"]
        assert probed, result.text()
        assert server.tenantry("isolation", "list")["has_probes"]


def test_an_acceptance_of_a_shared_schema_or_an_outside_function_is_of_what_is_in_it():
    schema = place()
    cases = [("shared_schema", "GRANT USAGE ON SCHEMA util TO PUBLIC; CREATE VIEW util.a AS SELECT 1 AS i;"
              " GRANT SELECT ON util.a TO PUBLIC", "CREATE OR REPLACE VIEW util.a AS SELECT 1 AS i FROM pg_authid"),
             ("shared_schema", "GRANT USAGE ON SCHEMA util TO PUBLIC; CREATE TABLE util.a (i int);"
              " GRANT SELECT ON util.a TO PUBLIC", "CREATE TABLE util.b AS SELECT * FROM %s.trades" % schema),
             ("uses_outside", "CREATE FUNCTION util.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
              " CREATE TRIGGER spy BEFORE UPDATE ON %s.portfolios FOR EACH ROW EXECUTE FUNCTION util.f()" % schema,
              "CREATE OR REPLACE FUNCTION util.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'")]
    for check, before, worse in cases:
        server = shared_server()
        server.psql("CREATE SCHEMA util; " + before, server.superuser)
        try:
            seen = verify(expect=76)["findings"]
            found = [f["id"] for f in seen]
            assert len(found) == 1, found
            server.accept(seen[0], "--reason", "meant")
            assert verify()["failing"] == 0
            server.psql(worse, server.superuser)
            again = [f for f in verify(expect=76)["findings"] if f["id"] == found[0]]
            assert [f["check"] for f in again] == [check], again
        finally:
            server.psql("DROP SCHEMA util CASCADE", server.superuser)


def test_a_name_that_xml_cannot_hold_does_not_break_the_junit_report():
    name = '"' + "we]]>ird\x01<&>\v\ufffe\uffff" + '"'
    server = shared_server()
    server.psql("CREATE TABLE {0}.{1} (); GRANT SELECT ON {0}.{1} TO PUBLIC".format(place(), name), server.superuser)
    try:
        result = server.tenantry("isolation", "verify", "acme", "--rules-only", "--format", "junit", json=False, expect=76)
        text = "".join(ElementTree.fromstring(result.out).itertext())
        assert "we]]>ird" in text
    finally:
        server.psql("DROP TABLE {0}.{1}".format(place(), name), server.superuser)


if __name__ == "__main__":
    harness.main()
