#!/usr/bin/env python3
"""The life of a tenant in both tiers, as an operator sees it."""
import contextlib
import threading

import harness
from harness import Session, refused_sql, shared_server
from tenant_kit import in_both_tiers, stem_of
from test_guard import pack

# What is left of a tenant outside the registry's own row and the audit log.
TRACES = """
SELECT (SELECT count(*) FROM pg_roles WHERE rolname LIKE '{stem}%')
     + (SELECT count(*) FROM pg_namespace WHERE nspname LIKE '{stem}%')
     + (SELECT count(*) FROM tenantry.roles WHERE tenant_id = '{id}')
     + (SELECT count(*) FROM tenantry.credentials WHERE tenant_id = '{id}')
     + (SELECT count(*) FROM tenantry.places WHERE schema_name LIKE '{stem}%')
     + (SELECT count(*) FROM tenancy.role_tenants WHERE tenant_id = '{id}')
"""


def state_of(server, slug):
    return server.tenantry("tenant", "show", slug)["state"]


@in_both_tiers
def test_suspend_ends_sessions_and_blocks_logins_until_resume(server, slug, blueprint, insert, count, _):
    tenant = server.create(slug, blueprint)
    server.psql(insert, tenant["app"])
    with Session(tenant["app"]) as app, Session(tenant["readonly"]) as readonly:
        # The one that wrote may not be gone quite yet.
        assert server.tenantry("tenant", "show", slug)["sessions"] in (2, 3)
        answer = server.tenantry("tenant", "suspend", slug)
        assert answer["state"] == "suspended"
        for session in (app, readonly):
            assert "terminating connection" in session.ask("SELECT 1;")
    for login in ("app", "readonly"):
        refused_sql(tenant[login], "SELECT 1", "is not permitted to log in")
    server.refused("tenant_state", "tenant", "suspend", slug, says=["suspended"])
    assert server.tenantry("tenant", "resume", slug)["state"] == "active"
    assert server.psql(count, tenant["app"]) == "1"
    assert server.psql(count, tenant["readonly"]) == "1"
    server.refused("tenant_state", "tenant", "resume", slug, says=["active"])
    told = {e["action"]: e["detail"].get("from") for e in server.tenantry("audit", "list", "--tenant", slug)["entries"]}
    assert (told["tenant.suspend"], told["tenant.resume"]) == ("active", "suspended"), told


@in_both_tiers
def test_suspending_one_tenant_leaves_its_neighbour_connected(server, slug, blueprint, _i, count, _):
    server.create(slug, blueprint)
    neighbour = server.create(slug[:50] + "-b", blueprint)
    with Session(neighbour["app"]) as session:
        server.tenantry("tenant", "suspend", slug)
        assert session.ask(count) == "0"


@in_both_tiers
def test_archive_waits_for_a_session_that_ends_in_time(server, slug, blueprint, insert, count, _):
    tenant = server.create(slug, blueprint)
    session = Session(tenant["app"])
    session.ask("BEGIN; " + insert)
    answers = []
    worker = threading.Thread(
        target=lambda: answers.append(server.tenantry("tenant", "archive", slug, "--drain-timeout", "60s"))
    )
    worker.start()
    try:
        while state_of(server, slug) != "draining":
            assert worker.is_alive(), "the archive ended before the session did"
        refused_sql(tenant["app"], "SELECT 1", "is not permitted to log in")
        assert session.ask(count) == "1", "a session in work goes on while the tenant drains"
        assert session.ask("COMMIT;") == ""
    finally:
        session.close()
        worker.join()
    assert answers[0]["state"] == "archived"
    assert state_of(server, slug) == "archived"


@in_both_tiers
def test_archive_ends_a_session_that_outlasts_the_drain(server, slug, blueprint, insert, _c, table):
    tenant = server.create(slug, blueprint)
    server.psql(insert, tenant["app"])
    with Session(tenant["app"]) as session:
        session.ask("BEGIN; " + insert)
        server.tenantry("tenant", "archive", slug, "--drain-timeout", "100ms")
        assert "terminating connection" in session.ask("SELECT 1;")
    schema = server.tenantry("tenant", "show", slug)["schema"]
    where = "WHERE tenant_id = '%s'" % tenant["id"] if blueprint == "saas" else ""
    kept = server.psql("SELECT count(*) FROM %s.%s %s" % (schema, table, where), server.superuser)
    assert kept == "1", "what was committed is kept, what was not is rolled back: %s" % kept


@in_both_tiers
def test_an_archived_tenant_is_locked_even_for_a_role_that_can_still_log_in(
    server, slug, blueprint, insert, _c, table
):
    tenant = server.create(slug, blueprint)
    server.psql(insert, tenant["app"])
    server.tenantry("tenant", "archive", slug, "--drain-timeout", "0s")
    schema = server.tenantry("tenant", "show", slug)["schema"]
    server.psql("ALTER ROLE %s_app LOGIN" % stem_of(tenant), server.superuser)
    result = server.psql("SELECT count(*) FROM %s.%s" % (schema, table), tenant["app"], expect=None)
    assert "permission denied" in result.err or result.out.strip() == "0", result.text()
    server.refused("tenant_state", "tenant", "resume", slug)
    server.refused("tenant_state", "tenant", "suspend", slug)
    server.refused("tenant_state", "tenant", "archive", slug)


@in_both_tiers
def test_a_suspended_tenant_can_be_archived(server, slug, blueprint, *_):
    server.create(slug, blueprint)
    server.tenantry("tenant", "suspend", slug)
    assert server.tenantry("tenant", "archive", slug, "--drain-timeout", "0s")["state"] == "archived"


@in_both_tiers
def test_purge_needs_an_archived_tenant(server, slug, blueprint, *_):
    server.create(slug, blueprint)
    server.refused("tenant_state", "tenant", "purge", slug, "--yes", says=["archive"])
    server.tenantry("tenant", "suspend", slug)
    server.refused("tenant_state", "tenant", "purge", slug, "--confirm", slug, says=["archive"])
    assert state_of(server, slug) == "suspended"


@in_both_tiers
def test_purge_asks_for_the_slug_again_and_takes_no_other(server, slug, blueprint, *_):
    server.create(slug, blueprint)
    server.tenantry("tenant", "archive", slug, "--drain-timeout", "0s")
    server.refused("confirmation_needed", "tenant", "purge", slug, says=["--confirm " + slug])
    server.refused("confirmation_needed", "tenant", "purge", slug, "--confirm", slug.upper())
    server.refused("confirmation_needed", "tenant", "purge", slug, "--confirm", slug + "x")
    server.refused("confirmation_needed", "tenant", "purge", slug, "--confirm", slug + "x", "--yes", says=["another slug"])
    server.refused("input_invalid", "tenant", "purge", slug, "--confirm", "")
    server.refused("confirmation_needed", "tenant", "purge", slug, stdin=slug + "\n")
    assert state_of(server, slug) == "archived"
    assert server.tenantry("tenant", "purge", slug, "--confirm", slug)["state"] == "purged"


@in_both_tiers
def test_purge_removes_everything_but_the_audit_chain_and_no_neighbour(server, slug, blueprint, insert, count, table):
    tenant = server.create(slug, blueprint)
    neighbour = server.create(slug[:50] + "-b", blueprint)
    for login in (tenant["app"], neighbour["app"]):
        server.psql(insert, login)
    schema = server.tenantry("tenant", "show", slug)["schema"]
    server.tenantry("tenant", "archive", slug, "--drain-timeout", "0s")
    server.tenantry("tenant", "purge", slug, "--yes")
    assert server.psql(TRACES.format(stem=stem_of(tenant), id=tenant["id"])) == "0"
    if blueprint == "saas":
        rows = "SELECT count(*) FROM %s.%s WHERE tenant_id = '%s'" % (schema, table, tenant["id"])
        assert server.psql(rows, server.superuser) == "0"
    assert server.psql(count, neighbour["app"]) == "1"
    refused_sql(tenant["app"], "SELECT 1", "authentication failed")
    actions = [e["action"] for e in server.tenantry("audit", "list", "--tenant", slug)["entries"]]
    assert actions[0] == "tenant.purge" and actions[-1] == "tenant.create", actions
    assert server.tenantry("audit", "verify")["is_whole"]
    server.refused("tenant_missing", "tenant", "show", slug)
    again = server.create(slug, blueprint)
    assert again["id"] != tenant["id"] and stem_of(again) != stem_of(tenant)
    assert server.psql(count, again["app"]) == "0"


# Shared tables, of which those that are emptied first get rows from triggers of others.
LOGGED = """CREATE TABLE a_log (tenant_id uuid NOT NULL DEFAULT tenancy.current_tenant(), what text);
CREATE TABLE items (tenant_id uuid NOT NULL DEFAULT tenancy.current_tenant(), a text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS
 $f$ BEGIN INSERT INTO a_log (what) VALUES (OLD.a); RETURN NULL; END $f$;
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN RETURN NULL; END $f$;
"""
WRITES_AGAIN = {
    "at once": "CREATE TRIGGER x AFTER DELETE ON items FOR EACH ROW EXECUTE FUNCTION note();",
    "at the end": "CREATE CONSTRAINT TRIGGER x AFTER DELETE ON items DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
                  " EXECUTE FUNCTION note();",
    "with another tenant's id": "CREATE FUNCTION turn() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN PERFORM"
                                " set_config('app.current_tenant_id', gen_random_uuid()::text, false); RETURN OLD; END $f$;"
                                " CREATE TRIGGER x BEFORE DELETE ON a_log FOR EACH ROW EXECUTE FUNCTION turn();",
    "but lets the owner through": "CREATE FUNCTION through() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN IF current_user ="
                                  " (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID) THEN RETURN OLD;"
                                  " END IF; RETURN NULL; END $f$;"
                                  " CREATE TRIGGER x BEFORE DELETE ON items FOR EACH ROW EXECUTE FUNCTION through();",
}
# What keeps rows of items, and how a person takes it away.
KEEPS = {
    "a trigger": ("CREATE TRIGGER x BEFORE DELETE ON items FOR EACH ROW EXECUTE FUNCTION keep();", "DROP TRIGGER x ON {0}.items"),
    "a rule": ("CREATE RULE x AS ON DELETE TO items DO INSTEAD NOTHING;", "DROP RULE x ON {0}.items"),
    "a policy": ("CREATE POLICY x ON items AS RESTRICTIVE FOR DELETE USING (a <> 'mine');", "DROP POLICY x ON {0}.items"),
    "a policy that hides them": ("CREATE POLICY x ON items AS RESTRICTIVE USING (a <> 'mine') WITH CHECK (true);",
                                 "DROP POLICY x ON {0}.items"),
}


def two_with_rows(server, name, migration):
    """An archived tenant and its neighbour in shared tables, and how many rows each of them has where."""
    with pack(name, LOGGED + migration, tier="row") as folder:
        server.tenantry("blueprint", "add", folder)
    tenants = [server.create("%s-%d" % (name, number), name) for number in range(2)]
    for tenant in tenants:
        server.psql("INSERT INTO a_log (what) VALUES ('mine'); INSERT INTO items (a) VALUES ('mine')", tenant["app"])
    server.tenantry("tenant", "archive", tenants[0]["slug"], "--drain-timeout", "0s")
    schema = server.tenantry("tenant", "show", tenants[0]["slug"])["schema"]

    def rows(tenant):
        return server.psql("SELECT (SELECT count(*) FROM {0}.a_log WHERE tenant_id = '{1}'), (SELECT count(*) FROM {0}.items"
                           " WHERE tenant_id = '{1}')".format(schema, tenant["id"]), server.superuser)

    return tenants, schema, rows


def test_a_purge_leaves_no_row_that_triggers_of_the_deletes_write():
    server = shared_server()
    for number, (how, migration) in enumerate(WRITES_AGAIN.items()):
        (gone, neighbour), _, rows = two_with_rows(server, "again%d" % number, migration)
        server.tenantry("tenant", "purge", gone["slug"], "--yes")
        assert (rows(gone), rows(neighbour)) == ("0|0", "1|1"), how


def test_a_purge_that_would_leave_rows_is_refused_and_names_the_table():
    server = shared_server()
    for number, (how, (migration, mend)) in enumerate(KEEPS.items()):
        (kept, neighbour), schema, rows = two_with_rows(server, "keeps%d" % number, migration)
        error = server.refused("pg_failed", "tenant", "purge", kept["slug"], "--yes", says=['rows in table "items"'])
        assert "docs/blueprints.md" in error["hint"], (how, error)
        assert (rows(kept), rows(neighbour), state_of(server, kept["slug"])) == ("1|1", "1|1", "archived"), how
        server.psql(mend.format(schema), server.superuser)
        server.tenantry("tenant", "purge", kept["slug"], "--yes")
        assert (rows(kept), rows(neighbour)) == ("0|0", "1|1"), how


def test_a_purge_holds_tables_with_policies_of_their_own_to_their_guard():
    server = shared_server()
    (gone, neighbour), schema, rows = two_with_rows(
        server, "beside", "CREATE POLICY x ON items AS RESTRICTIVE USING (a <> 'hidden');")
    server.tenantry("tenant", "purge", gone["slug"], "--yes")
    assert (rows(gone), rows(neighbour)) == ("0|0", "1|1")
    assert server.psql("SELECT count(*) FROM pg_class WHERE relnamespace = '%s'::regnamespace AND relkind = 'r'"
                       " AND NOT (relrowsecurity AND relforcerowsecurity)" % schema) == "0"


@in_both_tiers
def test_a_purge_that_a_neighbour_holds_up_says_which(server, slug, blueprint, *_):
    gone = server.create(slug, blueprint)
    neighbours = [server.create("%s-%d" % (slug[:40].rstrip("-"), number), blueprint) for number in range(2)]
    names = [neighbour["slug"] for neighbour in neighbours]
    server.tenantry("tenant", "archive", slug, "--drain-timeout", "0s")
    purge = ("tenant", "purge", slug, "--yes", "--lock-timeout", "100ms", "--retries", "0")
    with Session(neighbours[0]["app"]) as one, Session(neighbours[1]["app"]) as other:
        named = "BEGIN; ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO %s_app;" % stem_of(gone)
        assert one.ask(named) == ""
        error = server.refused("pg_locked", *purge, says=['tenants with locks there: "%s"' % names[0]])
        assert error["sqlstate"] == "55P03" and "tenantry tenant suspend " + names[0] in error["hint"], error
        assert other.ask(named) == ""
        error = server.refused("pg_locked", *purge, says=['"%s", "%s"' % tuple(names)])
        assert "tenantry tenant suspend SLUG" in error["hint"], error
        for name in names:
            server.tenantry("tenant", "suspend", name)
    server.tenantry("tenant", "purge", slug, "--yes")


def test_a_purge_that_a_grant_of_another_place_keeps_says_what_finds_and_ends_it():
    server = shared_server()
    role = stem_of(server.create("granted-to", "trading")) + "_app"
    server.create("granting", "trading")
    other = server.tenantry("tenant", "show", "granting")
    server.psql("SET ROLE %s; GRANT SELECT ON %s.portfolios TO %s" % (other["roles"]["owner"], other["schema"], role),
                server.superuser)
    server.tenantry("tenant", "archive", "granted-to", "--drain-timeout", "0s")
    purge = ("tenant", "purge", "granted-to", "--yes")
    error = server.refused("pg_failed", *purge, says=[other["schema"] + ".portfolios"])
    assert error["sqlstate"] == "2BP01", error
    assert "isolation verify" in error["hint"] and "isolation mend" in error["hint"], error
    found = server.tenantry("isolation", "verify", "--rules-only", expect=None).json()["findings"]
    for finding in found:
        if role in (finding["mend"] or ""):
            server.tenantry("isolation", "mend", finding["id"], "--yes")
    server.tenantry(*purge)


def test_an_unknown_tenant_is_told_with_the_nearest_word():
    server = shared_server()
    for verb in ("show", "suspend", "resume", "archive", "rotate", "credentials"):
        server.refused("tenant_missing", "tenant", verb, "nobody-here")
    server.refused("tenant_missing", "tenant", "purge", "nobody-here", "--yes")


def test_every_state_change_is_a_job_with_steps_and_an_audit_entry():
    server = shared_server()
    server.create("recorded", "saas")
    for verb, more in (
        ("suspend", []),
        ("resume", []),
        ("rotate", []),
        ("archive", ["--drain-timeout", "0s"]),
        ("purge", ["--yes"]),
    ):
        answer = server.tenantry("tenant", verb, "recorded", *more)
        job = server.tenantry("job", "show", str(answer["job"]))
        assert job["operation"] == "tenant." + verb and job["state"] == "done" and job["subject"] == "recorded"
        assert len(job["steps"]) == job["steps_total"] == job["steps_done"] > 0
        entries = server.tenantry("audit", "list", "--tenant", "recorded", "--action", "tenant." + verb)["entries"]
        assert [e["job"] for e in entries] == [answer["job"]], (verb, entries)


@contextlib.contextmanager
def server_to_spoil(server, blueprint):
    """For a test that drops a tenant's schema: the shared tables would be gone for the other tests too."""
    if blueprint != "saas":
        yield server
        return
    with harness.Server() as own:
        own.up()
        yield own


@in_both_tiers
def test_a_tenant_whose_schema_a_person_dropped_can_be_archived_and_purged(server, slug, blueprint, *_):
    with server_to_spoil(server, blueprint) as server:
        tenant = server.create(slug, blueprint)
        schema = server.psql("SELECT p.schema_name FROM tenantry.tenants t JOIN tenantry.places p ON p.id = t.place_id"
                             " WHERE t.slug = '%s'" % slug)
        server.psql("DROP SCHEMA %s CASCADE" % schema, server.superuser)
        server.tenantry("tenant", "archive", slug, "--drain-timeout", "0s")
        server.tenantry("tenant", "purge", slug, "--yes")
        assert server.psql(TRACES.format(stem=stem_of(tenant), id=tenant["id"])) == "0"


@in_both_tiers
def test_an_archived_tenant_whose_schema_a_person_dropped_can_be_purged(server, slug, blueprint, *_):
    with server_to_spoil(server, blueprint) as server:
        tenant = server.create(slug, blueprint)
        schema = server.psql("SELECT p.schema_name FROM tenantry.tenants t JOIN tenantry.places p ON p.id = t.place_id"
                             " WHERE t.slug = '%s'" % slug)
        server.tenantry("tenant", "archive", slug, "--drain-timeout", "0s")
        server.psql("DROP SCHEMA %s CASCADE" % schema, server.superuser)
        server.tenantry("tenant", "purge", slug, "--yes")
        assert server.psql(TRACES.format(stem=stem_of(tenant), id=tenant["id"])) == "0"


def drop_role(server, role):
    server.psql("DROP OWNED BY {0} CASCADE; DROP ROLE {0}".format(role), server.superuser)


def login_is_gone(server, slug, blueprint, gone):
    tenant, left = server.create(slug, blueprint), {"app": "readonly", "readonly": "app"}[gone]
    role = {c["login"]: c["role"] for c in tenant["connections"]}[gone]
    drop_role(server, role)
    for verb in ("rotate", "suspend", "resume"):
        if verb != "suspend":
            server.refused("role_gone", "tenant", verb, slug, says=(role, "is gone"))
            continue
        result = server.tenantry("tenant", "suspend", slug, "--json", json=False)
        assert "suspended" in result.out and role in result.err, result.text()
    assert state_of(server, slug) == "suspended"
    refused_sql(tenant[left], "SELECT 1", "is not permitted to log in")
    server.tenantry("tenant", "archive", slug, "--drain-timeout", "0s")
    server.tenantry("tenant", "purge", slug, "--yes")
    assert server.psql(TRACES.format(stem=stem_of(tenant), id=tenant["id"])) == "0"
    entries = server.tenantry("audit", "list", "--tenant", slug)["entries"]
    assert {e["action"]: e["detail"].get("missing_roles") for e in entries} == {
        "tenant.create": None, "tenant.suspend": role, "tenant.archive": role, "tenant.archive.locked": None,
        "tenant.purge": role}, entries


@in_both_tiers
def test_a_tenant_whose_application_login_a_person_dropped_can_be_suspended_and_purged(server, slug, blueprint, *_):
    login_is_gone(server, slug, blueprint, "app")


@in_both_tiers
def test_a_tenant_whose_reading_login_a_person_dropped_can_be_suspended_and_purged(server, slug, blueprint, *_):
    login_is_gone(server, slug, blueprint, "readonly")


@in_both_tiers
def test_a_tenant_whose_logins_a_person_dropped_can_be_archived_and_purged(server, slug, blueprint, *_):
    tenant = server.create(slug, blueprint)
    for connection in tenant["connections"]:
        drop_role(server, connection["role"])
    server.tenantry("tenant", "archive", slug, "--drain-timeout", "0s")
    server.tenantry("tenant", "purge", slug, "--yes")
    assert server.psql(TRACES.format(stem=stem_of(tenant), id=tenant["id"])) == "0"


def make_again(server, tenant, slug, login):
    """As docs/operations.md says, When a role is gone."""
    stem = stem_of(tenant)
    role = stem + {"app": "_app", "readonly": "_ro"}[login]
    tenants = server.psql("SELECT tenants_role FROM tenantry.installation")
    schema, tier, group = server.psql(
        "SELECT p.schema_name, p.tier, p.%s_role FROM tenantry.places p JOIN tenantry.tenants t ON t.place_id = p.id"
        " WHERE t.slug = '%s'" % (login, slug)).split("|")
    server.psql("CREATE ROLE %s NOLOGIN CONNECTION LIMIT 4; GRANT %s TO %s" % (role, tenants, role), server.superuser)
    if tier == "row":
        server.psql("GRANT %s TO %s" % (group, role), server.superuser)
        return
    rights = {"FUNCTIONS": "EXECUTE", "TYPES": "USAGE", "TABLES": "SELECT"}
    if login == "app":
        rights.update({"TABLES": "SELECT, INSERT, UPDATE, DELETE", "SEQUENCES": "USAGE, SELECT"})
    for kind, right in rights.items():
        server.psql("ALTER DEFAULT PRIVILEGES FOR ROLE %s_owner IN SCHEMA %s GRANT %s ON %s TO %s"
                    % (stem, schema, right, kind, role), server.superuser)
    found = server.tenantry("migrate", "verify", "--tenant", slug, expect=80).json()["differences"]
    for difference in found:
        assert difference["mend"], difference
        server.psql(difference["mend"], server.superuser)


@in_both_tiers
def test_a_login_that_a_person_dropped_can_be_made_again(server, slug, blueprint, insert, count, _):
    tenant = server.create(slug, blueprint)
    for login in ("app", "readonly"):
        drop_role(server, {c["login"]: c["role"] for c in tenant["connections"]}[login])
        server.tenantry("tenant", "suspend", slug)
        make_again(server, tenant, slug, login)
        server.tenantry("tenant", "rotate", slug)
        server.tenantry("tenant", "resume", slug)
    logins = {c["login"]: c["uri"] for c in server.tenantry("tenant", "credentials", slug)["connections"]}
    server.psql(insert, logins["app"])
    assert server.psql(count, logins["readonly"]) == "1"
    if blueprint != "saas":
        assert server.tenantry("migrate", "verify", "--tenant", slug)["is_clean"]
    for finding in server.tenantry("isolation", "verify", slug)["findings"]:
        assert finding["check"] == "probe_plan_setting", finding
        server.psql(finding["mend"], server.superuser)
    assert server.tenantry("isolation", "verify", slug)["is_isolated"]
    role = stem_of(tenant) + "_app"
    server.psql('ALTER ROLE %s RENAME TO "Not %s"' % (role, role), server.superuser)
    server.refused("role_gone", "tenant", "suspend", slug, says=(role, "Not " + role))


@in_both_tiers
def test_a_login_that_a_person_renamed_is_not_taken_for_one_that_is_gone(server, slug, blueprint, _i, count, _):
    tenant = server.create(slug, blueprint)
    role = stem_of(tenant) + "_app"
    server.psql("ALTER ROLE %s RENAME TO \"Not %s\"" % (role, role), server.superuser)
    for verb, more in (("suspend", ()), ("archive", ("--drain-timeout", "0s")), ("rotate", ())):
        error = server.refused("role_gone", "tenant", verb, slug, *more, says=(role, "Not " + role))
        assert state_of(server, slug) == "active"
    server.psql(error["hint"].partition(": ")[2], server.superuser)
    assert server.psql(count, tenant["app"]) == "0"
    server.tenantry("tenant", "suspend", slug)


def test_a_tenant_whose_owner_a_person_dropped_can_be_archived_and_purged():
    server = shared_server()
    tenant = server.create("owner-gone", "trading")
    drop_role(server, stem_of(tenant) + "_owner")
    server.tenantry("tenant", "archive", "owner-gone", "--drain-timeout", "0s")
    server.tenantry("tenant", "purge", "owner-gone", "--yes")
    assert server.psql(TRACES.format(stem=stem_of(tenant), id=tenant["id"])) == "0"


def test_a_purge_without_the_owner_of_a_schema_that_is_there_says_so():
    server = shared_server()
    tenant = server.create("owner-left", "trading")
    owner, schema = stem_of(tenant) + "_owner", server.tenantry("tenant", "show", "owner-left")["schema"]
    server.psql("REASSIGN OWNED BY {0} TO CURRENT_USER; DROP OWNED BY {0}; DROP ROLE {0}".format(owner), server.superuser)
    server.tenantry("tenant", "archive", "owner-left", "--drain-timeout", "0s")
    server.refused("role_gone", "tenant", "purge", "owner-left", "--yes", says=(owner, schema))
    server.psql("DROP SCHEMA %s CASCADE" % schema, server.superuser)
    server.tenantry("tenant", "purge", "owner-left", "--yes")
    assert server.psql(TRACES.format(stem=stem_of(tenant), id=tenant["id"])) == "0"


def test_a_cancel_does_not_wait_for_a_step_that_is_under_way():
    server = shared_server()
    token = "11111111-2222-3333-4444-555555555555"
    job = server.psql("INSERT INTO tenantry.jobs (token, operation, subject, args, state, steps_total, actor)"
                      " VALUES ('%s', 'tenant.create', 'slow', '{}', 'running', 3, 'test') RETURNING id" % token)
    with Session(server.conninfo) as runner:
        runner.ask("SELECT pg_advisory_lock(hashtextextended('%s', 0));" % token)
        runner.ask("BEGIN;")
        runner.ask("SELECT id FROM tenantry.jobs WHERE id = %s FOR UPDATE;" % job)
        server.refused("job_busy", "job", "cancel", job, says=["job %s is in the middle of a step" % job, "ask again"])
        runner.ask("COMMIT;")
        assert server.tenantry("audit", "list", "--action", "job.cancel")["entries"] == [], "nothing was asked for yet"
        assert server.tenantry("job", "cancel", job)["outcome"] == "asked to stop"
        assert [str(e["job"]) for e in server.tenantry("audit", "list", "--action", "job.cancel")["entries"]] == [job]
    server.psql("DELETE FROM tenantry.jobs WHERE id = %s" % job)


def test_status_counts_the_tenants_that_there_are_and_recent_failures_apart():
    with harness.Server() as server:
        server.up()
        server.create("alive", "saas")
        server.psql("INSERT INTO tenantry.tenants (id, slug, name, blueprint, plan, tier, state, state_at)"
                    " SELECT gen_random_uuid(), t.slug, t.name, t.blueprint, t.plan, t.tier, s.state, s.at"
                    " FROM tenantry.tenants t, (VALUES ('failed', now()), ('failed', now() - interval '8 days'),"
                    " ('purged', now())) AS s (state, at)")
        status = server.tenantry("status")
        assert status["tenants"] == {"active": 1}
        assert status["failed_this_week"] == 1


if __name__ == "__main__":
    harness.main()
