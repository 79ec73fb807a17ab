#!/usr/bin/env python3
"""Stamps: a tenant made from one is what the migrations would have made, and nothing is left of a crash."""
import functools
import json
import os
import pwd
import re
import shutil
import socket
import subprocess

import crash_state
import harness
from harness import check_refusal, shared_server

FINGERPRINT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "src", "blueprint", "fingerprint.sql")

MANIFEST = """name: NAME
title: Everything that a migration may make
tiers: [schema]
plans:
  one: {title: One, limits: {max_connections: 10}}
append_only: [events]
partitions:
  - {table: events, column: at, every: month, ahead: 1}
"""
# Steps that take back a part of what was made before, so that the flattened form is the shorter one.
MIGRATIONS = {
    "V0001__types_and_tables": """
CREATE TYPE colour AS ENUM ('red', 'green');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN amount AS numeric(12, 2) CONSTRAINT amount_is_number CHECK (VALUE < 'NaN');
CREATE SEQUENCE tickets START 100 INCREMENT 5;
CREATE TABLE currencies (code text PRIMARY KEY, title text NOT NULL);
CREATE TABLE accounts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    useless text,
    currency text NOT NULL DEFAULT 'EUR' REFERENCES currencies (code),
    credit amount NOT NULL DEFAULT 0,
    debit amount NOT NULL DEFAULT 0,
    balance numeric GENERATED ALWAYS AS (credit - debit) STORED,
    ticket bigint NOT NULL DEFAULT nextval('tickets'),
    extra pair
);
CREATE TABLE events (
    at timestamptz NOT NULL DEFAULT now(),
    account_id bigint NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    what text NOT NULL,
    PRIMARY KEY (account_id, at)
) PARTITION BY RANGE (at);
CREATE TABLE events_default PARTITION OF events DEFAULT;
CREATE TABLE notes (event_at timestamptz, account_id bigint, body text,
    FOREIGN KEY (account_id, event_at) REFERENCES events (account_id, at));
""",
    "V0002__changes": """
ALTER TABLE accounts DROP COLUMN useless;
ALTER TABLE accounts ADD COLUMN colour colour;
ALTER TABLE accounts ADD COLUMN note text;
ALTER TABLE accounts ALTER COLUMN colour SET DEFAULT 'red';
ALTER TABLE accounts RENAME COLUMN note TO remark;
ALTER TABLE accounts ADD COLUMN since date;
ALTER TABLE accounts ALTER COLUMN since SET DEFAULT current_date;
ALTER TABLE accounts ALTER COLUMN since SET NOT NULL;
CREATE TABLE scratch (id int);
ALTER TABLE scratch ADD COLUMN x int;
ALTER TABLE scratch ADD COLUMN y int;
ALTER TABLE scratch ADD COLUMN z int;
DROP TABLE scratch;
COMMENT ON TABLE accounts IS 'who has what; it''s "quoted"';
COMMENT ON COLUMN accounts.name IS 'as people say';
""",
    "V0003__behaviour": """
CREATE FUNCTION stamp_time() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.remark := coalesce(NEW.remark, 'one; two $x$ tenantry');
    RETURN NEW;
END
$$;
CREATE FUNCTION total() RETURNS numeric LANGUAGE sql STABLE BEGIN ATOMIC SELECT sum(balance) FROM accounts; END;
CREATE FUNCTION lookup(c text) RETURNS text LANGUAGE sql STABLE AS 'SELECT title FROM currencies WHERE code = c';
CREATE TRIGGER accounts_time BEFORE INSERT ON accounts FOR EACH ROW EXECUTE FUNCTION stamp_time();
CREATE INDEX accounts_lower ON accounts (lower(name));
CREATE INDEX accounts_red ON accounts (since) WHERE colour = 'red' AND credit > 0 AND debit BETWEEN 1 AND 2;
CREATE INDEX events_what ON events (what);
CREATE VIEW rich WITH (security_invoker = true) AS SELECT name, balance FROM accounts WHERE balance > 100;
CREATE MATERIALIZED VIEW sums AS SELECT currency, sum(balance) AS balance FROM accounts GROUP BY currency WITH NO DATA;
CREATE UNIQUE INDEX sums_currency ON sums (currency);
ALTER TABLE accounts ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody ON accounts USING (true) WITH CHECK (true);
CREATE POLICY no_ghosts ON accounts AS RESTRICTIVE FOR SELECT TO CURRENT_USER USING (name <> 'ghost');
ALTER TABLE accounts ADD CONSTRAINT accounts_sane CHECK (credit >= 0 AND debit >= 0 AND credit BETWEEN 0 AND 1000000);
CREATE STATISTICS accounts_both (dependencies) ON currency, colour FROM accounts;
ALTER TABLE notes REPLICA IDENTITY FULL;
ALTER TABLE notes SET (fillfactor = 70);
CREATE RULE notes_stay AS ON DELETE TO notes DO INSTEAD NOTHING;
""",
    "V0004__more": "".join("ALTER TABLE notes ADD COLUMN c%d text;\nALTER TABLE notes ALTER COLUMN c%d SET DEFAULT '%d';\n" % (n, n, n)
                           for n in range(12)),
}


def write(folder, name, migrations):
    os.makedirs(os.path.join(folder, "migrations"), exist_ok=True)
    files = {"blueprint.yaml": MANIFEST.replace("NAME", name)}
    files.update({"migrations/%s.sql" % file: text for file, text in migrations.items()})
    for path, text in files.items():
        with open(os.path.join(folder, path), "w", encoding="utf-8") as f:
            f.write(text)
    return folder


def add(name, migrations, server=None):
    with harness.temporary_folder() as folder:
        return (server or shared_server()).tenantry("blueprint", "add", write(folder, name, migrations))


def stamp(name, *args):
    return shared_server().tenantry("blueprint", "stamp", name, *args)


def make(slug, blueprint):
    """The place of a new tenant."""
    server = shared_server()
    server.create(slug, blueprint)
    row = server.psql(
        "SELECT json_build_object('schema', schema_name, 'owner', owner_role, 'app', app_role, 'readonly', readonly_role)"
        " FROM tenantry.tenants t JOIN tenantry.places p ON p.id = t.place_id WHERE t.slug = '%s'" % slug)
    return json.loads(row)


def query(place):
    with open(FINGERPRINT, encoding="utf-8") as f:
        return "SELECT to_json(x) FROM (%s) x" % f.read().replace("$1", "'%s'" % json.dumps([place]))


def lines(place, change=""):
    """What a place is made of, after a change that is taken back."""
    text = shared_server().psql("BEGIN; %s; SET LOCAL search_path = pg_catalog; %s; ROLLBACK;" % (change or "SELECT", query(place)),
                                crash_state.admin_conninfo(shared_server()))
    found = [json.loads(line) for line in text.splitlines() if line]
    return {(line["kind"], line["name"], line["definition"]) for line in found}


@functools.lru_cache(maxsize=None)
def both():
    """A tenant made by the migrations and one made from the stamp."""
    add("everything", MIGRATIONS)
    kept = stamp("everything")
    assert kept["kind"] == "flat" and not kept["is_new"], kept
    assert kept["statements"] < kept["migration_statements"], kept
    with harness.temporary_folder() as empty:
        by_migrations = stamp("everything", "--force", "--pg-bin-dir", empty)
    assert by_migrations["kind"] == "migrations", by_migrations
    assert "no pg_dump" in by_migrations["reason"], by_migrations
    first = make("by-migrations", "everything")
    again = stamp("everything", "--force")
    assert again["fingerprint"] == by_migrations["fingerprint"] == kept["fingerprint"], (again, kept)
    return first, make("by-stamp", "everything")


def in_place(place, sql):
    return shared_server().psql('SET search_path = "%s"; %s' % (place["schema"], sql),
                                crash_state.admin_conninfo(shared_server()))


def test_a_tenant_from_the_stamp_is_one_from_the_migrations():
    migrated, stamped = both()
    assert lines(migrated) == lines(stamped), sorted(lines(migrated) ^ lines(stamped))
    dropped = "SELECT count(*) FROM pg_attribute WHERE attisdropped AND attrelid = 'accounts'::regclass"
    assert [in_place(place, dropped) for place in (migrated, stamped)] == ["1", "0"], "not made in two ways"


def test_sequences_and_functions_are_those_of_the_migrations():
    migrated, stamped = both()
    for sql in ("INSERT INTO currencies VALUES ('EUR', 'Euro'), ('USD', 'Dollar')", "INSERT INTO accounts (name) VALUES ('x') RETURNING id, ticket, remark",
                "SELECT nextval('tickets'), lookup('USD'), total()"):
        answers = [in_place(place, sql) for place in (migrated, stamped)]
        assert answers[0] == answers[1], (sql, answers)


PINNED = "CREATE FUNCTION pinned() RETURNS bigint LANGUAGE plpgsql SET search_path FROM CURRENT AS" \
         " $f$ BEGIN RETURN (SELECT count(*) FROM currencies); END $f$;"


def test_a_function_that_keeps_its_search_path_keeps_to_the_place_that_it_was_made_for():
    add("pinned", {**MIGRATIONS, "V0005__pinned": PINNED})
    assert stamp("pinned")["kind"] == "flat"
    first, second = make("pinned-a", "pinned"), make("pinned-b", "pinned")
    assert lines(first) == lines(second)
    for place in (first, second):
        assert in_place(place, "SELECT proconfig FROM pg_proc WHERE oid = 'pinned'::regproc") == \
            '{"search_path=%s, tenantry_ext, pg_temp"}' % place["schema"]
    in_place(first, "INSERT INTO currencies VALUES ('EUR', 'Euro')")
    for place, rows in ((first, "1"), (second, "0")):
        assert in_place(place, "SET search_path = pg_catalog; SELECT %s.pinned()" % place["schema"]) == rows


def test_partitions_and_rights_are_made_after_the_stamp():
    server = shared_server()
    both()
    shown = server.tenantry("partition", "list", "--tenant", "by-stamp")["partitions"]
    assert len([p for p in shown if p["table"] == "events"]) >= 2, shown
    uri = next(c["uri"] for c in server.tenantry("tenant", "credentials", "by-stamp")["connections"] if c["login"] == "app")
    harness.refused_sql(uri, "UPDATE events SET what = 'x'", says="permission denied")
    harness.refused_sql(uri, "CREATE TABLE x (y int)", says="permission denied")
    harness.psql(uri, "INSERT INTO currencies VALUES ('EUR', 'Euro') ON CONFLICT DO NOTHING")
    assert harness.psql(uri, "INSERT INTO accounts (name) VALUES ('mine') RETURNING remark") == "one; two $x$ tenantry"


CHANGES = {
    "a column more": "ALTER TABLE {schema}.accounts ADD COLUMN more int",
    "a column less": "ALTER TABLE {schema}.accounts DROP COLUMN since",
    "a type": "ALTER TABLE {schema}.accounts ALTER COLUMN remark TYPE varchar(1000)",
    "a default": "ALTER TABLE {schema}.accounts ALTER COLUMN credit SET DEFAULT 1",
    "NULL": "ALTER TABLE {schema}.accounts ALTER COLUMN since DROP NOT NULL",
    "an identity": "ALTER TABLE {schema}.accounts ALTER COLUMN id SET GENERATED BY DEFAULT",
    "a generated column": "ALTER TABLE {schema}.accounts ALTER COLUMN balance DROP EXPRESSION",
    "an index": "DROP INDEX {schema}.accounts_lower",
    "a constraint": "ALTER TABLE {schema}.accounts DROP CONSTRAINT accounts_sane",
    "a constraint that is not validated": "ALTER TABLE {schema}.notes ADD CHECK (body <> '') NOT VALID",
    "a trigger that is disabled": "ALTER TABLE {schema}.accounts DISABLE TRIGGER accounts_time",
    "a trigger": "DROP TRIGGER accounts_time ON {schema}.accounts",
    "a grant to PUBLIC": "GRANT SELECT ON {schema}.accounts TO PUBLIC",
    "a grant of a column": "GRANT UPDATE (what) ON {schema}.events TO {app}",
    "a grant less": "REVOKE INSERT ON {schema}.accounts FROM {app}",
    "the body of a function": "CREATE OR REPLACE FUNCTION {schema}.lookup(c text) RETURNS text LANGUAGE sql STABLE AS 'SELECT c'",
    "the rights of a function": "GRANT EXECUTE ON FUNCTION {schema}.total() TO PUBLIC",
    "a function's safety": "ALTER FUNCTION {schema}.total() SECURITY DEFINER",
    "a policy": "ALTER POLICY everybody ON {schema}.accounts USING (false)",
    "the roles of a policy": "ALTER POLICY no_ghosts ON {schema}.accounts TO PUBLIC",
    "row security": "ALTER TABLE {schema}.accounts DISABLE ROW LEVEL SECURITY",
    "forced row security": "ALTER TABLE {schema}.accounts FORCE ROW LEVEL SECURITY",
    "an owner": "ALTER TABLE {schema}.currencies OWNER TO CURRENT_USER",
    "the owner of a function": "ALTER FUNCTION {schema}.total() OWNER TO CURRENT_USER",
    "a label": "ALTER TYPE {schema}.colour RENAME VALUE 'green' TO 'blue'",
    "a domain": "ALTER DOMAIN {schema}.amount DROP CONSTRAINT amount_is_number",
    "a sequence": "ALTER SEQUENCE {schema}.tickets INCREMENT 7",
    "a comment": "COMMENT ON TABLE {schema}.accounts IS 'else'",
    "a view": "CREATE OR REPLACE VIEW {schema}.rich AS SELECT name, balance FROM {schema}.accounts",
    "a table option": "ALTER TABLE {schema}.notes SET (fillfactor = 50)",
    "a replica identity": "ALTER TABLE {schema}.notes REPLICA IDENTITY NOTHING",
    "a rule": "DROP RULE notes_stay ON {schema}.notes",
    "statistics": "DROP STATISTICS {schema}.accounts_both",
    "default privileges": "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema} GRANT SELECT ON TABLES TO PUBLIC",
    "rights on the schema": "GRANT USAGE ON SCHEMA {schema} TO PUBLIC",
    "no statistics": "ALTER TABLE {schema}.accounts ALTER COLUMN name SET STATISTICS 0",
    "a cast": "CREATE CAST ({schema}.pair AS text) WITH INOUT",
    "a table more": "CREATE TABLE {schema}.more (x int)",
    "an unlogged table": "ALTER TABLE {schema}.notes SET UNLOGGED",
}


def test_every_kind_of_change_changes_the_fingerprint():
    _, place = both()
    before = lines(place)
    for what, change in CHANGES.items():
        assert lines(place, change.format(**place)) != before, what


def test_rows_and_partitions_do_not_change_the_fingerprint():
    server = shared_server()
    _, place = both()
    before = lines(place)
    in_place(place, "INSERT INTO currencies VALUES ('JPY', 'Yen'); SELECT nextval('tickets')")
    server.tenantry("partition", "ensure")
    old = server.old_partition(place["schema"], "events")
    in_place(place, "REVOKE INSERT, UPDATE, DELETE ON %s FROM %s" % (old, place["app"]))  # as those that Tenantry makes
    assert lines(place) == before, sorted(lines(place) ^ before)
    server.tenantry("partition", "detach", "--tenant", "by-stamp", "--table", "events", "--before", "2020-02-01")
    assert lines(place) == before, sorted(lines(place) ^ before)


def test_the_packs_of_the_schema_tier_have_a_stamp_that_every_tenant_matches():
    server = shared_server()
    for blueprint in server.tenantry("blueprint", "list")["blueprints"]:
        if blueprint["source"] != "embedded" or "schema" not in blueprint["tiers"]:
            continue
        name = blueprint["name"]
        kept = stamp(name)
        assert "not the same" not in kept["reason"] and "cannot be used" not in kept["reason"], kept
        first, second = (make("%s-%d" % (name, n), name) for n in (1, 2))
        assert lines(first) == lines(second), sorted(lines(first) ^ lines(second))


def test_another_version_is_stamped_again():
    add("growing", MIGRATIONS)
    first = stamp("growing")
    assert not first["is_new"]
    add("growing", {**MIGRATIONS, "V0005__tags": "CREATE TABLE tags (name text PRIMARY KEY);"})
    second = stamp("growing")
    assert second["version"] == 5 and second["fingerprint"] != first["fingerprint"], second
    assert ("table", "tags") in {line[:2] for line in lines(make("grown", "growing"))}


# What a migration leaves beside structure, and how the reason names it.
FILLINGS = {
    "rows": ("INSERT INTO currencies VALUES ('EUR', 'Euro');", 'table "currencies" has rows'),
    "view": ("REFRESH MATERIALIZED VIEW sums;", 'table "sums" has rows'),
    "used": ("SELECT nextval('tickets');", 'sequence "tickets" was moved'),
    "moved": ("ALTER SEQUENCE tickets RESTART WITH 700;", 'sequence "tickets" was moved'),
}


def test_what_the_migrations_fill_leaves_the_migrations():
    for what, (statement, reason) in FILLINGS.items():
        name = "filled_" + what
        add(name, {**MIGRATIONS, "V0005__fill": statement})
        kept = stamp(name)
        assert kept["kind"] == "migrations" and reason in kept["reason"], kept
    assert in_place(make("filled", "filled_rows"), "SELECT title FROM currencies") == "Euro"


TODAY = """DO $$ BEGIN
    FOR day IN 0..2 LOOP
        EXECUTE format('CREATE TABLE %I PARTITION OF days FOR VALUES FROM (%L) TO (%L)', 'days_' || day,
                       current_date + day, current_date + day + 1);
    END LOOP;
END $$;"""


def test_dates_that_the_migrations_compute_leave_the_migrations():
    add("dated", {**MIGRATIONS, "V0005__days": "CREATE TABLE days (at date NOT NULL) PARTITION BY RANGE (at);\n" + TODAY})
    kept = stamp("dated")
    assert kept["kind"] == "migrations", kept
    assert kept["reason"] == ("the migrations run code that may do something else another time: "
                              "migrations/V0005__days.sql:2: \"current_date\""), kept


STEAL = """CREATE FUNCTION take() RETURNS text LANGUAGE plpgsql VOLATILE AS $f$ BEGIN
 EXECUTE 'RE' || 'SET ROLE'; EXECUTE 'CREATE TABLE tenantry.stolen AS SELECT * FROM tenantry.credentials'; RETURN 'x'; END $f$;
CREATE FUNCTION quiet(v text) RETURNS text LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS
 $f$ BEGIN RETURN take(); EXCEPTION WHEN OTHERS THEN RETURN 'x'; END $f$;
"""
THEFTS = {
    "index": "CREATE TABLE loot (a text); CREATE INDEX loot_index ON loot (quiet('x'), a);",
    "cast": "CREATE TABLE loot (a text); INSERT INTO loot VALUES ('a');"
            "CREATE FUNCTION row_text(loot) RETURNS text LANGUAGE sql AS 'SELECT take()';"
            "DO $d$ BEGIN EXECUTE 'CREATE CA' || 'ST (loot AS text) WITH FUNCTION row_text(loot)'; END $d$;",
}


def test_no_code_of_a_blueprint_runs_as_the_control_role_while_a_stamp_is_taken():
    server = shared_server()
    for what, statements in THEFTS.items():
        name = "theft_" + what
        add(name, {**MIGRATIONS, "V0005__theft": STEAL + statements})
        stamp(name, "--force")
        assert server.psql("SELECT to_regclass('tenantry.stolen') IS NULL") == "t", what
        assert leftovers(server) == "", what


def test_a_blueprint_whose_migrations_are_shorter_keeps_them():
    add("short", {"V0001__t": "CREATE TABLE events (id int, at timestamptz, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);"})
    kept = stamp("short")
    assert kept["kind"] == "migrations" and "the migrations have 1" in kept["reason"], kept


def test_bodies_of_functions_are_looked_into_before_a_stamp_is_taken_and_not_again():
    migrations = {"V0001__calls": "CREATE TABLE events (id int, at timestamptz, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);\n"
                                  "CREATE FUNCTION call() RETURNS int LANGUAGE sql AS 'SELECT called()';"}
    admin = crash_state.admin_conninfo(shared_server())
    with harness.temporary_folder() as folder:
        shared_server().refused("blueprint_invalid", "blueprint", "add", write(folder, "calls", migrations),
                                says=["V0001__calls.sql:2", "function called() does not exist"])
    shared_server().psql("CREATE FUNCTION pg_catalog.called() RETURNS int LANGUAGE sql AS 'SELECT 7'", admin)
    try:
        add("calls", migrations)
        stamp("calls")
        shared_server().psql("ALTER FUNCTION pg_catalog.called() RENAME TO called_before", admin)
        place = make("calls", "calls")
        shared_server().psql("ALTER FUNCTION pg_catalog.called_before() RENAME TO called", admin)
        assert in_place(place, "SELECT call()") == "7"
    finally:
        shared_server().psql("DROP FUNCTION IF EXISTS pg_catalog.called(), pg_catalog.called_before()", admin)


def test_an_extension_is_used_from_where_it_is():
    migrations = {**MIGRATIONS, "V0005__citext": "CREATE TABLE people (name citext PRIMARY KEY, nick citext DEFAULT 'x'::citext);"
                                                 "CREATE INDEX people_nick ON people USING gin (nick gin_trgm_ops);"}
    with harness.temporary_folder() as folder:
        write(folder, "extended", migrations)
        with open(os.path.join(folder, "blueprint.yaml"), "a", encoding="utf-8") as f:
            f.write("extensions: {wanted: [citext, pg_trgm]}\n")
        added = shared_server().tenantry("blueprint", "add", folder, json=False)
    kept = stamp("extended")
    assert kept["kind"] == "flat" and not kept["is_new"], (kept, added.err)
    place = make("extended", "extended")
    assert in_place(place, "INSERT INTO people VALUES ('A'); SELECT count(*) FROM people WHERE name OPERATOR(tenantry_ext.=) 'a'") == "1"
    assert stamp("extended")["is_new"] is False


def test_a_tenant_that_is_moved_to_a_version_with_an_extension_finds_it_like_a_new_one():
    server = shared_server()
    before = {"V0001__people": "CREATE TABLE people (name text PRIMARY KEY);" + PINNED.replace("currencies", "people")}
    manifest = MANIFEST.partition("append_only")[0].replace("NAME", "late")
    with harness.temporary_folder() as folder:
        for migrations, more in ((before, ""), ({**before, "V0002__nick": "ALTER TABLE people ADD COLUMN nick citext;"},
                                                "extensions: {wanted: [citext]}\n")):
            write(folder, "late", migrations)
            with open(os.path.join(folder, "blueprint.yaml"), "w", encoding="utf-8") as f:
                f.write(manifest + more)
            server.tenantry("blueprint", "add", folder)
            if not more:
                moved = server.create("late-moved", "late")
    server.tenantry("migrate", "up", "late")
    for tenant in (moved, server.create("late-born", "late")):
        server.psql("INSERT INTO people VALUES ('one', 'ABC')", tenant["app"])
        assert server.psql("SELECT name FROM people WHERE nick = 'abc'", tenant["app"]) == "one"
    assert server.tenantry("migrate", "verify", "late")["is_clean"]


def test_the_row_tier_has_no_stamps():
    check_refusal(shared_server().tenantry("blueprint", "stamp", "saas", expect=None), "input_invalid", "no schema tier")
    check_refusal(shared_server().tenantry("blueprint", "stamp", "nothing", expect=None), "blueprint_missing", "nothing")


def test_root_runs_pg_dump_as_the_servers_user():
    if os.getuid() != 0:
        harness.skip("only root can be another user")
    server = shared_server()
    add("everything", MIGRATIONS)
    with harness.temporary_folder() as folder:
        os.mkdir(folder + "/seen")
        os.chmod(folder + "/seen", 0o777)
        with open(folder + "/pg_dump", "w", encoding="utf-8") as f:
            f.write('#!/bin/sh\nid -un >> %s/seen/users\nexec "%s" "$@"\n' % (folder, harness.pg_program("pg_dump")))
        os.chmod(folder + "/pg_dump", 0o755)
        kept = stamp("everything", "--force", "--pg-bin-dir", folder)
        assert kept["kind"] == "flat", kept
        with open(folder + "/seen/users", encoding="utf-8") as f:
            users = set(f.read().split())
        assert users == {pwd.getpwuid(os.stat(server.data_dir + "/pg").st_uid).pw_name}, users


def test_pg_dump_gets_in_with_the_password_of_the_database_url():
    server = shared_server()
    admin = crash_state.admin_conninfo(server)
    server.psql("CREATE ROLE guest LOGIN CREATEROLE PASSWORD 'gu/est'; CREATE DATABASE guest OWNER guest;", admin)
    place = re.search(r"host='([^']+)' port=(\d+)", server.conninfo)
    with harness.temporary_folder() as folder:
        env = {"TENANTRY_DATABASE_URL": "postgresql://guest:gu%%2Fest@/guest?host=%s&port=%s" % place.groups(),
               "TENANTRY_DATA_DIR": folder}
        server.tenantry("up", env=env)
        server.tenantry("blueprint", "add", write(os.path.join(folder, "pack"), "everything", MIGRATIONS), env=env)
        kept = server.tenantry("blueprint", "stamp", "everything", env=env)
        assert kept["kind"] == "flat", kept
        server.tenantry("tenant", "create", "guest", "--blueprint", "everything", env=env)
    assert leftovers(server) == ""


def make_certificate(folder, name, *sign, phrase=None):
    """A key and a certificate, signed by itself unless told otherwise."""
    hidden = ["-passout", "pass:" + phrase] if phrase else ["-nodes"]
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-days", "2", "-subj", "/CN=" + name, "-keyout",
                    "%s/%s.key" % (folder, name), "-out", "%s/%s.crt" % (folder, name), *hidden, *sign],
                   check=True, capture_output=True, timeout=60)
    os.chmod("%s/%s.key" % (folder, name), 0o600)


def test_pg_dump_has_the_client_key_and_its_pass_phrase():
    if shutil.which("openssl") is None:
        harness.skip("no openssl")
    with harness.Server() as server, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        server.up()
        server.tenantry("down")
        made = server.folder
        make_certificate(made, "authority")
        make_certificate(made, "server")
        make_certificate(made, "client", "-CA", made + "/authority.crt", "-CAkey", made + "/authority.key", phrase="gu&est #1")
        for name in ("authority.crt", "server.crt", "server.key"):
            shutil.copy(os.path.join(made, name), os.path.join(server.data_dir, "pg", name))
            shutil.chown(os.path.join(server.data_dir, "pg", name), os.stat(server.data_dir + "/pg").st_uid)
            os.chmod(os.path.join(server.data_dir, "pg", name), 0o600)
        with open(server.data_dir + "/postgresql.local.conf", "a", encoding="utf-8") as f:
            f.write("ssl = on\nssl_cert_file = 'server.crt'\nssl_key_file = 'server.key'\nssl_ca_file = 'authority.crt'\n")
        with open(server.data_dir + "/pg_hba.conf", "w", encoding="utf-8") as f:
            f.write("local all all scram-sha-256\nhostssl all all 127.0.0.1/32 scram-sha-256 clientcert=verify-ca\n")
        server.up("--port", str(port))
        server.psql("CREATE ROLE guest LOGIN CREATEROLE PASSWORD 'guest'", server.superuser)
        server.psql("CREATE DATABASE guest OWNER guest", server.superuser)
        url = ("postgresql://guest:guest@127.0.0.1:%d/guest?sslmode=require&sslcert=%s/client.crt&sslkey=%s/client.key"
               % (port, made, made))
        env = {"TENANTRY_DATABASE_URL": url + "&sslpassword=gu%26est%20%231", "TENANTRY_DATA_DIR": made + "/guest"}
        server.tenantry("up", env=env)
        server.tenantry("blueprint", "add", write(made + "/pack", "everything", MIGRATIONS), env=env)
        assert server.tenantry("blueprint", "stamp", "everything", env=env)["kind"] == "flat"
        server.refused("pg_unavailable", "status", env={**env, "TENANTRY_DATABASE_URL": url, "TENANTRY_RETRIES": "0"})


def leftovers(server):
    return server.psql("SELECT rolname FROM pg_roles WHERE rolname ~ '^stamp_' UNION ALL"
                       " SELECT nspname FROM pg_namespace WHERE nspname ~ '^stamp_'")


def test_nothing_is_left_of_a_stamp_that_was_killed():
    harness.require_faults()
    with harness.Server() as server:
        server.up()
        for point in ("stamp.committed", "stamp.dumped"):
            result = server.tenantry("blueprint", "stamp", "trading", "--force", env={"TENANTRY_FAULT_AT": point}, expect=None)
            assert result.status == -9, result.text()
            crash_state.wait_until_quiet(server)
            assert leftovers(server), point
            server.create("after-" + point.replace(".", "-"), "trading")
            server.tenantry("blueprint", "stamp", "trading", "--force")
            assert leftovers(server) == "", point
        result = server.tenantry("blueprint", "stamp", "trading", "--force", env={"TENANTRY_FAULT_AT": "stamp.dumped"}, expect=None)
        assert result.status == -9, result.text()
        crash_state.wait_until_quiet(server)
        server.up()
        assert leftovers(server) == "", "after up"
        crash_state.check_whole(server)


def test_a_leftover_that_a_tenant_holds_on_to_keeps_no_stamp_from_being_taken():
    harness.require_faults()
    with harness.Server() as server:
        server.up()
        tenant = server.create("holder", "saas", "--tier", "row")
        forced = ("blueprint", "stamp", "trading", "--force", "--lock-timeout", "500ms", "--retries", "0")
        server.tenantry(*forced, env={"TENANTRY_FAULT_AT": "stamp.committed"}, expect=-9)
        crash_state.wait_until_quiet(server)
        owner = [role for role in leftovers(server).split() if role.endswith("_owner")][0]
        with harness.Session(tenant["app"]) as session:
            assert session.ask("BEGIN; ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO %s;" % owner) == ""
            assert "its dump has" in server.tenantry(*forced)["reason"]
            assert owner in leftovers(server)
            server.up("--lock-timeout", "500ms")
            session.ask("ROLLBACK;")
        server.tenantry(*forced)
        assert leftovers(server) == ""


if __name__ == "__main__":
    harness.main()
