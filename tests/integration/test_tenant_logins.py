#!/usr/bin/env python3
"""The logins of a tenant in both tiers: what they may do, and what is told of them and by them."""
import concurrent.futures
import os
import urllib.parse

import crash_state
import harness
from harness import Session, refused_sql, shared_server
from tenant_kit import in_both_tiers, password_of, stem_of
from test_guard import pack


def as_owner(server, stem, owner, sql):
    """Runs SQL as the owner of a tenant's objects, which has no login."""
    server.psql("SET ROLE %s; SET search_path = %s; %s" % (owner, stem, sql), server.superuser)


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


def test_rotates_at_once_wait_for_each_other():
    """Each has made its job's row, and so locked the tenant's key, when it waits for the tenant."""
    server = shared_server()
    server.create("rotated-at-once", "saas")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: server.tenantry("tenant", "rotate", "rotated-at-once"), range(8)))
    fresh = {c["login"]: c["uri"] for c in server.tenantry("tenant", "credentials", "rotated-at-once")["connections"]}
    assert server.psql("SELECT 1", fresh["app"]) == "1"


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


NO_READY_LOGINS = {"TENANTRY_READY_LOGINS": "0"}  # none is made, so that a test sees what is there


def waiting(server):
    """The stems of the pairs that were made ahead, the next one to be claimed first."""
    return server.psql("SELECT stem FROM tenantry.ready_logins ORDER BY created_at").split()


def roles_like(server, stems):
    return server.psql("SELECT rolname FROM pg_roles WHERE rolname ~ '^(%s)_' ORDER BY 1" % "|".join(stems)).split()


def drop_roles(server, *roles):
    server.psql("".join("DROP ROLE %s;" % role for role in roles), server.superuser)


@in_both_tiers
def test_a_create_passes_over_a_waiting_pair_of_which_a_role_is_gone(server, slug, blueprint, _i, count, _):
    server.tenantry("up")
    first, second, third, *others = waiting(server)
    drop_roles(server, first + "_app", second + "_ro", third + "_app", third + "_ro")
    made = server.tenantry("tenant", "create", slug, "--blueprint", blueprint, env=NO_READY_LOGINS)
    assert stem_of(made) == others[0], "a whole pair that waited"
    assert all(server.psql(count, c["uri"]) == "0" for c in made["connections"])
    assert waiting(server) == others[1:] and roles_like(server, (first, second, third)) == []


def test_where_no_waiting_pair_is_whole_a_create_makes_its_own_and_up_makes_others():
    server = shared_server()
    server.tenantry("up")
    broken = waiting(server)
    drop_roles(server, *(stem + "_ro" for stem in broken))
    assert stem_of(server.create("none-is-whole", "saas")) not in broken
    server.tenantry("up")
    assert len(waiting(server)) == 16 and not set(waiting(server)) & set(broken)
    assert roles_like(server, broken) == []


def test_what_was_given_to_the_rest_of_a_waiting_pair_is_not_dropped_and_keeps_no_create_waiting():
    server = shared_server()
    server.tenantry("up")
    before = waiting(server)
    broken = before[0]
    drop_roles(server, broken + "_ro")
    server.psql("CREATE TABLE public.given (); ALTER TABLE public.given OWNER TO %s_app" % broken, server.superuser)
    made = server.tenantry("tenant", "create", "given", "--blueprint", "saas", json=False)
    assert "ready_logins.fill" in made.err and broken + "_app" in made.err and "owner of table" in made.err, made.text()
    assert waiting(server)[0] == broken and set(waiting(server)) - set(before), "it stays, and others are made"
    server.psql("DROP TABLE public.given", server.superuser)
    server.tenantry("up")
    assert len(waiting(server)) == 16 and roles_like(server, [broken]) == []


@in_both_tiers
def test_a_waiting_password_that_was_changed_by_hand_costs_its_pair_and_no_create(server, slug, blueprint, _i, count, _):
    server.tenantry("up")
    changed, *others = waiting(server)
    server.psql("UPDATE tenantry.ready_logins SET readonly_sealed = app_sealed WHERE stem = '%s'" % changed, server.superuser)
    result = server.tenantry("tenant", "create", slug, "--blueprint", blueprint, env=NO_READY_LOGINS, json=False)
    assert "ready_logins.corrupt" in result.err and changed + "_ro" in result.err, result.text()
    shown = server.tenantry("tenant", "credentials", slug)["connections"]
    assert all(server.psql(count, c["uri"]) == "0" for c in shown)
    assert waiting(server) == others
    drop_roles(server, changed + "_app", changed + "_ro")


def test_a_waiting_password_that_was_changed_by_hand_costs_its_pair_and_no_rotation():
    server = shared_server()
    server.tenantry("up")
    changed, *others = waiting(server)
    server.psql("UPDATE tenantry.ready_logins SET app_sealed = readonly_sealed WHERE stem = '%s'" % changed, server.superuser)
    result = server.tenantry("key", "rotate", json=False)
    assert "ready_logins.corrupt" in result.err and changed + "_app" in result.err, result.text()
    assert waiting(server) == others
    drop_roles(server, changed + "_app", changed + "_ro")
    assert server.tenantry("key", "list")["keys"][-1]["state"] == "active"


def test_a_waiting_pair_that_has_the_name_of_a_tenants_logins_costs_that_tenant_nothing():
    server = shared_server()
    tenant = server.create("namesake", "saas")
    stem = tenant["connections"][0]["role"][:-len("_app")]
    for is_whole in (True, False):
        server.tenantry("up")
        changed = waiting(server)[0]
        server.psql("UPDATE tenantry.ready_logins SET stem = '%s' WHERE stem = '%s'" % (stem, changed), server.superuser)
        if is_whole:
            server.tenantry("tenant", "create", "beside-namesake", "--blueprint", "saas")
        else:
            server.psql("ALTER ROLE %s_ro RENAME TO gone_ro" % stem, server.superuser)
            server.tenantry("up")
            server.psql("ALTER ROLE gone_ro RENAME TO %s_ro" % stem, server.superuser)
        assert stem not in waiting(server) and len(roles_like(server, [stem])) == 2
        assert server.psql("SELECT count(*) FROM users", tenant["app"]) == "0"
        drop_roles(server, changed + "_app", changed + "_ro")


def test_up_that_is_killed_while_it_drops_the_rest_of_a_waiting_pair_leaves_all_of_it_or_nothing():
    harness.require_faults()
    server = shared_server()
    for point, is_left in (("ready_logins.before_commit", True), ("ready_logins.after_commit", False)):
        server.tenantry("up")
        broken = waiting(server)[0]
        drop_roles(server, broken + "_app")
        killed = server.tenantry("up", env={**NO_READY_LOGINS, "TENANTRY_FAULT_AT": point}, expect=None)
        assert killed.status == -9, killed.text()
        crash_state.wait_until_quiet(server)
        assert (broken in waiting(server)) == is_left
        assert roles_like(server, [broken]) == ([broken + "_ro"] if is_left else [])


def test_each_create_brings_the_waiting_pairs_one_nearer_to_what_they_should_be():
    server = shared_server()
    server.tenantry("up")
    counts = []
    for number, env in enumerate([NO_READY_LOGINS] * 3 + [None] * 4):
        server.tenantry("tenant", "create", "nearer-%d" % number, "--blueprint", "saas", env=env)
        counts.append(len(waiting(server)))
    assert counts == [15, 14, 13, 14, 15, 16, 16]


# Of one setting: whether the login may set what it has, what it has, and how the server writes what the plan says.
SETTING = """SELECT setting = current_setting(name) FROM (SELECT '{0}' AS name,
 set_config('{0}', current_setting('{0}'), true) AS setting) s;
SHOW {0};
SET {0} = '{1}';
SHOW {0};
"""


@in_both_tiers
def test_the_settings_of_the_plan_are_in_force_after_login(server, slug, blueprint, *_):
    for plan in [p["plan"] for p in server.tenantry("blueprint", "show", blueprint)["plans"]]:
        tenant = server.create("%s-%s" % (slug[:40].rstrip("-"), plan), blueprint, "--plan", plan)
        settings = server.tenantry("tenant", "show", tenant["slug"])["settings"]
        assert "statement_timeout" in settings and "work_mem" in settings
        for login in ("app", "readonly"):
            answers = server.psql("".join(SETTING.format(name, value) for name, value in settings.items()),
                                  tenant[login]).split("\n")
            for name, same, shown, wanted in zip(settings, answers[::3], answers[1::3], answers[2::3]):
                assert same == "t" and shown == wanted, (plan, login, name, shown, wanted)
            assert len(answers) == 3 * len(settings), answers
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


def set_plan(server, folder, connections, settings):
    """Gives the plan of the blueprint in the folder other values."""
    path = os.path.join(folder, "blueprint.yaml")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    head = text[: text.index("  one:")]
    with open(path, "w", encoding="utf-8") as f:
        f.write(head + "  one: {title: One, default: true, limits: {max_connections: %d, max_notes: %d}, settings: {%s}}\n"
                % (connections, connections, settings))
    server.tenantry("blueprint", "add", folder)


def has_and_differs(server, slug):
    shown = server.tenantry("tenant", "show", slug)
    differences = {(d["login"], d["name"]): (d["plan"], d["has"]) for d in shown["differences"]}
    return shown["limits"], shown["settings"], differences, shown["apply"]


def test_show_tells_what_the_logins_have_and_resume_gives_them_what_the_plan_says_now():
    server = shared_server()
    for tier in ("schema", "row"):
        name = "replanned" + tier
        with pack(name, "CREATE TABLE t (tenant_id uuid NOT NULL DEFAULT tenancy.current_tenant());\n", tier) as folder:
            set_plan(server, folder, 20, "statement_timeout: 30s, work_mem: 8MB")
            tenant = server.create(name, name)
            was = ({"max_connections": 20, "max_notes": 20}, {"statement_timeout": "30s", "work_mem": "8MB"})
            assert has_and_differs(server, name) == (*was, {}, [])
            assert "differences" not in server.tenantry("tenant", "show", name, json=False).out
            set_plan(server, folder, 3, "statement_timeout: 1s, lock_timeout: 2s")
        differences = {}
        for login, connections in (("app", ("2", "16")), ("readonly", ("1", "4"))):
            differences.update({
                (login, "max_connections"): connections, (login, "statement_timeout"): ("1s", "30s"),
                (login, "lock_timeout"): ("2s", None), (login, "work_mem"): (None, "8MB")})
        was[0]["max_notes"] = 3  # which the application counts
        apply = ["%s tenant %s %s" % (harness.BINARY, verb, name) for verb in ("suspend", "resume")]
        assert has_and_differs(server, name) == (*was, differences, apply)
        text = server.tenantry("tenant", "show", name, json=False).out
        assert "differences" in text and apply[1] in text, text
        server.tenantry("tenant", "suspend", name)
        assert has_and_differs(server, name) == (*was, differences, apply[1:])
        server.tenantry("tenant", "resume", name)
        now = ({"max_connections": 3, "max_notes": 3}, {"lock_timeout": "2s", "statement_timeout": "1s"})
        assert has_and_differs(server, name) == (*now, {}, [])
        shown = "SELECT current_setting('statement_timeout'), current_setting('lock_timeout'), rolconnlimit FROM pg_roles" \
            " WHERE rolname = current_user"
        assert server.psql(shown, tenant["app"]) == "1s|2s|2" and server.psql(shown, tenant["readonly"]) == "1s|2s|1"
        assert server.psql("SHOW default_transaction_read_only", tenant["readonly"]) == "on"


@in_both_tiers
def test_show_tells_what_a_tenant_set_for_its_own_login(server, slug, blueprint, *_):
    tenant = server.create(slug, blueprint)
    before = server.tenantry("tenant", "show", slug)
    server.psql("ALTER ROLE CURRENT_USER SET statement_timeout = '9h'; ALTER ROLE CURRENT_USER SET \"TimeZone\" = 'Asia/Tokyo';"
                " ALTER ROLE CURRENT_USER IN DATABASE tenantry SET statement_timeout = '8h'", tenant["app"])
    planned = before["settings"]["statement_timeout"]
    shown = server.tenantry("tenant", "show", slug)
    assert shown["settings"]["statement_timeout"] == "8h (app), %s (readonly)" % planned, shown
    assert shown["differences"] == [{"login": "app", "name": "statement_timeout", "plan": planned, "has": "8h"}], shown
    server.tenantry("tenant", "suspend", slug)
    server.tenantry("tenant", "resume", slug)
    after = server.tenantry("tenant", "show", slug)
    assert after["settings"] == before["settings"] and after["differences"] == [], after
    assert server.psql("SHOW timezone", tenant["app"]) == "Asia/Tokyo"


if __name__ == "__main__":
    harness.main()
