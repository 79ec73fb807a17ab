#!/usr/bin/env python3
"""A create: refused, with nothing left, when its place, made anew or there already, does not keep tenants apart."""
import functools
import os
import re

import harness

STATES = "SELECT state FROM tenantry.tenants WHERE slug = '%s' ORDER BY created_at DESC LIMIT 1"

# Makes the guard of policies anew, and every policy that is compared with it.
GUARDS = ("DO $do$ DECLARE t regclass; e text := $e$tenant_id = (SELECT m.tenant_id FROM tenancy.role_tenants m WHERE m.role_name ="
          " current_user AND coalesce(nullif(lower(current_setting('app.current_tenant_id', true)), ''),"
          " m.tenant_id::text) = m.tenant_id::text)$e$; BEGIN"
          " FOR t IN SELECT polrelid FROM pg_policy WHERE polname = 'tenant_guard' LOOP"
          " EXECUTE format('ALTER POLICY tenant_guard ON %%s USING (%%s) WITH CHECK (%%s)', t, %s, %s); END LOOP; END $do$")

# A function that was made where all search, while its maker could, and what takes it away.
PLANTED = ("CREATE ROLE stranger; GRANT USAGE, CREATE ON SCHEMA tenantry_ext TO stranger; SET ROLE stranger;"
           " CREATE FUNCTION tenantry_ext.lower(varchar) RETURNS text LANGUAGE sql AS 'SELECT $1::text'; RESET ROLE;"
           " REVOKE ALL ON SCHEMA tenantry_ext FROM stranger", "DROP OWNED BY stranger; DROP ROLE stranger")

# A function with a superuser's rights that was put where Tenantry keeps the guards, and an operator that leads there.
KEPT = ("CREATE FUNCTION tenancy_kept.spy(text) RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM pg_authid';"
        " REVOKE ALL ON FUNCTION tenancy_kept.spy(text) FROM PUBLIC; GRANT EXECUTE ON FUNCTION tenancy_kept.spy(text) TO {tenants};"
        " CREATE OPERATOR tenantry_ext.@!@ (FUNCTION = tenancy_kept.spy, RIGHTARG = text)",
        "DROP FUNCTION tenancy_kept.spy(text) CASCADE")

# What a superuser does to the shared tables of saas, and what undoes it.
SHARED = {
    "row-level security is off": ("ALTER TABLE {s}.users DISABLE ROW LEVEL SECURITY",
                                  "ALTER TABLE {s}.users ENABLE ROW LEVEL SECURITY"),
    "row-level security is not forced": ("ALTER TABLE {s}.users NO FORCE ROW LEVEL SECURITY",
                                         "ALTER TABLE {s}.users FORCE ROW LEVEL SECURITY"),
    "a policy is gone": ("ALTER POLICY tenant_guard ON {s}.users RENAME TO gone",
                         "ALTER POLICY gone ON {s}.users RENAME TO tenant_guard"),
    "PUBLIC may read a table": ("GRANT SELECT ON {s}.users TO PUBLIC", "REVOKE SELECT ON {s}.users FROM PUBLIC"),
    "PUBLIC may read a column": ("GRANT SELECT (email) ON {s}.users TO PUBLIC",
                                 "REVOKE SELECT (email) ON {s}.users FROM PUBLIC"),
    "a table is somebody else's": ("ALTER TABLE {s}.users OWNER TO postgres", "ALTER TABLE {s}.users OWNER TO {owner}"),
    "a view reads past row-level security": (
        "CREATE VIEW {s}.v AS SELECT * FROM {s}.users; ALTER VIEW {s}.v OWNER TO {owner}; GRANT SELECT ON {s}.v TO {app}",
        "DROP VIEW {s}.v"),
    "the group sees all rows": ("ALTER ROLE {app} BYPASSRLS", "ALTER ROLE {app} NOBYPASSRLS"),
    "the group is in another": ("GRANT {owner} TO {app}", "REVOKE {owner} FROM {app}"),
    "the group of tenants reads everything": ("GRANT pg_read_all_data TO {tenants}",
                                              "REVOKE pg_read_all_data FROM {tenants}"),
    "the group of tenants may read the registry": (
        "GRANT USAGE ON SCHEMA tenantry TO {tenants}; GRANT SELECT ON tenantry.credentials TO {tenants}",
        "REVOKE USAGE ON SCHEMA tenantry FROM {tenants}; REVOKE SELECT ON tenantry.credentials FROM {tenants}"),
    "PUBLIC may read the registry": (
        "GRANT SELECT ON tenantry.credentials TO PUBLIC; GRANT USAGE ON SCHEMA tenantry TO PUBLIC",
        "REVOKE SELECT ON tenantry.credentials FROM PUBLIC; REVOKE USAGE ON SCHEMA tenantry FROM PUBLIC"),
    "a superuser's next table is another tenant's": (
        "ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA {s} GRANT SELECT ON TABLES TO {o}_app",
        "ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA {s} REVOKE SELECT ON TABLES FROM {o}_app"),
    "another tenant has a view of a table": (
        "CREATE VIEW {o}.v AS SELECT * FROM {s}.users; ALTER VIEW {o}.v OWNER TO {o}_owner", "DROP VIEW {o}.v"),
    "an index calls another tenant's function": (
        "CREATE FUNCTION {o}.g(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT $1'; ALTER FUNCTION {o}.g(text) OWNER TO"
        " {o}_owner; REVOKE ALL ON FUNCTION {o}.g(text) FROM PUBLIC; CREATE INDEX spy ON {s}.users ({o}.g(email))",
        "DROP INDEX {s}.spy; DROP FUNCTION {o}.g(text)"),
    "a trigger calls a function of nobody": (
        "CREATE FUNCTION public.spy() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN RETURN NEW; END';"
        " CREATE TRIGGER spy BEFORE INSERT ON {s}.users FOR EACH ROW EXECUTE FUNCTION public.spy()",
        "DROP FUNCTION public.spy() CASCADE"),
    "tenants may set a sequence": (
        "CREATE SEQUENCE {s}.numbers; ALTER SEQUENCE {s}.numbers OWNER TO {owner}; GRANT UPDATE ON SEQUENCE {s}.numbers TO {app}",
        "DROP SEQUENCE {s}.numbers"),
    "another tenant's trigger calls a function": (
        "CREATE FUNCTION {s}.g() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'; ALTER FUNCTION {s}.g() OWNER TO"
        " {owner}; REVOKE ALL ON FUNCTION {s}.g() FROM PUBLIC; CREATE TRIGGER spy BEFORE INSERT ON {o}.portfolios FOR EACH ROW"
        " EXECUTE FUNCTION {s}.g()", "DROP FUNCTION {s}.g() CASCADE"),
    "another tenant has a view with the row type of a table": (
        "CREATE VIEW {o}.v AS SELECT NULL::{s}.users AS u; ALTER VIEW {o}.v OWNER TO {o}_owner", "DROP VIEW {o}.v"),
    "another tenant's policy reads a table": (
        "CREATE POLICY spy ON {o}.portfolios USING (EXISTS (SELECT FROM {s}.users))", "DROP POLICY spy ON {o}.portfolios"),
    "the guard and what it measures are open alike": (GUARDS % ("'true'", "'true'"), GUARDS % ("e", "e")),
    "tenants may make schemas": ("GRANT CREATE ON DATABASE {db} TO {tenants}", "REVOKE CREATE ON DATABASE {db} FROM {tenants}"),
    "a function of Tenantry's own schema works with a superuser's rights": (
        "CREATE FUNCTION tenantry.spy() RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT rolname::text FROM pg_authid'",
        "DROP FUNCTION tenantry.spy()"),
    "a function of the audit log is another": (
        "DO $$ BEGIN EXECUTE replace(pg_get_functiondef('tenantry_audit.refuse()'::regprocedure), 'RAISE',"
        " 'RETURN OLD; RAISE'); END $$",
        "DO $$ BEGIN EXECUTE replace(pg_get_functiondef('tenantry_audit.refuse()'::regprocedure), 'RETURN OLD; RAISE',"
        " 'RAISE'); END $$"),
    "Tenantry's next table is everybody's": (
        "ALTER DEFAULT PRIVILEGES FOR ROLE tenantry GRANT SELECT ON TABLES TO PUBLIC",
        "ALTER DEFAULT PRIVILEGES FOR ROLE tenantry REVOKE SELECT ON TABLES FROM PUBLIC"),
    "a function was left where all search": PLANTED,
    "tenants may execute what lies among the guards": KEPT,
    "the map is writable": ("GRANT UPDATE ON tenancy.role_tenants TO PUBLIC",
                            "REVOKE UPDATE ON tenancy.role_tenants FROM PUBLIC"),
}

# The same to a spare of trading; {o} is the schema of another tenant.
SPARE = {
    "PUBLIC may read a table": "GRANT SELECT ON {s}.portfolios TO PUBLIC",
    "another tenant may read a table": "GRANT SELECT ON {s}.portfolios TO {o}_app",
    "a superuser's function has its owner's rights":
        "CREATE FUNCTION {s}.f() RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT rolname::text FROM pg_authid'",
    "a trigger calls another tenant's function":
        "CREATE FUNCTION {o}.spy() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';"
        " CREATE TRIGGER spy AFTER INSERT ON {s}.portfolios FOR EACH ROW EXECUTE FUNCTION {o}.spy()",
    "the owner is a member of another tenant's": "GRANT {o}_owner TO {owner}",
    "a function of Tenantry has its owner's rights": "ALTER FUNCTION tenancy.current_tenant() SECURITY DEFINER",
    "another tenant has a view of a table":
        "CREATE VIEW {o}.v AS SELECT * FROM {s}.portfolios; ALTER VIEW {o}.v OWNER TO {o}_owner",
    "another tenant has a view with an array of the rows of a table":
        "CREATE VIEW {o}.v AS SELECT NULL::{s}.portfolios[] AS p; ALTER VIEW {o}.v OWNER TO {o}_owner",
    "another tenant's trigger calls a function": "CREATE TRIGGER spy BEFORE INSERT ON {o}.portfolios FOR EACH ROW"
                                                 " EXECUTE FUNCTION {s}.touch_updated_at()",
    "another tenant's policy reads a table":
        "CREATE POLICY spy ON {o}.portfolios USING (EXISTS (SELECT FROM {s}.portfolios))",
    "a login may use everybody's large objects": "ALTER ROLE {app} SET lo_compat_privileges = on",
    "others may work with the owner's rights":
        "GRANT EXECUTE ON FUNCTION tenancy_kept.{owner} TO {o}_app; GRANT USAGE ON SCHEMA tenancy_kept TO {o}_app",
    "another tenant may call the owner's guard": "GRANT EXECUTE ON FUNCTION tenancy_kept.{owner} TO {o}_app",
    "a domain calls another tenant's function":
        "CREATE FUNCTION {o}.g(text) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN true; END';"
        " ALTER FUNCTION {o}.g(text) OWNER TO {o}_owner; REVOKE ALL ON FUNCTION {o}.g(text) FROM PUBLIC;"
        " ALTER DOMAIN {s}.symbol ADD CHECK ({o}.g(VALUE::text))",
}

# What a superuser does to the server before a place of trading is made, and what undoes it.
MADE = {
    "the group of tenants reads everything": ("GRANT pg_read_all_data TO {tenants}", "REVOKE pg_read_all_data FROM {tenants}"),
    "the group of tenants may read another tenant's table": ("GRANT SELECT ON {o}.portfolios TO {tenants}",
                                                             "REVOKE SELECT ON {o}.portfolios FROM {tenants}"),
    "PUBLIC may read the registry": (
        "GRANT SELECT ON tenantry.credentials TO PUBLIC; GRANT USAGE ON SCHEMA tenantry TO PUBLIC",
        "REVOKE SELECT ON tenantry.credentials FROM PUBLIC; REVOKE USAGE ON SCHEMA tenantry FROM PUBLIC"),
    "the map shows every row": ("CREATE POLICY more ON tenancy.role_tenants USING (true)",
                                "DROP POLICY more ON tenancy.role_tenants"),
    "a column of the map may be written": ("GRANT UPDATE (tenant_id) ON tenancy.role_tenants TO {o}_app",
                                           "REVOKE UPDATE (tenant_id) ON tenancy.role_tenants FROM {o}_app"),
    "a trigger gives a role to another tenant": (
        "CREATE FUNCTION public.forge() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN RETURN new; END $f$; CREATE TRIGGER forge"
        " BEFORE INSERT ON tenancy.role_tenants FOR EACH ROW EXECUTE FUNCTION public.forge()",
        "DROP TRIGGER forge ON tenancy.role_tenants; DROP FUNCTION public.forge()"),
    "tenants may make schemas": ("GRANT CREATE ON DATABASE {db} TO {tenants}", "REVOKE CREATE ON DATABASE {db} FROM {tenants}"),
    "tenants may make things where all find them": ("GRANT CREATE ON SCHEMA tenantry_ext TO {tenants}",
                                                    "REVOKE CREATE ON SCHEMA tenantry_ext FROM {tenants}"),
    "a function was left where all search": PLANTED,
    "tenants may execute what lies among the guards": KEPT,
    "the schema of extensions is another role's": (
        "CREATE ROLE stranger; ALTER SCHEMA tenantry_ext OWNER TO stranger",
        "ALTER SCHEMA tenantry_ext OWNER TO tenantry; DROP ROLE stranger"),
    "Tenantry's next table is everybody's": (
        "ALTER DEFAULT PRIVILEGES FOR ROLE tenantry GRANT SELECT ON TABLES TO PUBLIC",
        "ALTER DEFAULT PRIVILEGES FOR ROLE tenantry REVOKE SELECT ON TABLES FROM PUBLIC"),
    "Tenantry's own sessions may change the catalogue": ("ALTER ROLE tenantry SET allow_system_table_mods = on",
                                                         "ALTER ROLE tenantry RESET allow_system_table_mods"),
    "what tenants may read is another tenant's meanwhile": ("ALTER TABLE public.lent SET SCHEMA {o}",
                                                            "ALTER TABLE {o}.lent SET SCHEMA public"),
    "a function of Tenantry has its owner's rights": ("ALTER FUNCTION tenancy.current_tenant() SECURITY DEFINER",
                                                      "ALTER FUNCTION tenancy.current_tenant() SECURITY INVOKER"),
    "an event trigger opens every new table": (
        "CREATE FUNCTION public.open() RETURNS event_trigger LANGUAGE plpgsql AS $f$ DECLARE t record; BEGIN FOR t IN SELECT"
        " * FROM pg_event_trigger_ddl_commands() WHERE object_type = 'table' AND schema_name LIKE 'tenant\\_%' LOOP EXECUTE"
        " format('GRANT SELECT ON %s TO PUBLIC', t.object_identity); END LOOP; END $f$;"
        " CREATE EVENT TRIGGER open ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION public.open()",
        "DROP EVENT TRIGGER open; DROP FUNCTION public.open()"),
}

# What a superuser does to the schemas that tenants search, public (an extension of saas is there) and tenantry_ext; what undoes
# it, what the refusal says, and of which blueprints.
SEARCHED = {
    "everybody may make things there": (
        "GRANT CREATE ON SCHEMA public, tenantry_ext TO PUBLIC", "REVOKE CREATE ON SCHEMA public, tenantry_ext FROM PUBLIC",
        "where PUBLIC may make objects", ["saas", "trading"]),
    "a role of nobody may make things there": (
        "CREATE ROLE reporter; GRANT CREATE ON SCHEMA public, tenantry_ext TO reporter",
        "DROP OWNED BY reporter; DROP ROLE reporter", "where reporter may make objects", ["saas", "trading"]),
    "public is another role's": (
        "CREATE ROLE reporter; ALTER SCHEMA public OWNER TO reporter",
        "ALTER SCHEMA public OWNER TO pg_database_owner; DROP ROLE reporter", "schema public, which reporter owns", ["saas"]),
    "public is the database owner's": (
        "CREATE ROLE landlord; ALTER DATABASE tenantry OWNER TO landlord; GRANT ALL ON DATABASE tenantry TO tenantry",
        "ALTER DATABASE tenantry OWNER TO tenantry; DROP ROLE landlord",
        "schema public, which the owner of the database, landlord, owns", ["saas"]),
}

# What a place may be like: none of it takes anybody's rows anywhere.
HARMLESS = [
    "CREATE INDEX more ON {s}.%s (created_at)",
    "COMMENT ON TABLE {s}.%s IS 'seen'",
    "ANALYZE {s}.%s",
    "ALTER TABLE {s}.%s SET (fillfactor = 90)",
    "CREATE INDEX lower ON {s}.%s (lower(id::text))",
    "CREATE POLICY more ON {s}.%s USING (true)",  # the restrictive one stays
]


@functools.lru_cache(maxsize=None)
def server():
    shared = harness.shared_server()
    shared.create("first", "saas")
    shared.create("other", "trading")
    return shared


def place(condition):
    """The names of one place, for SQL."""
    row = server().psql("SELECT schema_name, owner_role, app_role FROM tenantry.places p WHERE " + condition)
    schema, owner, app = row.split("|")
    other = server().psql("SELECT p.schema_name FROM tenantry.places p JOIN tenantry.tenants t ON t.place_id = p.id"
                          " WHERE t.slug = 'other'")
    tenants = server().psql("SELECT tenants_role FROM tenantry.installation")
    return {"s": schema, "owner": owner, "app": app, "o": other, "tenants": tenants,
            "db": server().psql("SELECT current_database()")}


def shared_place():
    server()
    return place("tier = 'row' AND blueprint = 'saas'")


def new_spare():
    """The only spare there is."""
    server().tenantry("spare", "drop", "trading", "--all")
    server().tenantry("spare", "fill", "trading", "--count", "1")
    return place("EXISTS (SELECT FROM tenantry.spares s WHERE s.place_id = p.id)")


def as_superuser(sql, names):
    server().psql(sql.format(**names), server().superuser)


def roles_and_places():
    return server().psql("SELECT (SELECT count(*) FROM tenantry.places), (SELECT count(*) FROM tenantry.roles),"
                         " (SELECT count(*) FROM tenantry.credentials), (SELECT count(*) FROM tenancy.role_tenants)")


def refuse(slug, blueprint):
    server().refused("isolation_violated", "tenant", "create", slug, "--blueprint", blueprint)
    assert server().psql(STATES % slug) == "failed"


def refuse_until_mended(cases, names, blueprint):
    for number, (what, (harm, mend)) in enumerate(cases.items()):
        before = roles_and_places()
        as_superuser(harm, names)
        try:
            refuse("%s-bad%d" % (blueprint, number), blueprint)
            refuse("%s-worse%d" % (blueprint, number), blueprint)
            assert roles_and_places() == before, what
        except (AssertionError, KeyError) as e:
            raise AssertionError("%s: %s" % (what, e)) from e
        finally:
            as_superuser(mend, names)
        server().create("%s-good%d" % (blueprint, number), blueprint)


def test_a_create_in_a_shared_place_that_is_not_whole_is_refused_until_it_is_mended():
    refuse_until_mended(SHARED, shared_place(), "saas")


def test_what_is_accepted_does_not_stop_a_create_until_it_is_more_or_the_day_is_over():
    names = shared_place()
    as_superuser("GRANT SELECT ON {s}.users TO PUBLIC", names)
    try:
        refuse("unasked", "saas")
        answer = server().tenantry("isolation", "verify", "--rules-only", "--json", json=False, expect=76).json()
        for finding in answer["findings"]:
            server().accept(finding, "--reason", "a public list")
        server().create("answered", "saas")
        as_superuser("GRANT DELETE ON {s}.users TO PUBLIC", names)
        refuse("more", "saas")
        as_superuser("REVOKE DELETE ON {s}.users FROM PUBLIC", names)
        server().create("again", "saas")
        server().psql("UPDATE tenantry.isolation_acceptances SET until = now() - interval '1 second'")
        refuse("late", "saas")
    finally:
        as_superuser("REVOKE SELECT ON {s}.users FROM PUBLIC", names)
    server().create("mended", "saas")


SHAPES = "SELECT s.digest FROM tenantry.place_shapes s WHERE s.blueprint = 'trading' ORDER BY 1"


def test_a_create_that_makes_its_place_is_refused_where_the_server_does_not_keep_tenants_apart():
    names = place("EXISTS (SELECT FROM tenantry.tenants t WHERE t.place_id = p.id AND t.slug = 'other')")
    as_superuser("CREATE TABLE public.lent (); GRANT SELECT ON public.lent TO {tenants}", names)
    server().create("shapely", "trading")
    refuse_until_mended(MADE, names, "trading")


def check_searched(harm, mend, says, blueprints):
    """In a shared place, from a spare and in a place of its own; and for the tenants that are there."""
    new_spare()
    before = roles_and_places()
    server().psql(harm, server().superuser)
    try:
        for blueprint in blueprints:
            server().refused("isolation_violated", "tenant", "create", "robbed", "--blueprint", blueprint,
                             says=("path_schema_shared", says))
            assert blueprint == "trading" or roles_and_places() == before, "something is left"
        if "trading" in blueprints:
            after = roles_and_places()
            refuse("robbed", "trading")
            server().tenantry("spare", "fill", "trading", "--count", "1", json=False, expect=76)
            assert roles_and_places() == after, "something is left"
        server().refused("isolation_violated", "tenant", "resume", "paused", says=("path_schema_shared", says))
        found = server().tenantry("isolation", "verify", "first", "--rules-only", "--json", json=False, expect=76).json()
        assert says in str([f for f in found["findings"] if f["check"] == "path_schema_shared"]), found
    finally:
        server().psql(mend, server().superuser)
    for blueprint in blueprints:
        server().create("safe", blueprint)
        server().tenantry("tenant", "archive", "safe", "--drain-timeout", "1ms")
        server().tenantry("tenant", "purge", "safe", "--yes")


def test_no_create_and_no_resume_where_others_may_make_things_in_a_schema_that_tenants_search():
    """One tenant's public.lower(varchar) would be what another's lower(email) calls."""
    shared_place()
    server().create("paused", "saas")
    server().tenantry("tenant", "suspend", "paused")
    server().psql("ALTER EXTENSION btree_gin SET SCHEMA public", server().superuser)
    try:
        server().create("moved", "saas")
        for what, case in SEARCHED.items():
            try:
                check_searched(*case)
            except (AssertionError, KeyError) as e:
                raise AssertionError("%s: %s" % (what, e)) from e
        server().tenantry("tenant", "resume", "paused")
    finally:
        server().psql("ALTER EXTENSION btree_gin SET SCHEMA tenantry_ext", server().superuser)
        server().tenantry("spare", "drop", "trading", "--all")


def test_a_first_create_in_a_shared_place_is_refused_for_its_own_reason_and_can_be_given_again():
    """Ground and provision are one transaction, and one each when that fails: the place is made again."""
    names = shared_place()
    as_superuser("GRANT pg_read_all_data TO {tenants}", names)
    try:
        refuse("toosoon", "fortress")
    finally:
        as_superuser("REVOKE pg_read_all_data FROM {tenants}", names)
    server().create("intime", "fortress")


def test_all_that_a_create_asks_tells_the_settings_that_rules_look_at():
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../src/isolation/snapshot")
    lists = []
    for name in ("iso_setting.sql", "place_shape.sql", "place_digest.sql", "birth.sql"):
        with open(os.path.join(folder, name), encoding="utf-8") as f:
            found = re.search(r"split_part\(c\.setting, '=', 1\) IN \((.*?)\)", f.read(), re.S)
        lists.append(sorted(re.findall(r"'([^']+)'", found.group(1))))
    assert "role" in lists[0] and all(one == lists[0] for one in lists), lists


def test_places_of_one_version_have_one_shape_and_the_rules_are_asked_for_the_first():
    server().create("round", "trading")
    before = server().psql(SHAPES)
    server().create("rounder", "trading")
    assert before != "" and server().psql(SHAPES) == before
    server().tenantry("tenant", "create", "gold", "--blueprint", "trading", "--plan", "professional")
    assert server().psql(SHAPES) == before, "a plan is no shape"


def test_a_create_from_a_spare_that_is_not_whole_is_refused_and_the_spare_is_gone():
    for number, (what, harm) in enumerate(SPARE.items()):
        names = new_spare()
        as_superuser(harm, names)
        try:
            refuse("spoilt%d" % number, "trading")
            gone = server().psql("SELECT to_regnamespace('%s') IS NULL, to_regrole('%s') IS NULL"
                                 % (names["s"], names["app"]))
            assert gone == "t|t", gone
        except (AssertionError, KeyError) as e:
            raise AssertionError("%s: %s" % (what, e)) from e
        finally:
            as_superuser("DROP FUNCTION IF EXISTS {o}.spy() CASCADE; DROP FUNCTION IF EXISTS {o}.g(text) CASCADE;"
                         " DROP VIEW IF EXISTS {o}.v; DROP POLICY IF EXISTS spy ON {o}.portfolios;"
                         " DROP TRIGGER IF EXISTS spy ON {o}.portfolios; ALTER FUNCTION tenancy.current_tenant() SECURITY INVOKER;"
                         " REVOKE USAGE ON SCHEMA tenancy_kept FROM {o}_app", names)
        new_spare()
        server().create("sound%d" % number, "trading")
        assert server().psql("SELECT count(*) FROM tenantry.spares") == "0", "the spare was not taken"


def test_a_role_that_a_group_is_in_is_watched_too():
    names = shared_place()
    as_superuser("CREATE ROLE club; GRANT club TO {app}", names)
    try:
        server().create("member", "saas")  # of medium severity
        as_superuser("GRANT pg_read_all_data TO club", names)
        refuse("reader", "saas")
    finally:
        as_superuser("DROP ROLE club", names)
    server().create("alone", "saas")


def test_a_resume_asks_what_uses_the_tenant_s_things():
    names = place("EXISTS (SELECT FROM tenantry.tenants t WHERE t.place_id = p.id AND t.slug = 'other')")
    server().tenantry("tenant", "suspend", "other")
    as_superuser("CREATE SCHEMA util; CREATE VIEW util.v AS SELECT * FROM {s}.portfolios", names)
    try:
        server().refused("isolation_violated", "tenant", "resume", "other", says=("cross_view",))
    finally:
        as_superuser("DROP SCHEMA util CASCADE", names)
    server().tenantry("tenant", "resume", "other")


# What a tenant may set for its own role, that a rule finds.
OWN_SETTINGS = ["search_path = {o}, public", "role = '{o}_app'", "row_security = off", "session_authorization = 'postgres'",
                "check_function_bodies = off", "default_tablespace = pg_default"]


def test_what_a_tenant_set_for_its_own_role_does_not_stand_in_the_way_of_its_resume():
    login = server().create("stubborn", "saas")["app"]
    names = shared_place()
    role = server().tenantry("tenant", "show", "stubborn")["roles"]["app"]
    query = "SELECT setdatabase, unnest(setconfig) FROM pg_db_role_setting WHERE setrole = '%s'::regrole ORDER BY 2" % role
    before = server().psql(query)
    harness.psql(login, ";".join("ALTER ROLE CURRENT_USER %sSET %s" % (where, setting.format(**names))
                                 for where in ("", "IN DATABASE tenantry ") for setting in OWN_SETTINGS))
    server().tenantry("tenant", "suspend", "stubborn")
    server().tenantry("tenant", "resume", "stubborn")
    assert server().psql(query) == before != ""
    assert harness.psql(login, "SELECT count(*) FROM users") == "0"


# What a spare's login got that is not in any place, and what takes it away again.
ELSEWHERE = [
    ("GRANT SELECT ON {o}.portfolios TO {app}", "REVOKE SELECT ON {o}.portfolios FROM {app}"),
    ("GRANT EXECUTE ON FUNCTION pg_read_file(text) TO {app}", "REVOKE EXECUTE ON FUNCTION pg_read_file(text) FROM {app}"),
    ("GRANT SET ON PARAMETER session_replication_role TO {app}",
     "REVOKE SET ON PARAMETER session_replication_role FROM {app}"),
    ("CREATE ROLE ops; GRANT SELECT ON pg_authid TO ops; GRANT ops TO {app}",
     "REVOKE SELECT ON pg_authid FROM ops; DROP ROLE ops"),
]


def test_a_spare_with_a_right_elsewhere_is_refused_and_goes_when_the_right_is_gone():
    for number, (grant, revoke) in enumerate(ELSEWHERE):
        names, slug = new_spare(), "reader%d" % number
        as_superuser(grant, names)
        server().refused("isolation_violated", "tenant", "create", slug, "--blueprint", "trading")
        assert server().psql(STATES % slug) != "active"
        as_superuser(revoke, names)
        job = server().psql("SELECT max(id) FROM tenantry.jobs WHERE operation = 'tenant.create'")
        server().tenantry("job", "cancel", job, json=False, expect=None)  # one that took nothing was undone at once
        assert server().psql(STATES % slug) == "failed"
        assert server().psql("SELECT to_regnamespace('%s') IS NULL" % names["s"]) == "t"


def test_what_everybody_may_do_on_the_server_does_not_stop_a_create():
    """It is the same for the tenants that are there: a finding of every check, but of no create."""
    shared_place()
    server().psql("GRANT EXECUTE ON FUNCTION pg_current_logfile() TO PUBLIC", server().superuser)
    try:
        result = server().tenantry("isolation", "verify", "--rules-only", "--json", json=False, expect=76).json()
        assert {"builtin_function"} <= {f["check"] for f in result["findings"]}, result
        server().create("logged", "trading")
    finally:
        server().psql("REVOKE EXECUTE ON FUNCTION pg_current_logfile() FROM PUBLIC", server().superuser)


def test_changes_that_take_nothing_anywhere_do_not_stop_a_create():
    for sql in HARMLESS:
        as_superuser(sql % "users", shared_place())
        as_superuser(sql % "portfolios", new_spare())
        number = HARMLESS.index(sql)
        server().create("calm%d" % number, "saas")
        server().create("still%d" % number, "trading")
        assert server().psql("SELECT count(*) FROM tenantry.spares") == "0"


def test_a_place_that_did_not_change_is_not_asked_again():
    shared_place()
    server().create("before", "saas")
    before = server().psql("SELECT d.xmin, d.digest FROM tenantry.place_digests d JOIN tenantry.places p ON p.id = d.place_id"
                           " WHERE p.tier = 'row'")
    server().create("after", "saas")
    assert before != "" and before == server().psql(
        "SELECT d.xmin, d.digest FROM tenantry.place_digests d JOIN tenantry.places p ON p.id = d.place_id"
        " WHERE p.tier = 'row'")


def test_a_spare_has_a_digest_and_new_partitions_renew_it():
    new_spare()
    query = ("SELECT digest FROM tenantry.place_digests d JOIN tenantry.spares s ON s.place_id = d.place_id")
    before = server().psql(query)
    names = place("EXISTS (SELECT FROM tenantry.spares s WHERE s.place_id = p.id)")
    assert before != ""
    as_superuser("DROP TABLE {s}.%s" % server().psql(
        "SELECT min(c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = '%s'"
        " AND c.relispartition AND c.relkind = 'r' AND c.relname NOT LIKE '%%default'" % names["s"]), names)
    server().tenantry("partition", "ensure")
    after = server().psql(query)
    assert after not in ("", before), (before, after)
    version = server().psql("SELECT d.xmin FROM tenantry.place_digests d JOIN tenantry.spares s ON s.place_id = d.place_id")
    server().create("fresh", "trading")
    assert version == server().psql(
        "SELECT d.xmin FROM tenantry.place_digests d JOIN tenantry.tenants t ON t.place_id = d.place_id"
        " WHERE t.slug = 'fresh'"), "the create had to ask every rule"


if __name__ == "__main__":
    harness.main()
