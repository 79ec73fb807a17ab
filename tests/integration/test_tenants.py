#!/usr/bin/env python3
"""The life of a tenant in both tiers, seen with its own logins and as an operator."""
import threading
import urllib.parse

import harness
from harness import Session, refused_sql, shared_server

# Per tier: the blueprint, and what an application does in it.
TIERS = {
    "schema": (
        "trading",
        "INSERT INTO portfolios (user_id, name) VALUES (gen_random_uuid(), 'main');",
        "SELECT count(*) FROM portfolios;",
        "portfolios",
    ),
    "row": (
        "saas",
        "INSERT INTO users (email) VALUES ('a' || gen_random_uuid() || '@example.org');",
        "SELECT count(*) FROM users;",
        "users",
    ),
}
# What is left of a tenant outside the registry's own row and the audit log.
TRACES = """
SELECT (SELECT count(*) FROM pg_roles WHERE rolname LIKE '{stem}%')
     + (SELECT count(*) FROM pg_namespace WHERE nspname LIKE '{stem}%')
     + (SELECT count(*) FROM tenantry.roles WHERE tenant_id = '{id}')
     + (SELECT count(*) FROM tenantry.credentials WHERE tenant_id = '{id}')
     + (SELECT count(*) FROM tenantry.places WHERE schema_name LIKE '{stem}%')
     + (SELECT count(*) FROM tenancy.role_tenants WHERE tenant_id = '{id}')
"""


def in_both_tiers(test):
    """Runs a test once per tier, with a tenant that it may do anything to."""

    def run():
        for tier in TIERS:
            slug = "t%s-%s" % (tier[0], test.__name__.replace("test_", "").replace("_", "-")[:50].rstrip("-"))
            test(shared_server(), slug, *TIERS[tier])

    run.__doc__ = test.__doc__
    return run


def stem_of(tenant):
    return tenant["connections"][0]["role"].rpartition("_")[0]


def password_of(uri):
    return urllib.parse.unquote(urllib.parse.urlsplit(uri).password)


def state_of(server, slug):
    return server.tenantry("tenant", "show", slug)["state"]


def as_owner(server, stem, owner, sql):
    """Runs SQL as the owner of a tenant's objects, which has no login."""
    server.psql("SET ROLE %s; SET search_path = %s; %s" % (owner, stem, sql), server.superuser)


@in_both_tiers
def test_the_application_writes_and_the_read_only_login_reads(server, slug, blueprint, insert, count, _):
    tenant = server.create(slug, blueprint)
    server.psql(insert, tenant["app"])
    assert server.psql(count, tenant["app"]) == "1"
    assert server.psql(count, tenant["readonly"]) == "1"


@in_both_tiers
def test_the_read_only_login_cannot_write_even_when_it_leaves_read_only_mode(server, slug, blueprint, insert, _c, _):
    tenant = server.create(slug, blueprint)
    refused_sql(tenant["readonly"], insert, "read-only transaction")
    refused_sql(tenant["readonly"], "SET default_transaction_read_only = off; " + insert, "permission denied")
    refused_sql(tenant["readonly"], "BEGIN READ WRITE; " + insert, "permission denied")


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


@in_both_tiers
def test_rotate_makes_the_old_passwords_useless_and_keeps_open_sessions(server, slug, blueprint, _i, count, _):
    tenant = server.create(slug, blueprint)
    with Session(tenant["app"]) as session:
        server.tenantry("tenant", "rotate", slug)
        assert session.ask(count) == "0"
    fresh = {c["login"]: c["uri"] for c in server.tenantry("tenant", "credentials", slug)["connections"]}
    for login in ("app", "readonly"):
        refused_sql(tenant[login], "SELECT 1", "authentication failed")
        assert server.psql(count, fresh[login]) == "0"
        assert password_of(fresh[login]) != password_of(tenant[login])
    assert password_of(fresh["app"]) != password_of(fresh["readonly"])


@in_both_tiers
def test_the_credentials_are_those_of_create_and_each_reading_is_audited(server, slug, blueprint, *_):
    tenant = server.create(slug, blueprint)
    assert server.tenantry("tenant", "credentials", slug)["connections"] == tenant["connections"]
    entries = server.tenantry("audit", "list", "--tenant", slug, "--action", "tenant.credentials")["entries"]
    assert len(entries) == 1 and entries[0]["actor"].startswith("os:"), entries


@in_both_tiers
def test_no_password_is_in_any_other_output_or_place(server, slug, blueprint, *_):
    tenant = server.create(slug, blueprint)
    secrets = [password_of(tenant[login]) for login in ("app", "readonly")]
    server.tenantry("tenant", "rotate", slug)
    secrets += [password_of(c["uri"]) for c in server.tenantry("tenant", "credentials", slug)["connections"]]
    texts = []
    for command in (
        ["tenant", "show", slug, "--connection"],
        ["tenant", "list"],
        ["job", "list"],
        ["job", "show", str(tenant["job"])],
        ["audit", "list"],
        ["status"],
        ["config", "show"],
        ["key", "list"],
        ["up"],
        ["tenant", "rotate", slug],
        ["tenant", "suspend", slug],
        ["tenant", "resume", slug],
        ["tenant", "create", slug, "--blueprint", blueprint],
        ["tenant", "archive", slug, "--drain-timeout", "0s"],
        ["tenant", "purge", slug, "--yes"],
    ):
        for more in ([], ["--json"]) if command[1:2] != ["purge"] else ([],):
            result = server.tenantry(*command, "-v", *more, json=False, expect=None)
            texts.append(result.out + result.err)
    with open(server.data_dir + "/server.log", encoding="utf-8", errors="replace") as f:
        texts.append(f.read())
    texts.append(
        server.psql(
            "SELECT j FROM tenantry.jobs j; SELECT s FROM tenantry.job_steps s; SELECT e FROM tenantry_audit.entries e;"
            "SELECT query FROM pg_stat_activity; SELECT query FROM monitoring.pg_stat_statements;"
            "SELECT encode(sealed, 'escape') FROM tenantry.credentials",
            server.superuser,
        )
    )
    for secret in secrets:
        assert len(secret) >= 32
        assert not any(secret in text for text in texts)


def test_no_password_reaches_the_server_in_clear():
    server = shared_server()
    server.psql("ALTER SYSTEM SET log_statement = 'all'", server.superuser)
    server.psql("SELECT pg_reload_conf()", server.superuser)
    try:
        tenant = server.create("logged", "trading")
        server.tenantry("tenant", "rotate", "logged")
        fresh = server.tenantry("tenant", "credentials", "logged")["connections"]
    finally:
        server.psql("ALTER SYSTEM RESET log_statement", server.superuser)
        server.psql("SELECT pg_reload_conf()", server.superuser)
    with open(server.data_dir + "/server.log", encoding="utf-8") as f:
        log = f.read()
    assert "CREATE ROLE" in log, "the statements were not logged, so this test looked at nothing"
    for connection in tenant["connections"] + fresh:
        assert password_of(connection["uri"]) not in log


def test_both_logins_together_have_the_connections_of_the_plan():
    server = shared_server()
    tenant = server.create("few", "saas", "--plan", "free")
    limit = server.tenantry("tenant", "show", "few")["limits"]["max_connections"]
    limits = server.psql("SELECT sum(rolconnlimit) FROM pg_roles WHERE rolname LIKE '%s%%'" % stem_of(tenant))
    assert int(limits) == limit == 5
    sessions = []
    try:
        sessions = [Session(tenant[login]) for login in ["app"] * 4 + ["readonly"]]
        for login in ("app", "readonly"):
            refused_sql(tenant[login], "SELECT 1", "too many connections for role")
    finally:
        for session in sessions:
            session.close()


@in_both_tiers
def test_the_settings_of_the_plan_are_in_force_after_login(server, slug, blueprint, *_):
    for plan in [p["plan"] for p in server.tenantry("blueprint", "show", blueprint)["plans"]]:
        tenant = server.create("%s-%s" % (slug[:40].rstrip("-"), plan), blueprint, "--plan", plan)
        settings = server.tenantry("tenant", "show", tenant["slug"])["settings"]
        assert "statement_timeout" in settings and "work_mem" in settings
        for login in ("app", "readonly"):
            for name, value in settings.items():
                same = server.psql(
                    "SELECT setting = current_setting(name) FROM (SELECT '%s' AS name, set_config('%s',"
                    " current_setting('%s'), true) AS setting) s" % (name, name, name),
                    tenant[login],
                )
                shown = server.psql("SHOW %s" % name, tenant[login])
                wanted = server.psql("SET %s = '%s'; SHOW %s" % (name, value, name), tenant[login])
                assert same == "t" and shown == wanted, (plan, login, name, shown, wanted)
        schema = server.tenantry("tenant", "show", tenant["slug"])["schema"]
        path = server.psql("SHOW search_path", tenant["app"]).split(", ")
        assert path[0] == schema and "public" not in path, path


def test_a_statement_that_takes_too_long_is_cancelled():
    server = shared_server()
    tenant = server.create("slow", "saas")
    refused_sql(tenant["app"], "SET statement_timeout = '50ms'; SELECT pg_sleep(60)", "statement timeout")


@in_both_tiers
def test_the_logins_can_create_nothing(server, slug, blueprint, *_):
    tenant = server.create(slug, blueprint)
    schema = server.tenantry("tenant", "show", slug)["schema"]
    for sql in (
        "CREATE ROLE x",
        "CREATE DATABASE x",
        "CREATE SCHEMA x",
        "CREATE TABLE public.x ()",
        "CREATE TABLE %s.x ()" % schema,
        "CREATE TEMP TABLE x ()",
        "CREATE EXTENSION hstore",
        "CREATE FUNCTION %s.f() RETURNS int LANGUAGE sql AS 'SELECT 1'" % schema,
        "ALTER ROLE %s_ro PASSWORD 'x'" % stem_of(tenant),
        "ALTER ROLE CURRENT_USER CREATEROLE",
        "ALTER ROLE CURRENT_USER CONNECTION LIMIT -1",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "GRANT %s_app TO PUBLIC" % stem_of(tenant),
    ):
        for login in ("app", "readonly"):
            result = server.psql(sql, tenant[login], expect=None)
            assert result.status != 0, "%s was allowed for %s" % (sql, login)
    server.psql("SELECT 1", tenant["app"])


@in_both_tiers
def test_the_roles_have_no_power(server, slug, blueprint, *_):
    tenant = server.create(slug, blueprint)
    powers = server.psql(
        "SELECT count(*) FROM pg_roles WHERE rolname LIKE '%s%%' AND (rolsuper OR rolcreaterole OR"
        " rolcreatedb OR rolreplication OR rolbypassrls)" % stem_of(tenant)
    )
    assert powers == "0"
    # From PostgreSQL 16 on who makes a role without being a superuser keeps the right to grant it, and that alone.
    has_rights = "" if server.major_version() < 16 else " AND (inherit_option OR set_option)"
    members = server.psql(
        "SELECT count(*) FROM pg_auth_members WHERE roleid IN (SELECT oid FROM pg_roles"
        " WHERE rolname LIKE '%s%%')%s" % (stem_of(tenant), has_rights)
    )
    assert members == "0", "nobody, not even Tenantry, is left a member of a tenant's role"


@in_both_tiers
def test_truncate_is_refused(server, slug, blueprint, _i, _c, table):
    tenant = server.create(slug, blueprint)
    for login in ("app", "readonly"):
        result = server.psql("TRUNCATE %s CASCADE" % table, tenant[login], expect=None)
        assert "permission denied" in result.err or "read-only" in result.err, result.text()


@in_both_tiers
def test_public_has_no_right_to_anything_of_a_tenant(server, slug, blueprint, *_):
    server.create(slug, blueprint)
    schema = server.tenantry("tenant", "show", slug)["schema"]
    rights = server.psql(
        """
        SELECT 'schema', nspname FROM pg_namespace n, aclexplode(coalesce(nspacl, acldefault('n', nspowner))) a
         WHERE a.grantee = 0 AND nspname IN ('{0}', 'tenantry', 'tenantry_audit', 'tenancy', 'tenantry_ext')
        UNION ALL SELECT 'table', relname FROM pg_class c, aclexplode(coalesce(relacl, acldefault('r', relowner))) a
         WHERE a.grantee = 0 AND relnamespace = '{0}'::regnamespace
        UNION ALL SELECT 'function', proname FROM pg_proc p, aclexplode(coalesce(proacl, acldefault('f', proowner))) a
         WHERE a.grantee = 0 AND pronamespace IN ('{0}'::regnamespace, 'tenancy'::regnamespace)
        UNION ALL SELECT 'database', datname FROM pg_database d, aclexplode(coalesce(datacl, acldefault('d', datdba))) a
         WHERE a.grantee = 0 AND datname = current_database()""".format(
            schema
        ),
        server.superuser,
    )
    assert rights == "", rights


def test_a_table_that_the_owner_makes_later_is_the_applications_at_once():
    server = shared_server()
    tenant = server.create("later", "trading")
    shown = server.tenantry("tenant", "show", "later")
    as_owner(
        server,
        shown["schema"],
        shown["roles"]["owner"],
        "CREATE TABLE notes (id bigint GENERATED BY DEFAULT AS IDENTITY, text text);"
        "CREATE SEQUENCE numbers; CREATE FUNCTION two() RETURNS int LANGUAGE sql AS 'SELECT 2';",
    )
    server.psql(
        "INSERT INTO notes (text) VALUES ('x'); UPDATE notes SET text = 'y'; SELECT nextval('numbers')", tenant["app"]
    )
    assert server.psql("SELECT text FROM notes; SELECT two()", tenant["readonly"]) == "y\n2"
    refused_sql(tenant["readonly"], "BEGIN READ WRITE; DELETE FROM notes", "permission denied")
    neighbour = server.create("later-b", "trading")
    refused_sql(neighbour["app"], "SELECT * FROM %s.notes" % shown["schema"], "permission denied")


@in_both_tiers
def test_names_are_opaque_and_the_catalogue_does_not_tell_a_slug(server, slug, blueprint, *_):
    hidden = "zanzibar" + slug[:2]
    tenant = server.create(hidden, blueprint, "--name", "Zanzibar Holdings")
    neighbour = server.create(slug, blueprint)
    assert stem_of(tenant).startswith("tenant_") and len(stem_of(tenant)) == len("tenant_") + 12
    tables = server.psql(
        "SELECT c.oid::regclass FROM pg_class c WHERE relkind IN ('r', 'v', 'm', 'p') AND"
        " relnamespace::regnamespace::text !~ '^(tenant_|pg_toast)' ORDER BY 1",
        neighbour["app"],
    )
    assert "pg_roles" in tables and "pg_description" in tables
    reads = "".join("\\echo from %s\nSELECT * FROM %s;\n" % (table, table) for table in tables.split("\n"))
    seen = server.psql("\\set ON_ERROR_STOP 0\n" + reads, neighbour["app"])
    assert stem_of(tenant) in seen, "the catalogue names every role, or this test looked at nothing"
    found = seen.lower().find("zanzibar")
    assert found < 0, seen[seen.rfind("from ", 0, found) : found + 100]
    refused_sql(neighbour["app"], "SELECT * FROM tenantry.tenants", "permission denied")
    refused_sql(neighbour["app"], "SELECT * FROM tenantry_audit.entries", "permission denied")


def test_one_tenant_of_the_schema_tier_cannot_name_what_is_in_another():
    server = shared_server()
    server.create("mine", "trading")
    other = server.create("theirs", "trading")
    schema = server.tenantry("tenant", "show", "mine")["schema"]
    for sql in (
        "SELECT * FROM {}.portfolios",
        "INSERT INTO {}.portfolios DEFAULT VALUES",
        "SET ROLE {}_app",
        "SELECT * FROM {}.trades_default",
        "SET SESSION AUTHORIZATION {}_app",
        "BEGIN; LOCK TABLE {}.trades",
    ):
        refused_sql(other["app"], sql.format(schema), "permission denied")


@in_both_tiers
def test_the_shown_connection_needs_only_the_password(server, slug, blueprint, _i, count, _):
    tenant = server.create(slug, blueprint)
    for connection in server.tenantry("tenant", "show", slug, "--connection")["connections"]:
        assert urllib.parse.urlsplit(connection["uri"]).password is None
        password = password_of(tenant[connection["login"]])
        assert server.psql(count, connection["uri"], env={"PGPASSWORD": password}) == "0"


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


@in_both_tiers
def test_a_tenant_whose_schema_a_person_dropped_can_be_archived_and_purged(_server, slug, blueprint, _insert, _count, _):
    with harness.Server() as server:
        server.up()
        tenant = server.create(slug, blueprint)
        schema = server.psql("SELECT p.schema_name FROM tenantry.tenants t JOIN tenantry.places p ON p.id = t.place_id"
                             " WHERE t.slug = '%s'" % slug)
        server.psql("DROP SCHEMA %s CASCADE" % schema, server.superuser)
        server.tenantry("tenant", "archive", slug, "--drain-timeout", "0s")
        server.tenantry("tenant", "purge", slug, "--yes")
        assert server.psql(TRACES.format(stem=stem_of(tenant), id=tenant["id"])) == "0"


@in_both_tiers
def test_an_archived_tenant_whose_schema_a_person_dropped_can_be_purged(_server, slug, blueprint, _insert, _count, _):
    with harness.Server() as server:
        server.up()
        tenant = server.create(slug, blueprint)
        schema = server.psql("SELECT p.schema_name FROM tenantry.tenants t JOIN tenantry.places p ON p.id = t.place_id"
                             " WHERE t.slug = '%s'" % slug)
        server.tenantry("tenant", "archive", slug, "--drain-timeout", "0s")
        server.psql("DROP SCHEMA %s CASCADE" % schema, server.superuser)
        server.tenantry("tenant", "purge", slug, "--yes")
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
        assert server.tenantry("job", "cancel", job)["outcome"] == "asked to stop"
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
