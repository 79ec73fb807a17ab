#!/usr/bin/env python3
"""Code of blueprints and tenants against the control role: whatever runs it, it stays the owner's or the tenant's."""
import contextlib
import os

import harness
from harness import shared_server

MANIFEST = """name: %s
title: Guarded
tiers: [%s]
plans:
  one: {title: One, default: true, limits: {max_connections: 10}}
"""
# A theft that works for the control role alone; the words are put together so that lint cannot see them.
STEAL = "EXECUTE 'CREATE TABLE tenantry.stolen AS SELECT * FROM tenantry.credentials';"
IN_DEFINER = 'cannot set parameter "%s" within security-definer function'
NO_ROLE = IN_DEFINER % "role"
NO_SESSION = IN_DEFINER % "session_authorization"
RESET_ROLE = "EXECUTE 'RE' || 'SET ROLE'; " + STEAL

# Ways to another role: the statement, and what the server says.
ESCAPES = (
    ("EXECUTE 'RE' || 'SET ROLE'", NO_ROLE),
    ("EXECUTE 'SET ' || 'ROLE NONE'", NO_ROLE),
    ("EXECUTE 'SET ' || 'ROLE tenantry'", NO_ROLE),
    ("EXECUTE 'SET LOCAL ' || 'ROLE NONE'", NO_ROLE),
    ("PERFORM set_config('ro' || 'le', 'none', false)", NO_ROLE),
    ("PERFORM set_config('ro' || 'le', 'none', true)", NO_ROLE),
    ("EXECUTE 'SET ' || 'SESSION AUTHORIZATION DEFAULT'", NO_SESSION),
    ("EXECUTE 'RE' || 'SET SESSION AUTHORIZATION'", NO_SESSION),
    ("PERFORM set_config('session_' || 'authorization', 'tenantry', false)", NO_SESSION),
    ("EXECUTE 'RE' || 'SET ALL'", "permission denied for schema tenantry"),
    ("EXECUTE 'DIS' || 'CARD ALL'", "DISCARD ALL cannot"),
    ("CREATE PROCEDURE ends() LANGUAGE plpgsql AS $p$ BEGIN COMMIT; END $p$; CALL ends()", "invalid transaction termination"),
    ("CREATE PROCEDURE ends() LANGUAGE plpgsql AS $p$ BEGIN ROLLBACK; END $p$; CALL ends()", "invalid transaction termination"),
    ("EXECUTE 'GRANT tenantry TO ' || current_user", 'role "tenantry"'),
    ("EXECUTE 'ALTER ROLE ' || quote_ident(current_user) || ' CREATEROLE'", "permission denied"),
    ("BEGIN EXECUTE 'RE' || 'SET ROLE'; EXCEPTION WHEN OTHERS THEN NULL; END", "permission denied for schema tenantry"),
)

EVIL = "CREATE FUNCTION evil() RETURNS bool LANGUAGE plpgsql AS $f$ BEGIN %s RETURN true; END $f$;\n" % RESET_ROLE
EVIL_OF = EVIL + ("CREATE FUNCTION evil_of(v text) RETURNS bool LANGUAGE plpgsql IMMUTABLE"
                  " SET search_path FROM CURRENT AS 'BEGIN RETURN evil(); END';\n") # PostgreSQL 17 has another for indexes
EVIL_TRIGGER = ("CREATE FUNCTION evil_row() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN %s RETURN NEW; END $f$;\n"
                "CREATE TABLE t (a text);\n" % RESET_ROLE)
INSERT = "INSERT INTO t VALUES ('a');\n"
# A deferred trigger that, while it fires, defers again and queues itself once more; at its second time it steals.
CHAIN = """CREATE TABLE t (a int);
CREATE FUNCTION chain() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN
 IF NEW.a >= %d THEN %s END IF;
 SET CONSTRAINTS ALL DEFERRED;
 INSERT INTO t VALUES (NEW.a + 1);
 RETURN NULL;
END $f$;
CREATE CONSTRAINT TRIGGER chained AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION chain();
INSERT INTO t VALUES (1);
"""
# What runs code: statements of a migration, and the place that the error names.
VECTORS = {
    "do": ("DO $d$ BEGIN %s END $d$;\n" % RESET_ROLE, ":1: " + NO_ROLE),
    "call": (EVIL + "SELECT evil();\n", ":2: " + NO_ROLE),
    "nested": (EVIL + "CREATE FUNCTION outer_one() RETURNS bool LANGUAGE sql AS 'SELECT evil()';\nSELECT outer_one();\n",
               ":3: " + NO_ROLE),
    "trigger": (EVIL_TRIGGER + "CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION evil_row();\n" + INSERT,
                ":4: " + NO_ROLE),
    "deferred": (EVIL_TRIGGER + "CREATE CONSTRAINT TRIGGER x AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED"
                 " FOR EACH ROW EXECUTE FUNCTION evil_row();\n" + INSERT, "deferred: " + NO_ROLE),
    "chain": (CHAIN % (2, RESET_ROLE), "deferred: " + NO_ROLE),
    "long_chain": (CHAIN % (4, RESET_ROLE), "deferred: " + NO_ROLE),
    "check": (EVIL + "CREATE TABLE t (a text CHECK (evil()));\n" + INSERT, ":3: " + NO_ROLE),
    "default": (EVIL + "CREATE TABLE t (a text, b bool DEFAULT evil());\n" + INSERT, ":3: " + NO_ROLE),
    "rewrite": (EVIL + "CREATE TABLE t (a text);\n" + INSERT + "ALTER TABLE t ADD COLUMN b bool DEFAULT evil();\n",
                ":4: " + NO_ROLE),
    "generated": (EVIL_OF + "CREATE TABLE t (a text, b bool GENERATED ALWAYS AS (evil_of(a)) STORED);\n" + INSERT,
                  ":4: " + NO_ROLE),
    "index": (EVIL_OF + "CREATE TABLE t (a text);\n" + INSERT + "CREATE INDEX i ON t (evil_of(a));\n",
              ":5: " + NO_ROLE),
    "policy": (EVIL + "CREATE TABLE t (a text);\n" + INSERT + "ALTER TABLE t ENABLE ROW LEVEL SECURITY;\n"
               "ALTER TABLE t FORCE ROW LEVEL SECURITY;\nCREATE POLICY p ON t USING (evil());\nUPDATE t SET a = 'b';\n",
               ":7: " + NO_ROLE),
    "rule": (EVIL + "CREATE TABLE t (a text);\nCREATE RULE r AS ON INSERT TO t DO ALSO SELECT evil();\n" + INSERT,
             ":4: " + NO_ROLE),
    "literal": (EVIL + "CREATE DOMAIN d AS text CHECK (evil());\nCREATE TYPE c AS (v d);\n"
                "CREATE TABLE t (a c DEFAULT '(1)');\n", ":4: " + NO_ROLE),
    "bound": (EVIL + "CREATE DOMAIN d AS text CHECK (evil());\nCREATE TABLE t (a d) PARTITION BY LIST (a);\n"
              "CREATE TABLE u PARTITION OF t FOR VALUES IN ('x');\n", ":4: " + NO_ROLE),
    "guard": ("DO $d$ BEGIN EXECUTE format('ALTER FUNCTION tenancy_guards.%I(text, text[]) SECURITY INVOKER', current_user);"
              " END $d$;\n" + "DO $d$ BEGIN " + RESET_ROLE + " END $d$;\n", ":1: permission denied for schema tenancy_guards"),
    "kept_guard": ("DO $d$ BEGIN EXECUTE format('ALTER FUNCTION tenancy_kept.%I SECURITY INVOKER', current_user);"
                   " END $d$;\n", ":1: permission denied for schema tenancy_kept"),
    "other_guard": ("DO $d$ BEGIN EXECUTE 'CREATE FUNCTION tenancy_guards.other() RETURNS int LANGUAGE sql AS ''SELECT 1''';"
                    " END $d$;\n", ":1: permission denied for schema tenancy_guards"),
    "no_guard": ("DO $d$ BEGIN EXECUTE 'DROP OWNED BY CURRENT_USER'; END $d$;\n", "was dropped or given away"),
}


@contextlib.contextmanager
def pack(name, migration, tier="schema", seed=None):
    with harness.temporary_folder() as folder:
        os.mkdir(os.path.join(folder, "migrations"))
        files = {"blueprint.yaml": MANIFEST % (name, tier) + ("seed: seed.sql\n" if seed else ""),
                 "migrations/V0001__first.sql": migration, "seed.sql": seed}
        for path, text in files.items():
            if text is not None:
                with open(os.path.join(folder, path), "w", encoding="utf-8") as f:
                    f.write(text)
        yield folder


def is_stolen(server):
    return server.psql("SELECT to_regclass('tenantry.stolen') IS NOT NULL") == "t"


def guards_left(server):
    return server.psql("SELECT count(*) FROM pg_depend WHERE refclassid = 'pg_namespace'::regclass"
                       " AND refobjid = 'tenancy_guards'::regnamespace")


def attempt(server, name, migration, *says, tier="schema", seed=None):
    """The blueprint is refused when a place of it is tried, and nothing was stolen."""
    with pack(name, migration, tier, seed) as folder:
        server.refused("blueprint_invalid", "blueprint", "add", folder, says=says)
    assert not is_stolen(server), "%s: the control schema was reached" % name
    assert guards_left(server) == "0"


def test_no_statement_of_a_migration_takes_another_role():
    for number, (escape, says) in enumerate(ESCAPES):
        migration = "CREATE TABLE t (a int);\nDO $d$ BEGIN %s; %s END $d$;\n" % (escape, STEAL)
        attempt(shared_server(), "escape_%d" % number, migration, "V0001__first.sql:2: ", says)


def test_nothing_that_a_migration_sets_off_takes_another_role():
    for name, (migration, says) in VECTORS.items():
        attempt(shared_server(), "vector_" + name, migration, says)


def test_a_guard_that_stays_runs_nothing_with_other_rights_than_its_owner_s():
    server = shared_server()
    tenant = succeed(server, "kept", "CREATE TABLE t (a int);\n")
    owner = tenant["connections"][0]["role"].rpartition("_")[0] + "_owner"
    run = "SELECT tenancy.run_guarded(%s, 'pg_catalog', '{{x,SELECT 1}}')"
    changed = "the guard is not what it was made"
    for by_hand in (run % "session_user", run % ("'%s'" % owner),
                    "BEGIN; GRANT %s TO tenantry; SET LOCAL ROLE %s; %s" % (owner, owner, run % ("'%s'" % owner))):
        harness.refused_sql(server.conninfo, by_hand, changed)
    call = "SELECT tenancy_kept.%s('pg_catalog', '{{x,%s}}')"
    assert server.psql(call % (owner, "SELECT 1")) == ""
    harness.refused_sql(server.conninfo, call % (owner, "RESET ROLE"), "x: " + NO_ROLE)
    harness.refused_sql(tenant["app"], call % (owner, "SELECT 1"), "permission denied for schema tenancy_kept")
    no_role = changed if server.major_version() < 16 else "permission denied to set role"
    for change, says in (("SECURITY INVOKER", changed), ("SET role = %s" % owner, no_role)):
        server.psql("GRANT %s TO tenantry; ALTER FUNCTION tenancy_kept.%s %s" % (owner, owner, change), server.superuser)
        harness.refused_sql(server.conninfo, call % (owner, "SELECT 1"), says)
    server.psql("REVOKE %s FROM tenantry; DROP FUNCTION tenancy_kept.%s" % (owner, owner), server.superuser)


def test_a_seed_takes_no_other_role_in_either_tier():
    table = "CREATE TABLE t (tenant_id uuid NOT NULL DEFAULT tenancy.current_tenant() PRIMARY KEY, a text);\n"
    seed = "INSERT INTO t (a) VALUES ('x');\nDO $d$ BEGIN %s END $d$;\n" % RESET_ROLE
    for tier in ("schema", "row"):
        attempt(shared_server(), "seed_" + tier, table, "seed:2: " + NO_ROLE, tier=tier, seed=seed)


def succeed(server, name, migration):
    """A tenant can be made of this blueprint, and nothing was stolen; its connection strings."""
    with pack(name, migration) as folder:
        server.tenantry("blueprint", "add", folder)
        tenant = server.create(name.replace("_", "-"), name)
    assert not is_stolen(server), "%s: the control schema was reached" % name
    assert guards_left(server) == "0"
    return tenant


PENDING = "deferred: they defer others again and again"
# Steals when it runs as the control role, which only COMMIT would make it.
STEAL_LATER = "IF current_user = session_user THEN %s END IF;" % STEAL


def endless_chain():
    """The chain's table and trigger, and the row that sets it off."""
    code = (CHAIN % (99, RESET_ROLE)).replace(" SET CONSTRAINTS", " %s\n SET CONSTRAINTS" % STEAL_LATER, 1)
    made, insert, row = code.partition("INSERT INTO t VALUES (1);")
    return made, insert + row


def test_a_chain_of_deferred_triggers_does_not_reach_the_commit():
    made, insert = endless_chain()
    attempt(shared_server(), "chain_0", made + insert, PENDING)
    attempt(shared_server(), "chain_seed", made, PENDING, seed=insert)
    row = made.replace("(a int)", "(a int, tenant_id uuid NOT NULL DEFAULT tenancy.current_tenant(),"
                       " PRIMARY KEY (tenant_id, a))")
    attempt(shared_server(), "chain_row", row, PENDING, tier="row", seed=insert)


def test_a_chain_that_ends_passes():
    made, insert = endless_chain()
    succeed(shared_server(), "chain_ends", made.replace(" SET CONST", " IF NEW.a = 3 THEN RETURN NULL; END IF;\n SET CONST")
            + insert)


# A cursor that writes a row and then fails where it was not opened: its locks are gone then, the trigger still waits.
FAILING_CURSOR = """CREATE TABLE t (a int);
CREATE FUNCTION put(n int) RETURNS int LANGUAGE plpgsql AS $f$ BEGIN
 IF n = 2 THEN RAISE 'fails'; END IF;
 INSERT INTO t VALUES (n);
 RETURN n;
END $f$;
CREATE FUNCTION put_unlocked() RETURNS void LANGUAGE plpgsql AS $f$ DECLARE
 c refcursor;
 n int;
BEGIN
 OPEN c FOR SELECT put(i) FROM generate_series(1, 2) i;
 FETCH c INTO n;
 BEGIN FETCH c INTO n; EXCEPTION WHEN OTHERS THEN NULL; END;
END $f$;
CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN
 %s
 RETURN NULL;
END $f$;
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION late();
SELECT put_unlocked();
"""


def test_a_cursor_that_fails_hides_no_trigger_from_the_guard():
    server = shared_server()
    succeed(server, "unlocked", FAILING_CURSOR % STEAL_LATER)
    attempt(server, "unlocked_reset", FAILING_CURSOR % RESET_ROLE, "deferred: " + NO_ROLE)
    again = "EXECUTE 'SET CONSTRAINTS ALL DEFERRED'; PERFORM put_unlocked();"
    attempt(server, "unlocked_chain", FAILING_CURSOR % (STEAL_LATER + again), PENDING)


def test_a_chain_on_a_table_of_another_role_does_not_reach_the_commit():
    made, insert = endless_chain()
    grant = "DO $d$ BEGIN EXECUTE format('GRANT CREATE ON SCHEMA %I TO PUBLIC', current_schema()); END $d$;\n"
    attempt(shared_server(), "chain_own", grant, PENDING, seed=made + insert)


# The same by an exclusion constraint: its check at the end evaluates the index expression, which puts in a row that must
# be checked later again. Rows get 0, so that each has something to be checked for, and another value when they are.
# (An operator of the blueprint cannot be in there: operator classes are for superusers.)
EXCLUSION_CHAIN = """CREATE TABLE t (a int);
CREATE FUNCTION step(n int) RETURNS void LANGUAGE plpgsql AS $f$ BEGIN
 IF n >= %d OR current_user = session_user THEN %s END IF;
 SET CONSTRAINTS ALL DEFERRED;
 PERFORM set_config('x.is_checked', '', true);
 INSERT INTO t VALUES (n + 1);
 PERFORM set_config('x.is_checked', 'yes', true);
END $f$;
CREATE FUNCTION value(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $f$ BEGIN
 IF current_setting('x.is_checked', true) = 'yes' THEN PERFORM step(n); RETURN -n; END IF;
 RETURN 0;
END $f$;
ALTER TABLE t ADD EXCLUDE (value(a) WITH =) DEFERRABLE INITIALLY DEFERRED;
INSERT INTO t VALUES (0), (1);
SELECT set_config('x.is_checked', 'yes', true);
"""


def test_a_chain_of_exclusion_constraints_does_not_reach_the_commit():
    server = shared_server()
    attempt(server, "exclusion", EXCLUSION_CHAIN % (1, RESET_ROLE), "deferred: " + NO_ROLE)
    made = EXCLUSION_CHAIN % (99, RESET_ROLE)
    attempt(server, "exclusion_long", made, PENDING)
    made, insert, rows = made.partition("INSERT INTO t VALUES (0), (1);")
    attempt(server, "exclusion_seed", made, PENDING, seed=insert + rows)


def test_a_deferred_constraint_is_checked_where_it_can_be_reported():
    table = "CREATE TABLE t (a int PRIMARY KEY, b int NOT NULL REFERENCES t DEFERRABLE INITIALLY DEFERRED);\n"
    attempt(shared_server(), "dangling", table, "deferred: insert or update on table \"t\" violates foreign key",
            seed="INSERT INTO t VALUES (1, 2);\n")


def test_a_seed_whose_rows_refer_to_each_other_passes():
    server = shared_server()
    table = "CREATE TABLE t (a int PRIMARY KEY, b int NOT NULL REFERENCES t DEFERRABLE INITIALLY DEFERRED);\n"
    seed = "INSERT INTO t VALUES (1, 2);\nINSERT INTO t VALUES (2, 1);\n"
    for number, rows in enumerate(("", "INSERT INTO t VALUES (3, 3);\n")):  # of the migration
        name = "cyclic_%d" % number
        with pack(name, table + rows, "schema", seed) as folder:
            server.tenantry("blueprint", "add", folder)
        tenant = server.create(name.replace("_", "-"), name)
        assert server.psql("SELECT count(*) FROM t", tenant["app"]) == str(2 + number)


def test_a_cursor_that_outlives_the_transaction_is_closed_before_it_runs():
    declare = "DO $d$ BEGIN EXECUTE 'DECLARE c CURSOR WITH HOLD FOR SELECT evil()'; END $d$;\n"
    succeed(shared_server(), "holder", EVIL + declare)


def test_a_cursor_that_is_left_open_disturbs_nothing():
    leave = "DO $d$ DECLARE c refcursor; n int; BEGIN OPEN c FOR SELECT a FROM t; FETCH c INTO n; END $d$;\n"
    table = "CREATE TABLE t (a int PRIMARY KEY REFERENCES t DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO t VALUES (1);\n"
    succeed(shared_server(), "left_open", table + leave)


def test_a_search_path_that_is_left_does_not_lead_the_control_role():
    functions = "".join("CREATE FUNCTION %s RETURNS %s LANGUAGE plpgsql AS $f$ BEGIN %s RETURN %s; END $f$;\n" % (
        name, returns, "IF current_user = session_user THEN %s END IF;" % STEAL, value) for name, returns, value in (
            ("format(f text, VARIADIC v name[])", "text", "'SELECT 1'"), ("set_config(a text, b text, c bool)", "text", "b"),
            ("to_regprocedure(n text)", "regprocedure", "0::regprocedure"), ("pg_has_role(o oid, r text)", "bool", "true")))
    leave = "DO $d$ BEGIN EXECUTE 'SE' || 'T search_path = ' || quote_ident(current_schema()) || ', pg_catalog'; END $d$;\n"
    table = "CREATE TABLE t (a int PRIMARY KEY REFERENCES t DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO t VALUES (1);\n"
    succeed(shared_server(), "left_path", functions + table + leave)


# A check of a foreign key that waits for COMMIT although its constraint is not deferrable any more; it runs a cast.
UNDEFERRED = """CREATE TYPE e AS ENUM ('a', 'b');
CREATE TABLE u (id int);
CREATE FUNCTION f(v e) RETURNS text LANGUAGE plpgsql SET search_path FROM CURRENT AS $f$ BEGIN
 IF pg_trigger_depth() > 0 THEN INSERT INTO u VALUES (1); END IF;
 RETURN format('%%s', v);
END $f$;
DO $d$ BEGIN EXECUTE 'CREATE CAST (e AS text) WITH FUNCTION f(e) AS IMPLICIT'; END $d$;
CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN
 IF current_user = session_user THEN %s END IF;
 RETURN NULL;
END $f$;
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON u DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION late();
CREATE TABLE pk (id text PRIMARY KEY);
INSERT INTO pk VALUES ('a'), ('b');
CREATE TABLE fk (x e);
INSERT INTO fk VALUES ('a');
ALTER TABLE fk ADD CONSTRAINT k FOREIGN KEY (x) REFERENCES pk DEFERRABLE INITIALLY DEFERRED;
DELETE FROM pk WHERE id = 'b';
ALTER TABLE fk ALTER CONSTRAINT k NOT DEFERRABLE;
""" % STEAL


def test_a_check_that_is_not_deferrable_any_more_does_not_wait_for_the_commit():
    succeed(shared_server(), "undeferred", UNDEFERRED)


# Takes the names that a session of Tenantry prepares its own statements under.
TAKE_NAMES = EVIL + """CREATE TABLE t (a int);
DO $d$ BEGIN
 FOR n IN 1..99 LOOP
  BEGIN EXECUTE 'DEALLOCATE tenantry_' || n; EXCEPTION WHEN OTHERS THEN NULL; END;
  EXECUTE 'PREPARE tenantry_' || n || '%s AS SELECT evil()';
 END LOOP;
END $d$;
"""


def test_what_code_prepares_is_never_run_for_the_control_role():
    server = shared_server()
    for count in range(4):
        name = "prepared_%d" % count
        types = "(%s)" % ", ".join(["text"] * count) if count > 0 else ""
        with pack(name, TAKE_NAMES % types) as folder:
            server.tenantry("blueprint", "add", folder)
            server.tenantry("spare", "fill", name, "--count", "8")
        assert not is_stolen(server), count


# The same by code that fails, since no rollback takes a PREPARE back, and in a way that is tried again. What is prepared
# needs no function of the blueprint, which the rollback does take back.
TAKE_AND_FAIL = """DO $d$ DECLARE p record; types text; BEGIN
 FOR p IN SELECT * FROM pg_prepared_statements WHERE name LIKE 'tenantry\\_%' LOOP
  types := nullif('(' || array_to_string(p.parameter_types, ', ') || ')', '()');
  EXECUTE format('DEALLOCATE %I', p.name);
  EXECUTE format('PREPARE %I%s AS SELECT query_to_xml(%L, true, true, '''')', p.name, types,
                 'SELECT (session_user || current_user)::int');
 END LOOP;
 IF FOUND THEN RAISE 'failed on purpose' USING ERRCODE = 'serialization_failure'; END IF;
END $d$;
"""


def test_what_failed_code_prepared_is_never_run_for_the_control_role():
    server = shared_server()
    with pack("prepared_failed", "CREATE TABLE t (a int);\n", "schema", TAKE_AND_FAIL) as folder:
        server.tenantry("blueprint", "add", folder)
        server.refused("conflict", "spare", "fill", "prepared_failed", "--count", "12", "--retries", "1",
                       says=["failed on purpose"])


def test_settings_that_a_migration_leaves_do_not_reach_what_comes_after():
    settings = {"statement_timeout": "1", "lock_timeout": "1", "row_security": "off", "default_transaction_read_only": "on",
                "standard_conforming_strings": "off", "app.current_tenant_id": "x", "timezone": "Asia/Tokyo",
                "datestyle": "german", "default_transaction_isolation": "serializable"}
    left = "".join("PERFORM set_config('%s' || '', '%s', false); " % item for item in settings.items())
    operators = "".join(
        "CREATE FUNCTION same(a {0}, b {0}) RETURNS bool LANGUAGE plpgsql AS $f$ BEGIN {1} RETURN true; END $f$;\n"
        "CREATE OPERATOR = (LEFTARG = {0}, RIGHTARG = {0}, FUNCTION = same);\n".format(kind, STEAL)
        for kind in ("uuid", "text"))
    path = "PERFORM set_config('search_' || 'path', current_schema() || ', pg_catalog', false); "
    succeed(shared_server(), "setters", operators + "DO $d$ BEGIN %s %s END $d$;\n" % (left, path))


def test_statements_reach_the_server_as_they_are_written():
    text = 'a\\b "c" {d,e} $1 \\" é\n\tlast'
    tenant = succeed(shared_server(), "quoted", "CREATE TABLE t (a int);\nCOMMENT ON TABLE t IS '%s';\n" % text)
    assert shared_server().psql("SELECT obj_description('t'::regclass) = '%s'" % text, tenant["app"]) == "t"


def test_a_control_role_that_is_a_superuser_lends_that_to_nobody():
    server = shared_server()
    server.psql("CREATE DATABASE super", server.superuser)
    url = {"TENANTRY_DATABASE_URL": server.superuser.replace("dbname=tenantry", "dbname=super")}
    server.tenantry("up", env=url)
    for number, code in enumerate((RESET_ROLE, "EXECUTE 'CREATE ' || 'ROLE thief SUPERUSER';")):
        name = "super_%d" % number
        with pack(name, "DO $d$ BEGIN %s END $d$;\n" % code) as folder:
            server.refused("blueprint_invalid", "blueprint", "add", folder, env=url, says=["V0001__first.sql:1: "])
    assert server.psql("SELECT count(*) FROM pg_roles WHERE rolname = 'thief'", server.superuser) == "0"


@contextlib.contextmanager
def temporary_tables(server):
    """The embedded server does not let tenants make temporary tables; other servers do."""
    server.psql("GRANT TEMPORARY ON DATABASE tenantry TO PUBLIC", server.superuser)
    try:
        yield
    finally:
        server.psql("REVOKE TEMPORARY ON DATABASE tenantry FROM PUBLIC", server.superuser)


def test_temporary_views_do_not_stand_in_for_the_catalogue():
    views = "".join("CREATE TEMP VIEW %s AS SELECT c.* FROM pg_catalog.%s c WHERE evil();\n" % (name, name)
                    for name in ("pg_class", "pg_namespace", "pg_roles", "pg_policy"))
    server = shared_server()
    with temporary_tables(server):
        succeed(server, "shadows", EVIL.replace(RESET_ROLE, STEAL) + views)


def test_triggers_of_temporary_tables_do_not_wait_for_the_commit():
    migration = (CHAIN % (4, RESET_ROLE)).replace("CREATE TABLE", "CREATE TEMP TABLE")
    server = shared_server()
    with temporary_tables(server):
        attempt(server, "temporary", migration, "deferred: " + NO_ROLE)
        attempt(server, "temporary_long", migration.replace("a >= 4", "a >= 99"), PENDING)


# Steals when the session is the control role's, which tenants themselves are not.
EVIL_LATER = ("CREATE FUNCTION evil_row() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN"
              " IF session_user = 'tenantry' THEN %s END IF; RETURN coalesce(NEW, OLD); END $f$;\n" % RESET_ROLE)
LEDGER = """CREATE TABLE t (tenant_id uuid NOT NULL DEFAULT tenancy.current_tenant(), a text, at timestamptz NOT NULL)
 PARTITION BY RANGE (at);
CREATE TABLE t_default PARTITION OF t DEFAULT;
CREATE TRIGGER x BEFORE INSERT OR DELETE ON t FOR EACH ROW EXECUTE FUNCTION evil_row();
"""


def test_moving_rows_between_partitions_runs_triggers_as_the_owner_only():
    server = shared_server()
    with pack("mover", EVIL_LATER + LEDGER) as folder:
        with open(os.path.join(folder, "blueprint.yaml"), "a", encoding="utf-8") as f:
            f.write("partitions:\n  - {table: t, column: at, every: year, ahead: 1}\n")
        server.tenantry("blueprint", "add", folder)
    tenant = server.create("mover", "mover")
    next_year = server.psql("SELECT extract(year FROM now())::int + 1")
    stem = tenant["connections"][0]["role"].rpartition("_")[0]
    server.psql("DROP TABLE IF EXISTS %s.t_%s" % (stem, next_year), server.superuser)
    server.psql("INSERT INTO t (a, at) VALUES ('x', now() + interval '1 year')", tenant["app"])
    server.refused("pg_failed", "partition", "ensure", says=[NO_ROLE])
    assert not is_stolen(server)


# What runs no code of a place takes a shorter way, on which nothing that waits would be looked for.
INERT = "ALTER TABLE t ADD COLUMN c%d int;\nCREATE INDEX t_c%d ON t (c%d);\n"
WATCH = """CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS $f$ BEGIN
 IF session_user = 'tenantry' THEN INSERT INTO t VALUES ('watched'); END IF; END $f$;
CREATE EVENT TRIGGER watch ON ddl_command_end WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION watch();"""


def add_inert(server, folder, version):
    with open(os.path.join(folder, "migrations", "V%04d__column.sql" % version), "w", encoding="utf-8") as f:
        f.write(INERT % ((version,) * 3))
    server.tenantry("blueprint", "add", folder)


def test_what_an_event_trigger_sets_off_does_not_wait_for_the_commit():
    server = shared_server()
    waiting = (EVIL_LATER + "CREATE TABLE t (a text);\nCREATE CONSTRAINT TRIGGER x AFTER INSERT ON t DEFERRABLE INITIALLY"
               " DEFERRED FOR EACH ROW EXECUTE FUNCTION evil_row();\n")
    with pack("watched", waiting) as folder:
        server.tenantry("blueprint", "add", folder)
        server.create("watched", "watched")
        add_inert(server, folder, 2)
        server.psql(WATCH, server.superuser)
        try:
            server.refused("places_failed", "migrate", "up", "watched", "--retries", "0")
            said = server.tenantry("migrate", "status", "watched")["quarantine"][0]["error"]
        finally:
            server.psql("DROP EVENT TRIGGER watch; DROP FUNCTION watch()", server.superuser)
        assert NO_ROLE in said and not is_stolen(server)
        server.tenantry("migrate", "retry", "watched")


# Runs where PostgreSQL computes constant parts of an expression: of a key, an index, statistics.
COMPUTED = EVIL_LATER + """CREATE TABLE bait (id int PRIMARY KEY GENERATED ALWAYS AS IDENTITY);
CREATE CONSTRAINT TRIGGER x AFTER INSERT ON bait DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION evil_row();
CREATE FUNCTION lay() RETURNS void LANGUAGE sql AS 'INSERT INTO bait DEFAULT VALUES';
CREATE FUNCTION one(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $f$ BEGIN
 IF session_user = 'tenantry' AND EXISTS (SELECT FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'armed'
   WHERE c.relname = 'bait' AND pg_get_userbyid(c.relowner) = current_user) THEN
  BEGIN PERFORM lay(); EXCEPTION WHEN OTHERS THEN NULL; END;
  BEGIN EXECUTE 'PREPARE tenantry_1 AS SELECT 1'; EXCEPTION WHEN OTHERS THEN NULL; END;
  PERFORM set_config('search_path', 'evil', false);
 END IF; RETURN 1; END $f$;
CREATE TABLE t (id int NOT NULL, n int NOT NULL);
CREATE INDEX t_one ON t ((id + one(1)));
CREATE STATISTICS st ON (id + one(1)), n FROM t;
CREATE TABLE p (id int NOT NULL, n int NOT NULL) PARTITION BY RANGE ((id + one(1)));
CREATE TABLE p_all PARTITION OF p DEFAULT;
"""
COMPUTING = {"CREATE INDEX t_n ON t (n)": 0, "CREATE INDEX p_n ON p (n)": 0, "DROP INDEX t_one": 0,
             "ALTER TABLE p ADD COLUMN c int NOT NULL DEFAULT 1": 0, "ALTER TABLE t ADD COLUMN d text": 0,
             "ALTER TABLE p ALTER n DROP NOT NULL": 1} # fails in the guard: PostgreSQL 15 computes the key for it


def test_what_postgresql_computes_beforehand_does_not_wait_for_the_commit():
    server = shared_server()
    for number, (statement, failed) in enumerate(COMPUTING.items()):
        name = "computed_%d" % number
        with pack(name, COMPUTED) as folder:
            server.tenantry("blueprint", "add", folder)
            owner = server.create(name.replace("_", "-"), name)["connections"][0]["role"].rpartition("_")[0]
            with open(os.path.join(folder, "migrations", "V0002__next.sql"), "w", encoding="utf-8") as f:
                f.write(statement + ";\n")
            server.tenantry("blueprint", "add", folder)
        server.psql("ALTER TABLE %s.bait ADD COLUMN armed int" % owner, server.superuser)
        done = server.tenantry("migrate", "up", name, expect=None)
        assert not is_stolen(server), statement
        assert server.tenantry("migrate", "status", name)["rollouts"][0]["failed"] == failed, (statement, done)


def test_an_owner_whose_guard_is_gone_gets_another():
    server = shared_server()
    with pack("bare", "CREATE TABLE t (a text);\n") as folder:
        server.tenantry("blueprint", "add", folder)
        tenants = [server.create("bare-%d" % number, "bare") for number in range(3)]
        owner = tenants[1]["connections"][0]["role"].rpartition("_")[0] + "_owner"
        for version in (2, 3):
            add_inert(server, folder, version)
            assert server.tenantry("migrate", "up", "bare", "--waves", "100%")["done"] == 3
            server.psql("DROP FUNCTION IF EXISTS tenancy_kept.%s" % owner, server.superuser)
    assert server.psql("SELECT count(*) FROM tenantry.places WHERE blueprint = 'bare' AND version = 3") == "3"


def test_a_purge_of_rows_runs_triggers_as_the_owner_only():
    server = shared_server()
    with pack("purged", EVIL_LATER + LEDGER, tier="row") as folder:
        server.tenantry("blueprint", "add", folder)
    tenant = server.create("purged", "purged")
    server.psql("INSERT INTO t (a, at) VALUES ('x', now())", tenant["app"])
    server.tenantry("tenant", "archive", "purged", "--drain-timeout", "0s")
    server.refused("pg_right_missing", "tenant", "purge", "purged", "--yes", says=[NO_ROLE])
    assert not is_stolen(server)
    assert server.tenantry("tenant", "show", "purged")["state"] == "archived"


def test_the_place_and_the_hint_of_an_error_are_those_of_its_statement():
    migration = "CREATE TABLE t (a int);\n\nSELECT\n  no_such_function(1);\n"
    says = "migrations/V0001__first.sql:3: function no_such_function(integer) does not exist"
    attempt(shared_server(), "placed", migration, says)
    with pack("denied", "DO $d$ BEGIN %s END $d$;\n" % STEAL) as folder:
        error = shared_server().refused("blueprint_invalid", "blueprint", "add", folder)
        assert error["hint"].startswith("migrations have the rights of the role that owns the place"), error
        assert "public" not in error["hint"], error
    raised = ("DO $d$ BEGIN RAISE EXCEPTION 'no \"100 %%\"' USING DETAIL = 'a detail', HINT = 'a hint',"
              " ERRCODE = 'XX123'; END $d$;\n")
    attempt(shared_server(), "raised", raised, 'migrations/V0001__first.sql:1: no "100 %" (a detail)')


if __name__ == "__main__":
    harness.main()
