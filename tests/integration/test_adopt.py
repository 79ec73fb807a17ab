#!/usr/bin/env python3
"""Schemas that another tool made become tenants, and versions that somebody states are recorded: only where they are what
they are said to be, and nothing is left behind when they are not."""
import functools
import os

import crash_state
import harness
from harness import check_refusal, psql, refused_sql, shared_server

MANIFEST = """name: %s
title: A shop
description: What a customer sells.
tiers: [schema]
plans:
  small: {title: Small, default: true, limits: {max_connections: 10}}
  large: {title: Large, default: false, limits: {max_connections: 20}}
append_only: [events]
"""
SCRIPTS = ["""
CREATE TYPE colour AS ENUM ('red', 'green');
CREATE TYPE point AS (x integer, y integer);
CREATE DOMAIN amount AS numeric(12, 2) CHECK (VALUE >= 0);
CREATE TABLE customers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, colour colour);
CREATE TABLE orders (id bigserial PRIMARY KEY, customer_id bigint REFERENCES customers (id), total amount);
CREATE TABLE events (at timestamptz NOT NULL, what text) PARTITION BY RANGE (at);
CREATE TABLE events_default PARTITION OF events DEFAULT;
CREATE SEQUENCE tickets;
CREATE VIEW names WITH (security_invoker = true) AS SELECT id, name FROM customers;
CREATE STATISTICS customers_both (dependencies) ON name, colour FROM customers;
CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO events VALUES (now(), current_user);
    RETURN NEW;
END $$;
CREATE TRIGGER customers_shout AFTER INSERT ON customers FOR EACH ROW EXECUTE FUNCTION shout();
CREATE FUNCTION twice(a integer) RETURNS integer LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'SELECT 2 * a';
CREATE PROCEDURE nothing() LANGUAGE sql AS 'SELECT 1';
CREATE AGGREGATE total_of (numeric) (SFUNC = numeric_add, STYPE = numeric);
CREATE COLLATION plain FROM "C";
CREATE TEXT SEARCH CONFIGURATION words (COPY = pg_catalog.simple);
""", "ALTER TABLE customers ADD COLUMN email text;\n", "CREATE INDEX customers_email ON customers (email);\n"]
ROWS = """
INSERT INTO customers (name, colour) VALUES ('ann', 'red'), ('bob', 'green');
INSERT INTO orders (customer_id, total) VALUES (1, 5);
SELECT nextval('tickets');
"""
# What the old tool gave away: none of it may be left.
RIGHTS = """
GRANT USAGE ON SCHEMA {s} TO PUBLIC;
GRANT USAGE ON SCHEMA {s} TO reporting WITH GRANT OPTION;
GRANT SELECT ON customers TO reporting WITH GRANT OPTION;
SET ROLE reporting;
GRANT SELECT ON {s}.customers TO stranger;
SET ROLE tool;
GRANT SELECT (total) ON orders TO PUBLIC;
GRANT USAGE ON SEQUENCE tickets TO stranger;
"""


@functools.lru_cache(maxsize=None)
def shop(name="shop", versions=3):
    """The blueprint, and the roles of the tool that made the schemas."""
    server = shared_server()
    folder = os.path.join(server.folder, name)
    os.makedirs(os.path.join(folder, "migrations"))
    with open(os.path.join(folder, "blueprint.yaml"), "w", encoding="utf-8") as f:
        f.write(MANIFEST % name)
    for number, text in enumerate(SCRIPTS[:versions], 1):
        with open(os.path.join(folder, "migrations", "V%04d__step.sql" % number), "w", encoding="utf-8") as f:
            f.write(text)
    server.tenantry("blueprint", "add", folder)
    if name == "shop":
        admin("CREATE ROLE tool; CREATE ROLE reporting; CREATE ROLE stranger; GRANT tool TO tenantry")
    return server


def admin(sql):
    """As the server's superuser."""
    return shared_server().psql("SET client_min_messages = error;" + sql, crash_state.admin_conninfo(shared_server()))


def legacy(schema, versions=1, extra="", owner="tool"):
    """A schema as the old tool left it, with rows."""
    shop()
    admin("CREATE SCHEMA %s AUTHORIZATION %s; SET ROLE %s; SET search_path = %s, pg_temp; %s %s %s" %
          (schema, owner, owner, schema, "".join(SCRIPTS[:versions]), ROWS, extra.replace("{s}", schema)))
    return schema


def dumped(schema):
    """All that there is of a schema, owners, rights and rows included; pg_dump's random keys are none of it."""
    argv = [harness.pg_program("pg_dump"), "-d", crash_state.admin_conninfo(shared_server()), "-n", '"%s"' % schema]
    text = harness.run(argv).out
    return "\n".join(line for line in text.split("\n") if not line.startswith(("\\restrict", "\\unrestrict")))


def adopt(schema, slug, *args):
    return shared_server().tenantry("tenant", "adopt", schema, "--blueprint", "shop", "--slug", slug, *args)


def refused(code, schema, *args, says=(), slug="nobody", blueprint="shop"):
    """A refusal leaves the schema exactly as it was, and no tenant, role or place."""
    before = dumped(schema) if args != ("--no-dump",) else None
    args = () if args == ("--no-dump",) else args
    roles = admin("SELECT count(*) FROM pg_roles")
    result = shared_server().refused(code, "tenant", "adopt", schema, "--blueprint", blueprint, "--slug", slug, *args,
                                     says=says)
    assert before is None or dumped(schema) == before, "the schema was changed"
    assert slug not in crash_state.tenants(shared_server())
    if before is not None:
        assert int(admin("SELECT count(*) FROM pg_roles")) <= int(roles)
        assert admin("SELECT count(*) FROM tenantry.places WHERE schema_name = '%s'" % schema) == "0"
    return result


def uri(answer, login="app"):
    return next(c["uri"] for c in answer["connections"] if c["login"] == login)


def place(slug):
    row = admin("SELECT schema_name, owner_role, p.version, (SELECT string_agg(m.version::text, ',' ORDER BY m.version)"
                " FROM tenantry.place_migrations m WHERE m.place_id = p.id) FROM tenantry.tenants t"
                " JOIN tenantry.places p ON p.id = t.place_id WHERE slug = '%s'" % slug)
    return row.split("|")


def drifted(slug):
    result = shared_server().tenantry("migrate", "verify", "--tenant", slug, expect=None)
    check_refusal(result, "drift_found")
    return {(d["kind"], d["name"]) for d in result.json()["differences"]}


@functools.lru_cache(maxsize=None)
def adopted():
    legacy("customer_1", extra=RIGHTS + "ALTER DEFAULT PRIVILEGES IN SCHEMA {s} GRANT SELECT ON TABLES TO stranger;")
    return adopt("customer_1", "acme", "--at", "1", "--plan", "large", "--name", "Acme Ltd")


# --- tenant adopt


def test_an_adopted_schema_keeps_its_name_and_rows_and_its_logins_work():
    answer = adopted()
    assert (answer["schema"], answer["version"], answer["plan"], answer["differing"]) == ("customer_1", 1, "large", 0)
    assert shared_server().tenantry("spare", "list", "--blueprint", "shop")["spares"][0]["demand"] == 0
    assert psql(uri(answer), "SELECT current_schema(), string_agg(name, ',' ORDER BY id) FROM customers") == \
        "customer_1|ann,bob"
    assert psql(uri(answer, "readonly"), "SELECT total FROM orders") == "5.00"
    psql(uri(answer), "INSERT INTO customers (name) VALUES ('eve'); SELECT nextval('tickets'), twice(2); CALL nothing()")
    refused_sql(uri(answer, "readonly"), "INSERT INTO customers (name) VALUES ('no')", "read-only transaction")
    refused_sql(uri(answer), "DELETE FROM events", "permission denied")
    refused_sql(uri(answer), "DELETE FROM events_default", "permission denied")
    shown = shared_server().tenantry("tenant", "show", "acme")
    assert shown["schema"] == "customer_1" and shown["name"] == "Acme Ltd" and shown["state"] == "active", shown
    assert admin("SELECT rolconnlimit FROM pg_roles WHERE rolname = '%s'" % shown["roles"]["app"]) == "16"


def test_triggers_of_an_adopted_schema_run_with_the_tenants_rights():
    psql(uri(adopted()), "INSERT INTO customers (name) VALUES ('who')")
    app = shared_server().tenantry("tenant", "show", "acme")["roles"]["app"]
    assert psql(uri(adopted()), "SELECT what FROM events ORDER BY at DESC LIMIT 1") == app


def test_everything_in_it_belongs_to_the_owner_role_and_others_have_no_right():
    adopted()
    owner = place("acme")[1]
    assert admin("SELECT count(*) FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid"
                 " WHERE r.rolname IN ('tool', 'reporting', 'stranger') AND d.dbid = (SELECT oid FROM pg_database"
                 " WHERE datname = current_database()) AND pg_describe_object(d.classid, d.objid, 0) LIKE"
                 " '%customer_1%'") == "0"
    assert admin("SELECT string_agg(DISTINCT pg_get_userbyid(typowner)::text, ',') FROM pg_type"
                 " WHERE typnamespace = 'customer_1'::regnamespace") == owner
    for sql in ("SELECT FROM customer_1.customers", "SELECT total FROM customer_1.orders"):
        for role in ("tool", "reporting", "stranger"):
            out = psql(crash_state.admin_conninfo(shared_server()), "SET ROLE %s; %s" % (role, sql), expect=None)
            assert out.status != 0 and "permission denied for schema" in out.err, out.text()
    assert admin("SELECT pg_has_role('tenantry', '%s', 'MEMBER')" % owner) == "f"


def test_neighbours_see_nothing_of_it():
    adopted()
    beta = shared_server().create("beta", "shop")
    refused_sql(beta["app"], "SELECT FROM customer_1.customers", "permission denied")
    refused_sql(uri(adopted()), "SELECT FROM %s.customers" % place("beta")[0], "permission denied")
    for slug in ("acme", "beta"):
        found = shared_server().tenantry("isolation", "verify", slug, "--fail-on", "high")
        assert not [f for f in found["findings"] if f["severity"] in ("critical", "high")], found


def test_an_adopted_tenant_is_verified_and_moved_like_the_others():
    adopted()
    assert place("acme")[2:] == ["1", "1"]
    assert shared_server().tenantry("migrate", "verify", "--tenant", "acme")["is_clean"]
    shared_server().tenantry("migrate", "up", "shop", "--tenant", "acme")
    assert place("acme")[2:] == ["3", "1,2,3"]
    assert shared_server().tenantry("migrate", "verify", "shop")["is_clean"]
    assert psql(uri(adopted()), "SELECT count(email) FROM customers") == "0"
    entry = shared_server().tenantry("audit", "list", "--tenant", "acme", "--action", "tenant.adopt")["entries"][0]
    assert entry["detail"]["schema"] == "customer_1" and entry["detail"]["differences"] == 0, entry


def test_an_adopted_tenant_goes_through_its_life_and_is_purged_with_its_schema():
    legacy("short_lived")
    answer = adopt("short_lived", "brief", "--at", "1")
    server = shared_server()
    server.tenantry("tenant", "rotate", "brief")
    refused_sql(uri(answer), "SELECT 1", "authentication failed")
    for verb in ("suspend", "resume", "archive"):
        server.tenantry("tenant", verb, "brief")
    server.tenantry("tenant", "purge", "brief", "--yes")
    assert admin("SELECT to_regnamespace('short_lived') IS NULL") == "t"


def test_a_name_that_its_own_objects_have_too_is_no_drift():
    legacy("customers", extra="COMMENT ON TABLE customers IS 'x';")
    refused("drift_found", "customers", "--at", "1", says=("comment",))
    admin("COMMENT ON TABLE customers.customers IS NULL")
    assert adopt("customers", "namesake", "--at", "1")["differing"] == 0
    assert shared_server().tenantry("migrate", "verify", "--tenant", "namesake")["is_clean"]
    admin("ALTER TABLE customers.customers ADD COLUMN customers integer")
    assert drifted("namesake") == {("column", "customers.customers")}
    answer = shared_server().tenantry("migrate", "baseline", "shop", "--at", "1", "--tenant", "namesake", "--dry-run")
    assert [(d["kind"], d["name"]) for d in answer["differences"]] == [("column", "customers.customers")], answer


def test_a_dry_run_tells_statements_and_differences_and_changes_nothing():
    schema = legacy("looked_at", extra="CREATE TABLE more (id integer); CREATE TYPE span AS RANGE (subtype = integer);" + RIGHTS)
    before = dumped(schema)
    answer = adopt(schema, "looked", "--at", "1", "--dry-run")
    assert dumped(schema) == before and "looked" not in crash_state.tenants(shared_server())
    assert {("table", "more"), ("column", "more.id")} <= {(d["kind"], d["name"]) for d in answer["differences"]}
    assert not {"owner", "grants", "role", "default grants"} & {d["kind"] for d in answer["differences"]}
    texts = answer["statements"]
    assert any("TYPE looked_at.span " in t for t in texts) and not any("ROUTINE looked_at.span" in t for t in texts), texts
    assert any(t.startswith("ALTER TABLE looked_at.customers OWNER TO tenant_") for t in texts), texts
    assert any(t.startswith("REVOKE ALL ON ALL TABLES IN SCHEMA looked_at FROM PUBLIC, reporting, stranger") for t in texts)
    assert "PUBLIC loses USAGE on the schema" in answer["changes"], answer["changes"]
    assert answer["connections"] == [] and answer["job"] is None


def test_a_dirty_twin_is_refused_untouched_and_taken_when_it_may_differ():
    schema = legacy("dirty", extra="ALTER TABLE customers ADD COLUMN fax text; DROP VIEW names;" + RIGHTS)
    refused("drift_found", schema, "--at", "1", says=("customers.fax", "differences: "))
    refused("drift_found", schema, says=("version 3",))
    result = shared_server().tenantry("tenant", "adopt", schema, "--blueprint", "shop", "--slug", "x1", "--at", "1", expect=None)
    assert ("column", "customers.fax", "unexpected") in {(d["kind"], d["name"], d["finding"])
                                                         for d in result.json()["differences"]}
    assert shared_server().tenantry("job", "list", "--limit", "1")["jobs"][0]["state"] == "undone"
    answer = adopt(schema, "dirty", "--at", "1", "--allow-drift")
    found = {("column", "customers.fax"), ("view", "names"), ("grants", "view names"), ("column", "names.id"),
             ("column", "names.name")}
    assert drifted("dirty") == found and answer["differing"] == len(found), (drifted("dirty"), answer["differing"])
    assert admin("SELECT differences FROM tenantry.baselines b JOIN tenantry.places p ON p.id = b.place_id"
                 " WHERE schema_name = 'dirty'") == str(len(found))
    entry = shared_server().tenantry("audit", "list", "--tenant", "dirty", "--action", "tenant.adopt")["entries"][0]
    assert entry["detail"]["differences"] == len(found), entry


def test_one_that_is_at_another_version_than_it_is_said_to_be_is_refused():
    schema = legacy("newer", versions=3)
    refused("drift_found", schema, "--at", "1", says=("customers_email", "not expected"))
    refused("drift_found", schema, "--at", "2", says=("customers_email", "not expected"))
    assert adopt(schema, "newer")["version"] == 3


def test_one_that_lacks_an_append_only_table_can_be_taken_as_it_is():
    schema = legacy("lacking", extra="DROP TRIGGER customers_shout ON customers; DROP TABLE events;")
    assert adopt(schema, "lacking", "--at", "1", "--allow-drift")["differing"] > 0


def test_one_that_is_not_isolated_is_refused_untouched():
    schema = legacy("open_door", extra="CREATE FUNCTION leaky() RETURNS integer LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';")
    refused("isolation_violated", schema, "--at", "1", "--allow-drift", says=("definer_search_path",))


def test_a_missing_right_is_named_with_the_statement_that_grants_it():
    shop()
    admin("CREATE ROLE \"Other tool\"")
    schema = legacy("not_ours", owner='"Other tool"')
    error = refused("pg_right_missing", schema, says=('"tenantry" is not a member of "Other tool"',))
    assert error["hint"] == 'GRANT "Other tool" TO tenantry', error
    admin('GRANT "Other tool" TO tenantry')
    admin("CREATE TABLE not_ours.mine (id integer)")
    error = refused("pg_right_missing", schema, says=('is not a member of "postgres"',))
    assert error["hint"].startswith("as a superuser: GRANT postgres TO tenantry"), error
    admin("DROP TABLE not_ours.mine")
    adopt(schema, "other", "--at", "1")


def test_schemas_that_are_no_customers_are_refused():
    adopted()
    for schema, says in (("nowhere", "there is no schema"), ("pg_catalog", "own"), ("information_schema", "own"),
                         ("tenantry", "own"), ("tenancy_guards", "own"), ("public", "everybody's"),
                         ("customer_1", 'that of tenant "acme" already'), ("tenant_0123456789ab", "no schema")):
        refused("input_invalid", schema, "--no-dump", says=(says,))
    admin('CREATE SCHEMA "Quoted" AUTHORIZATION tool')
    refused("input_invalid", "Quoted", says=("quotes",))
    refused("input_invalid", legacy("unversioned"), "--at", "9", says=("no version 9",))
    for args in ((), ("--dry-run",)):
        refused("input_invalid", "unversioned", "--at", "1", "--plan", "huge", *args, says=('no plan "huge"',))
        refused("input_invalid", "unversioned", *args, says=('no tier "schema"',), blueprint="saas")
    refused("blueprint_missing", "unversioned", blueprint="bazaar")
    before = dumped("unversioned")
    for args in ((), ("--dry-run",)):
        shared_server().refused("slug_taken", "tenant", "adopt", "unversioned", "--blueprint", "shop", "--slug", "acme",
                                "--at", "1", *args)
    assert dumped("unversioned") == before


def test_schemas_that_do_not_stand_alone_are_refused():
    shop()
    cases = {
        "key_out": "CREATE TABLE {s}.x (id bigint REFERENCES apart.t (id))",
        "view_out": "CREATE VIEW {s}.x AS SELECT * FROM apart.t",
        "default_out": "CREATE TABLE {s}.x (id bigint DEFAULT nextval('apart.numbers'))",
        "type_out": "CREATE TABLE {s}.x (mood apart.mood)",
        "trigger_out": "CREATE TABLE {s}.x (id integer); CREATE TRIGGER x BEFORE INSERT ON {s}.x"
                       " FOR EACH ROW EXECUTE FUNCTION apart.f()",
    }
    admin("CREATE SCHEMA apart; CREATE TABLE apart.t (id bigint PRIMARY KEY); CREATE SEQUENCE apart.numbers;"
          " CREATE TYPE apart.mood AS ENUM ('x'); CREATE FUNCTION apart.f() RETURNS trigger LANGUAGE plpgsql"
          " AS 'BEGIN RETURN NEW; END'; CREATE SCHEMA hung AUTHORIZATION tool; CREATE TABLE hung.t (id bigint PRIMARY KEY)")
    for schema, sql in cases.items():
        admin("CREATE SCHEMA %s AUTHORIZATION tool; %s" % (schema, sql.replace("{s}", schema)))
        refused("input_invalid", schema, says=("leads out of itself",))
    for sql in ("CREATE TABLE apart.key (id bigint REFERENCES hung.t (id))", "CREATE VIEW apart.view AS SELECT * FROM hung.t"):
        admin(sql)
        refused("input_invalid", "hung", says=('others depend on schema "hung"',))
        admin("DROP %s apart.%s" % (sql.split()[1], sql.split()[2].split(".")[1]))
    admin("CREATE SCHEMA extended AUTHORIZATION tool; CREATE EXTENSION citext SCHEMA extended")
    refused("input_invalid", "extended", says=("extension",))
    admin("DROP EXTENSION citext")


def test_code_of_the_schema_that_is_called_meanwhile_has_the_owners_rights_only():
    """A function that is nearer to a call of the owner's part of the adoption than PostgreSQL's own."""
    schema = legacy("hostile", extra="""
CREATE TABLE spy (who name, what text);
CREATE FUNCTION format(a text, b text, c text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    BEGIN
        EXECUTE 'RESET ROLE';
        INSERT INTO spy VALUES (current_user, 'became another');
    EXCEPTION WHEN OTHERS THEN
        INSERT INTO spy VALUES (current_user, SQLERRM);
    END;
    BEGIN
        GRANT tenantry TO stranger;
    EXCEPTION WHEN OTHERS THEN
        INSERT INTO spy VALUES (current_user, SQLERRM);
    END;
    RETURN 'hostile.events';
END $$;
""")
    adopt(schema, "hostile", "--at", "1", "--allow-drift")
    assert admin("SELECT string_agg(DISTINCT who::text, ',') FROM hostile.spy") == place("hostile")[1]
    assert admin("SELECT count(*) FROM hostile.spy WHERE what LIKE '%security-definer%' OR what LIKE 'must%'") != "0"
    assert admin("SELECT pg_has_role('stranger', 'tenantry', 'MEMBER')") == "f"


def test_an_event_trigger_that_its_owner_could_change_is_refused():
    """It would run with the control role's rights while the schema is taken."""
    schema = legacy("watched", extra="CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS"
                                     " 'BEGIN GRANT tenantry TO stranger; END';")
    admin("CREATE EVENT TRIGGER watching ON ddl_command_end EXECUTE FUNCTION watched.watch()")
    try:
        refused("input_invalid", schema, "--no-dump", says=("event trigger",))
        assert admin("SELECT pg_has_role('stranger', 'tenantry', 'MEMBER')") == "f"
    finally:
        admin("DROP EVENT TRIGGER watching")


# --- migrate baseline


def baseline(*args):
    return shared_server().tenantry("migrate", "baseline", "market", *args)


@functools.lru_cache(maxsize=None)
def market():
    shop()
    shop("market")
    for slug in ("hand-a", "hand-b"):
        shared_server().create(slug, "market")
    shared_server().tenantry("migrate", "verify", "market")
    return shared_server()


def by_hand(slug, sql):
    """As the owner, so that what is made is the owner's."""
    schema, owner = place(slug)[:2]
    admin("SET ROLE %s; SET search_path = %s; %s" % (owner, schema, sql))


def test_a_version_that_places_were_moved_to_by_hand_is_recorded():
    market()
    for slug in ("hand-a", "hand-b"):
        by_hand(slug, "DROP INDEX customers_email")
    result = shared_server().tenantry("migrate", "verify", "market", expect=None)
    check_refusal(result, "drift_found")
    answer = baseline("--at", "2", "--dry-run")
    assert (answer["places"], answer["drifted"], answer["job"]) == (2, 0, None) and place("hand-a")[2:] == ["3", "1,2,3"]
    answer = baseline("--at", "2", "--tenant", "hand-a")
    assert (answer["places"], answer["drifted"]) == (1, 0)
    assert place("hand-a")[2:] == ["2", "1,2"] and place("hand-b")[2:] == ["3", "1,2,3"]
    admin("UPDATE tenantry.places SET quarantine = 1 WHERE blueprint = 'market'")
    baseline("--at", "2", "--tenant", "hand-a", "--tenant", "hand-b")
    assert admin("SELECT count(*) FROM tenantry.places WHERE quarantine IS NOT NULL") == "0"
    assert place("hand-b")[2:] == ["2", "1,2"]
    assert shared_server().tenantry("migrate", "verify", "market")["is_clean"]
    entry = shared_server().tenantry("audit", "list", "--tenant", "hand-b", "--action", "migrate.baseline")["entries"][0]
    assert (entry["detail"]["from_version"], entry["detail"]["version"]) == (3, 2), entry
    shared_server().tenantry("migrate", "up", "market")
    assert place("hand-a")[2:] == ["3", "1,2,3"]


def test_a_baseline_is_refused_where_a_place_is_not_at_the_version():
    market()
    before = place("hand-a"), place("hand-b")
    by_hand("hand-b", "DROP INDEX customers_email")
    result = shared_server().tenantry("migrate", "baseline", "market", "--at", "2", expect=None)
    check_refusal(result, "drift_found", "1 of 2 places", "customers_email")
    assert [d["name"] for d in result.json()["differences"]] == ["customers_email"]
    assert (place("hand-a"), place("hand-b")) == before
    answer = baseline("--at", "2", "--dry-run")
    assert [(d["tenant"], d["name"], d["finding"]) for d in answer["differences"]] == \
        [("hand-a", "customers_email", "unexpected")]
    answer = baseline("--at", "2", "--allow-drift")
    assert (answer["places"], answer["drifted"]) == (2, 1)
    assert drifted("hand-a") == {("index", "customers_email")}
    baseline("--at", "3", "--tenant", "hand-a")
    shared_server().tenantry("migrate", "up", "market")
    assert shared_server().tenantry("migrate", "verify", "market")["is_clean"]


def test_a_baseline_is_refused_while_a_rollout_is_not_at_its_end():
    market()
    for slug in ("hand-a", "hand-b"):
        by_hand(slug, "DROP INDEX customers_email")
    baseline("--at", "2")
    server = shared_server()
    server.refused("gate_shut", "migrate", "up", "market", "--waves", "1,100%", "--gate", "false")
    number = str(server.tenantry("migrate", "status", "market")["rollouts"][0]["rollout"])
    server.refused("rollout_stopped", "migrate", "baseline", "market", "--at", "2",
                   says=("rollout %s of blueprint" % number, "migrate resume %s" % number))
    server.tenantry("migrate", "abort", number)
    server.tenantry("migrate", "up", "market")


def test_a_baseline_of_what_is_not_there_is_refused():
    market()
    for args, says in ((("--at", "9"), "no version 9"), (("--at", "1", "--tenant", "nobody"), '"nobody" is no tenant'),
                       (("--at", "1", "--tenant", "acme"), '"acme" is no tenant')):
        shared_server().refused("input_invalid", "migrate", "baseline", "market", *args, says=(says,))
    shared_server().refused("blueprint_missing", "migrate", "baseline", "bazaar", "--at", "1")


def test_a_baseline_takes_adopted_and_other_places_together():
    """Names of schemas that are adopted come before and after those that Tenantry makes."""
    server = market()
    for schema in ("an_early_one", "zoo"):
        legacy(schema, versions=3)
        server.tenantry("tenant", "adopt", schema, "--blueprint", "market", "--slug", schema.replace("_", "-"), "--at", "3")
    server.tenantry("migrate", "up", "market")
    answer = baseline("--at", "3")
    assert (answer["places"], answer["drifted"]) == (4, 0), answer


if __name__ == "__main__":
    harness.main()
