#!/usr/bin/env python3
"""What people type: every refusal has its code, message and exit status, and changes nothing."""
import subprocess

import harness
from harness import check_refusal, shared_server

COUNTS = (
    "SELECT (SELECT count(*) FROM tenantry.tenants), (SELECT count(*) FROM tenantry.jobs),"
    " (SELECT count(*) FROM tenantry.places), (SELECT count(*) FROM tenantry.roles),"
    " (SELECT count(*) FROM tenantry.credentials), (SELECT count(*) FROM tenantry_audit.entries),"
    " (SELECT count(*) FROM tenantry.blueprints), (SELECT count(*) FROM pg_roles), (SELECT count(*) FROM pg_namespace)"
)
MEGABYTE = "a" * 100_000  # the most that one argument of a program may have is 128 KiB

# Not a slug, and a part of the reason.
SLUGS = [
    ("", "is empty"),
    ("a", "too short"),
    ("a" * 64, "too long"),
    ("a" * 1001, "too long"),
    (MEGABYTE, "too long"),
    ("1abc", "does not start with a letter"),
    ("-abc", ""),
    ("abc-", "ends with a hyphen"),
    ("a--b", "two hyphens"),
    ("Acme", "upper-case"),
    ("ACME", "upper-case"),
    ("a_b", "not allowed"),
    ("a b", "not allowed"),
    (" ab", "not allowed"),
    ("a.b", "not allowed"),
    ("../etc", "not allowed"),
    ("..", "not allowed"),
    ("a/b", "not allowed"),
    ("a'b", "not allowed"),
    ("a\"b", "not allowed"),
    ("a;drop table x", "not allowed"),
    ("' or 1=1 --", "not allowed"),
    ("münchen", "not allowed"),
    ("а" * 5, "not allowed"),
    ("名前", "not allowed"),
    ("a\u200bb", ""),
    ("a\u202eb", ""),
    ("ａｂ", "not allowed"),
    ("a\nb", ""),
    ("a\tb", ""),
    ("a\x7fb", ""),
    ("a\x1b[31mb", ""),
    ("%00", "not allowed"),
    ("a$b", "not allowed"),
    ("$(id)", "not allowed"),
    ("`id`", "not allowed"),
    ("{a}", "not allowed"),
    ("a,b", "not allowed"),
]
RESERVED = [
    "admin",
    "api",
    "www",
    "public",
    "tenantry",
    "postgres",
    "pg-catalog",
    "pg-x",
    "root",
    "null",
    "true",
    "all",
    "default",
]


def refuse(code, *args, says=(), **options):
    """The error of a call that must change nothing."""
    server = shared_server()
    before = server.psql(COUNTS)
    error = server.refused(code, *args, says=says, **options)
    assert server.psql(COUNTS) == before, "changed by: %s" % (args,)
    return error


def create(slug):
    """Arguments that make a tenant; a slug that looks like an option goes behind the two hyphens."""
    return ["tenant", "create", "--blueprint", "saas", "--json", "--", slug]


def run_raw(argv):
    """The program with bytes as arguments."""
    done = subprocess.run(
        [harness.BINARY.encode(), *argv],
        env=harness.environment(shared_server().env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=harness.COMMAND_TIMEOUT_S,
        check=False,
    )
    done.stdout, done.stderr = (text.decode("utf-8") for text in (done.stdout, done.stderr))  # must be valid UTF-8
    return harness.Result([harness.BINARY, "..."], done)


def test_a_slug_that_breaks_a_rule_is_refused_with_the_rule():
    server = shared_server()
    before = server.psql(COUNTS)
    for slug, reason in SLUGS:
        result = server.tenantry(*create(slug), json=False, expect=None)
        error = check_refusal(result, "input_invalid", reason)
        assert len(error["message"]) < 400, error
        assert "slug" in error["message"], error
        assert all(c.isprintable() for c in error["message"]), error
    assert server.psql(COUNTS) == before


def test_a_reserved_word_is_no_slug():
    server = shared_server()
    before = server.psql(COUNTS)
    for slug in RESERVED:
        result = server.tenantry(*create(slug), json=False, expect=None)
        error = check_refusal(result, "input_invalid", "is reserved")
        assert error["hint"], error
    assert server.psql(COUNTS) == before


def test_a_slug_in_capitals_gets_the_right_spelling_as_a_hint():
    assert "\"acme-corp\"" in refuse("input_invalid", "tenant", "create", "Acme-Corp", "--blueprint", "saas")["hint"]


def test_a_slug_of_63_bytes_is_one():
    server = shared_server()
    for slug in ("a" * 63, "ab", "a-1-b", "x9"):
        assert server.create(slug, "saas")["slug"] == slug


def test_a_slug_is_taken_once_and_in_capitals_it_is_none():
    server = shared_server()
    server.create("taken", "saas")
    refuse("input_invalid", "tenant", "create", "TAKEN", "--blueprint", "saas")
    before = server.psql("SELECT count(*) FROM pg_roles")
    for blueprint in ("saas", "trading"):
        server.refused("slug_taken", "tenant", "create", "taken", "--blueprint", blueprint, says=["taken"])
    assert server.psql("SELECT count(*) FROM pg_roles") == before
    assert server.psql("SELECT count(*) FROM tenantry.tenants WHERE slug = 'taken' AND state = 'active'") == "1"


def test_invalid_utf8_is_refused_and_not_printed_back():
    server = shared_server()
    before = server.psql(COUNTS)
    for raw in (b"a\xff", b"\xc3\x28", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"a\xc0\xafb", b"\x80"):
        for argv in (
            [b"tenant", b"create", raw, b"--blueprint", b"saas", b"--json"],
            [b"tenant", b"create", b"fine", b"--blueprint", raw, b"--json"],
            [b"tenant", b"create", b"fine", b"--blueprint", b"saas", b"--name", raw, b"--json"],
            [b"tenant", b"create", b"fine", b"--blueprint", b"saas", b"--plan", raw, b"--json"],
            [b"tenant", b"show", raw, b"--json"],
            [b"audit", b"list", b"--action", raw, b"--json"],
            [raw, b"--json"],
            [b"tenant", raw, b"--json"],
            [b"up", b"--json", b"--" + raw],
        ):
            check_refusal(run_raw(argv), "usage", "UTF-8")
    assert server.psql(COUNTS) == before


def test_a_name_for_people_has_1_to_200_characters_and_no_control_characters():
    for name in ("", "   ", "x" * 201, "é" * 201, "a\nb", "a\x1b[2J", "a\u202eb", "a\x7f", MEGABYTE):
        refuse("input_invalid", "tenant", "create", "named", "--blueprint", "saas", "--name", name, says=["name"])


def test_a_name_may_be_in_any_script_and_is_kept_as_it_is():
    server = shared_server()
    for number, name in enumerate(
        ["é" * 200, "O'Neill \"& Sons\"; DROP TABLE tenants; --", "株式会社", "-x", "a\\b%s{slug}", "🏦 bank", "می\u200cخواهم", "👩\u200d🚀"]
    ):
        answer = server.create("script-%d" % number, "saas", "--name=" + name)
        assert answer["name"] == name
        assert server.tenantry("tenant", "show", "script-%d" % number)["name"] == name


def test_an_unknown_blueprint_is_told_with_the_nearest_one():
    error = refuse("blueprint_missing", "blueprint", "show", "tradin", says=["tradin"])
    assert "did you mean \"trading\"" in error["hint"], error
    for name in ("sass", "SAAS", "saas ", "'; DROP", "../saas", "nothing-like-it", "ü"):
        server = shared_server()
        server.refused("blueprint_missing", "tenant", "create", "fine", "--blueprint", name)
        refuse("blueprint_missing", "blueprint", "show", name)
    assert (
        shared_server().psql("SELECT count(*) FROM tenantry.tenants WHERE slug = 'fine' AND state <> 'failed'") == "0"
    )


def test_an_unknown_plan_is_told_with_those_that_there_are():
    server = shared_server()
    for plan in ("standart", "STANDARD", "basic", "'; --", "../free"):
        error = server.refused(
            "input_invalid", "tenant", "create", "fine", "--blueprint", "saas", "--plan", plan, says=["plan"]
        )
        assert "standard" in error["message"] + error["hint"], error
    assert server.psql("SELECT count(*) FROM tenantry.tenants WHERE slug = 'fine' AND state <> 'failed'") == "0"


def test_a_tier_that_the_blueprint_does_not_offer_is_refused():
    server = shared_server()
    server.refused(
        "input_invalid", "tenant", "create", "fine", "--blueprint", "saas", "--tier", "schema", says=["row"]
    )
    server.refused(
        "input_invalid", "tenant", "create", "fine", "--blueprint", "trading", "--tier", "row", says=["schema"]
    )
    for tier in ("", "rows", "ROW", "cluster", "row|schema"):
        refuse("input_invalid", "tenant", "create", "fine", "--blueprint", "saas", "--tier", tier, says=["tier"])


def test_what_can_be_done_about_it_is_in_the_hint():
    server = shared_server()
    job = str(server.create("hinted", "saas")["job"])
    past = ("--table", "sales", "--before", "2020-01-01")
    for code, argv, hint in (
        ("job_state", ["job", "cancel", job], "is not taken back"),
        ("job_state", ["job", "resume", job], "nothing of it is left to do"),
        ("blueprint_invalid", ["blueprint", "add", "/etc"], "a folder that has a blueprint.yaml"),
        ("tenant_missing", ["audit", "list", "--tenant", "nobody"], "tenant list"),
        ("finding_missing", ["isolation", "reopen", "0123456789abcdef"], "isolation list"),
        ("blueprint_missing", ["partition", "detach", "--blueprint", "nfe", *past], "--tenant"),
        ("input_invalid", ["migrate", "up", "saas", "--to", "99"], "blueprint show saas"),
    ):
        error = server.refused(code, *argv)
        assert hint in (error["hint"] or ""), (argv, error)


def test_an_empty_or_huge_word_is_refused_everywhere():
    for args in (
        ["tenant", "create", "fine", "--blueprint"],
        ["tenant", "create", "fine", "--blueprint", "saas", "--plan"],
        ["blueprint", "show"],
        ["tenant", "list", "--blueprint"],
        ["audit", "list", "--action"],
    ):
        for word in ("", MEGABYTE):
            refuse("input_invalid", *args, word)


def test_a_slug_to_look_up_is_held_to_the_same_form():
    for verb in ("show", "suspend", "resume", "archive", "rotate", "credentials", "purge"):
        for slug in ("", "Acme", "../x", "' OR 1=1", "a" * 64):
            error = refuse("input_invalid", "tenant", verb, slug)
            assert "slug" in error["message"], error


def test_numbers_have_a_range_and_a_form():
    for value in ("0", "-1", "100001", "99999999999999999999", "1.5", "ten", "", " 1", "1x", "0x10", "1e3"):
        refuse("input_invalid", "tenant", "list", "--limit=" + value, says=["limit"])
    for value in ("0", "x", "9223372036854775808", ""):
        refuse("input_invalid", "job", "show", value, says=["id"])
    shared_server().refused("job_missing", "job", "show", "9223372036854775807")


def test_durations_have_a_unit():
    for value in ("10", "10 s", "-1s", "1d", "s", "", "1.5s", "99999999h", "25h"):
        refuse("input_invalid", "tenant", "archive", "nobody", "--drain-timeout=" + value, says=["drain-timeout"])


def test_what_is_missing_is_named():
    refuse("usage", "tenant", "create", "fine", says=["--blueprint"])
    refuse("usage", "tenant", "create", "--blueprint", "saas", says=["SLUG"])
    refuse("usage", "tenant", "show", says=["SLUG"])
    refuse("usage", "partition", "detach", "--tenant", "x", "--table", "y", says=["--before"])
    refuse("input_invalid", "partition", "list", says=["--tenant"])


def test_words_and_options_that_nobody_knows_are_refused():
    for args in (
        ["tenant", "show", "a", "b"],
        ["tenant", "frob"],
        ["frob"],
        ["tenant"],
        ["--frob"],
        ["tenant", "list", "--frob"],
        ["tenant", "list", "--limit"],
        ["tenant", "list", "more"],
        ["up", "--port"],
        ["tenant", "list", "-x"],
        ["--version=1"],
        ["tenant", "purge", "x", "--yes=perhaps"],
    ):
        error = refuse("usage", *args)
        assert error["hint"] or "expected" in error["message"], error


def test_options_of_every_command_are_checked_before_anything_runs():
    for option in (
        "--retries=21",
        "--retries=-1",
        "--port=65536",
        "--port=x",
        "--connect-timeout=1ms",
        "--color=red",
        "--lock-timeout=forever",
    ):
        error = refuse("config_invalid", "tenant", "list", option)
        assert option[2:].split("=", 1)[0] in error["message"], error
    for name, value in (("TENANTRY_RETRIES", "many"), ("TENANTRY_PORT", "-1"), ("TENANTRY_QUIET", "perhaps")):
        error = refuse("config_invalid", "tenant", "list", env={name: value})
        assert name in error["message"], error


def test_a_leading_hyphen_is_an_option_unless_two_hyphens_came_before():
    server = shared_server()
    refuse("usage", "tenant", "show", "-abc")
    check_refusal(
        server.tenantry("tenant", "show", "--json", "--", "-abc", json=False, expect=None), "input_invalid", "slug"
    )


def test_dates_and_names_of_partitions_are_checked():
    server = shared_server()
    server.create("dated", "trading")
    for before in ("yesterday-ish", "2026-13-01", "' OR 1=1", "9" * 40):
        server.refused(
            "input_invalid",
            "partition",
            "detach",
            "--tenant",
            "dated",
            "--table",
            "trades",
            "--before",
            before,
            says=["before"],
        )
    for table in ("nothing", "trades; DROP", "Trades", "portfolios"):
        server.refused(
            "input_invalid",
            "partition",
            "detach",
            "--tenant",
            "dated",
            "--table",
            table,
            "--before",
            "2026-01-01",
            says=[table],
        )
    assert len(server.tenantry("partition", "list", "--tenant", "dated")["partitions"]) == 4


if __name__ == "__main__":
    harness.main()
