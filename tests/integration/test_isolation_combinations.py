#!/usr/bin/env python3
"""Leaks that no single statement makes: each is shown by brute force, reported by the rules of the fleet and by
those of one tenant alone; and each has a twin that looks alike, leaks nothing and is not reported."""
import contextlib
import functools

import harness
import isolation_acts
import isolation_fleet

_stack = contextlib.ExitStack()

OWN_FUNCTION = ("CREATE FUNCTION {b}.f() RETURNS text LANGUAGE plpgsql %s AS $f$ DECLARE r text; BEGIN"
                " EXECUTE 'SELECT string_agg(v, '' '') FROM ' || %s INTO r; RETURN r; END $f$;"
                " REVOKE ALL ON FUNCTION {b}.f() FROM PUBLIC; GRANT EXECUTE ON FUNCTION {b}.f() TO {b_app};"
                " ALTER FUNCTION {b}.f() OWNER TO %s")
DEFINER = "SECURITY DEFINER SET search_path = pg_catalog, pg_temp"
PARTS = ("CREATE TABLE {a}.log (id bigint, v text) PARTITION BY LIST (id); ALTER TABLE {a}.log OWNER TO {a_owner};"
         " GRANT SELECT ON {a}.log TO {a_app}; CREATE TABLE {%s}.part (id bigint, v text);"
         " ALTER TABLE {%s}.part OWNER TO {%s_owner}; INSERT INTO {%s}.part VALUES (%d, 'canary-%s');"
         " ALTER TABLE {a}.log ATTACH PARTITION {%s}.part DEFAULT")
WEAK_GUARD = ("DROP POLICY tenant_guard ON {p}.users; CREATE POLICY tenant_guard ON {p}.users"
              " USING (tenant_id = (SELECT m.tenant_id FROM tenancy.role_tenants m WHERE m.role_name = current_user))")
CHAIN = "GRANT free_one TO free_two; GRANT free_two TO free_three; GRANT SELECT ON {a}.notes TO free_one;"
NO_CHAIN = "REVOKE ALL ON {a}.notes FROM free_one; REVOKE free_two FROM free_three; REVOKE free_one FROM free_two;"
VIEWS = ("CREATE VIEW {b}.v1 AS SELECT id, v FROM {%s}.notes; ALTER VIEW {b}.v1 OWNER TO %s; CREATE VIEW {b}.v2 AS SELECT * FROM"
         " {b}.v1; ALTER VIEW {b}.v2 OWNER TO {b_owner}; GRANT SELECT ON {b}.v1 TO {b_owner}; GRANT SELECT ON {b}.v2 TO {b_app}")
DEFAULTS = "ALTER DEFAULT PRIVILEGES FOR ROLE {a_owner} IN SCHEMA {a} %s SELECT ON TABLES %s;"
NEXT = "SET LOCAL ROLE {a_owner}; CREATE TABLE {a}.next AS SELECT * FROM {a}.notes; RESET ROLE;"
JOIN = "GRANT USAGE ON SCHEMA {a} TO {b_app};"
LEAVE = "REVOKE USAGE ON SCHEMA {a} FROM {b_app};"
BESIDE = "CREATE POLICY beside ON {p}.users %s (id > 0)"

# name: whose check alone reports it too, and the rule; broken, mended; the same of the twin, and what is said of it
CASES = {
    "a grant through three roles": (
        "a", "grant_inherited", JOIN + CHAIN + "GRANT free_three TO {b_app}", "REVOKE free_three FROM {b_app};" + NO_CHAIN + LEAVE,
        CHAIN, NO_CHAIN, {"grant_outsider"}),
    "a membership through a role that inherits nothing": (
        "a", "member_of_tenant", "ALTER ROLE free_one NOINHERIT; GRANT {a_ro} TO free_one; GRANT free_one TO {b_app}",
        "REVOKE free_one FROM {b_app}; REVOKE {a_ro} FROM free_one; ALTER ROLE free_one INHERIT",
        "ALTER ROLE {b_app} NOINHERIT; GRANT CONNECT ON DATABASE tenantry TO {b_app}",
        "ALTER ROLE {b_app} INHERIT; REVOKE CONNECT ON DATABASE tenantry FROM {b_app}", set()),
    "a membership that can be passed on": (
        "y", "member_of_tenant", "GRANT {y_ro} TO free_one WITH ADMIN OPTION; GRANT free_one TO {x_app}",
        "REVOKE free_one FROM {x_app}; REVOKE {y_ro} FROM free_one",
        "GRANT free_one TO free_two WITH ADMIN OPTION", "REVOKE free_one FROM free_two", set()),
    "an attribute of a role between": (
        "y", "role_bypassrls", "ALTER ROLE free_one BYPASSRLS; GRANT {y_app} TO free_one; GRANT free_one TO {y_ro}",
        "REVOKE free_one FROM {y_ro}; REVOKE {y_app} FROM free_one; ALTER ROLE free_one NOBYPASSRLS",
        "ALTER ROLE free_one BYPASSRLS", "ALTER ROLE free_one NOBYPASSRLS", set()),
    "a leak that comes with the next table": (
        "a", "default_privileges", JOIN + DEFAULTS % ("GRANT", "TO {b_app}") + NEXT,
        "DROP TABLE {a}.next;" + DEFAULTS % ("REVOKE", "FROM {b_app}") + LEAVE,
        DEFAULTS % ("GRANT", "TO {a_app}") + NEXT, "DROP TABLE {a}.next", set()),
    "a function that reads by dynamic SQL": (
        "a", "definer_owner", OWN_FUNCTION % (DEFINER, "'{a}' || '.notes'", "{a_owner}"), "DROP FUNCTION {b}.f()",
        OWN_FUNCTION % ("", "'{b}.notes'", "{b_owner}"), "DROP FUNCTION {b}.f()", set()),
    "a policy that is OR-ed with the right one": (
        "y", "policy_changed", WEAK_GUARD + ";" + BESIDE % "USING",
        "DROP POLICY beside ON {p}.users;" + isolation_acts.GUARD.replace("{t}", "{p}.users"),
        BESIDE % "AS RESTRICTIVE USING", "DROP POLICY beside ON {p}.users", {"policy_beside"}),
    "a view over a view": (
        "a", "cross_view", VIEWS % ("a", "postgres"), "DROP VIEW {b}.v2, {b}.v1", VIEWS % ("b", "{b_owner}"),
        "DROP VIEW {b}.v2, {b}.v1", set()),
    "a partition of another's table": (
        "b", "cross_inheritance", PARTS % (*"bbbb", 7100, *"bb"), "DROP TABLE {a}.log", PARTS % (*"aaaa", 7050, *"aa"), "DROP TABLE {a}.log",
        set()),
}


@functools.lru_cache(maxsize=None)
def fleet():
    made = isolation_fleet.Fleet(harness.shared_server(), _stack.enter_context(harness.temporary_folder()))
    _stack.callback(made.admin.close)
    return made


@contextlib.contextmanager
def changed(sql, undo):
    words = {**fleet().roles(), **{place: names["schema"] for place, names in fleet().places.items()}}
    fleet().must_change(sql.format(**words))
    try:
        yield
    finally:
        fleet().must_change(undo.format(**words))


def check_broken(tenant, rule):
    leaks = isolation_fleet.leaks(fleet())
    assert any(tenant in (leak.victim, leak.login[0]) for leak in leaks), "no leak: %s" % leaks
    for scope in ((), (tenant + "1",)):
        found = fleet().verify(*scope)["findings"]
        assert rule in {f["check"] for f in found}, (scope, found)
        assert any(f["severity"] in ("critical", "high") for f in found), found


def check_twin(expected):
    leaks = isolation_fleet.leaks_with_doors_open(fleet())
    assert leaks == [], leaks
    found = fleet().verify()["findings"]
    assert {f["check"] for f in found} == expected and all(f["severity"] == "low" for f in found), found


def test_each_combination_is_reported_and_its_twin_is_not():
    problems = []
    for name, (tenant, rule, broken, mended, twin, untwin, twin_findings) in CASES.items():
        try:
            with changed(broken, mended):
                check_broken(tenant, rule)
            with changed(twin, untwin):
                check_twin(twin_findings)
        except Exception as e:  # every case is tried, so that one run tells of all
            problems.append("%s: %s" % (name, e))
    assert not problems, "\n".join(problems)
    assert fleet().verify()["findings"] == []


if __name__ == "__main__":
    with _stack:
        harness.main()
