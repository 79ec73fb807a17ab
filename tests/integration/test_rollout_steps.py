#!/usr/bin/env python3
"""Scripts that are more than one transaction: statements outside of one, values of enums, batched backfills."""
import hashlib
import os
import signal
import subprocess

import crash_state
import harness
from rollout_kit import KILLED, Vault, check, ended, wait_until, wait_until_stopped

shared = harness.shared_server

INDEX = ("CREATE INDEX CONCURRENTLY boxes_what ON boxes (what);\n", "DROP INDEX CONCURRENTLY boxes_what;\n")


def vault(name, *slugs, tier="schema", **options):
    made = Vault(shared(), name, tier, **options)
    made.create(*slugs)
    return made


def indexes(made, slug):
    """{name: is valid} of the table boxes."""
    rows = made.sql(slug, "SELECT c.relname || '=' || i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
                    " WHERE i.indrelid = 'boxes'::regclass").split()
    return {name: valid == "true" for name, _, valid in (row.partition("=") for row in rows if "=" in row)}


def steps(made):
    return made.status()["steps"]


def ledger(made, slug):
    rows = made.server.psql("SELECT s.version, s.is_down, s.step, s.state FROM tenantry.place_steps s JOIN tenantry.tenants t"
                            " USING (place_id) WHERE t.slug = '%s' ORDER BY 1, 2, 3" % slug)
    return rows.split()


def owner(made, slug):
    return made.schema(slug) + "_owner"


# --- statements outside of a transaction


def test_an_index_is_made_concurrently_between_two_transactions():
    made = vault("between", "between-a", "between-b")
    made.add("ALTER TABLE boxes ADD COLUMN extra_2 text;\n" + INDEX[0] + "COMMENT ON INDEX boxes_what IS 'by what';\n",
             INDEX[1] + "ALTER TABLE boxes DROP COLUMN extra_2;\n")
    answer = made.migrate("up")
    assert (answer["done"], answer["failed"]) == (2, 0), answer
    assert set(made.versions().values()) == {2}
    for slug in ("between-a", "between-b"):
        assert indexes(made, slug) == {"boxes_pkey": True, "boxes_what": True}
        assert ledger(made, slug) == ["2|f|%d|done" % n for n in (1, 2, 3)]
    made.check_columns()
    assert steps(made) == []
    made.create("between-new")
    assert indexes(made, "between-new")["boxes_what"], "a new tenant has it too, from a stamp or the plain form"
    assert made.migrate("down", "--to", "1")["done"] == 3
    assert indexes(made, "between-a") == {"boxes_pkey": True} and ledger(made, "between-a") == []
    made.check_columns()
    check(shared())


def test_each_kind_of_statement_that_cannot_run_in_a_transaction_is_a_step():
    made = Vault(shared(), "kinds")
    made.add("CREATE TABLE days (at date NOT NULL) PARTITION BY RANGE (at);\n"
             "CREATE TABLE days_old PARTITION OF days FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');\n"
             "CREATE INDEX boxes_old ON boxes (what);\n"
             "CREATE INDEX boxes_again ON boxes (what, id);\n", "DROP TABLE days, days_old;\n")
    made.create("kinds-a")
    made.add("DROP INDEX CONCURRENTLY boxes_old;\n"
             "REINDEX TABLE CONCURRENTLY boxes;\n"
             "REINDEX INDEX CONCURRENTLY boxes_again;\n"
             "ALTER TABLE days DETACH PARTITION days_old CONCURRENTLY;\n"
             "ALTER TABLE days_old DROP CONSTRAINT IF EXISTS days_old_at_check;\n"
             "VACUUM (ANALYZE) boxes;\n")
    assert made.migrate("up")["done"] == 1, made.quarantine()
    assert indexes(made, "kinds-a") == {"boxes_pkey": True, "boxes_again": True}
    assert made.sql("kinds-a", "SELECT count(*) FROM pg_inherits WHERE inhrelid = 'days_old'::regclass").strip() == "0"
    assert ledger(made, "kinds-a") == ["3|f|%d|done" % n for n in range(1, 7)]
    made.create("kinds-new")
    assert indexes(made, "kinds-new") == {"boxes_pkey": True, "boxes_again": True}
    assert shared().tenantry("migrate", "verify", "kinds")["differences"] == []
    check(shared())


def test_the_row_tier_is_moved_in_steps_too():
    made = vault("steprows", "steprows-a", tier="row")
    made.add("CREATE TABLE lids (tenant_id uuid NOT NULL DEFAULT tenancy.current_tenant(), id bigint NOT NULL,"
             " PRIMARY KEY (tenant_id, id));\n" + INDEX[0], INDEX[1] + "DROP TABLE lids;\n")
    assert made.versions() == {"steprows-a": 1}, "blueprint add leaves them, since writers would wait for the index"
    shared().refused("rollout_stopped", "tenant", "create", "steprows-b", "--blueprint", made.name,
                     says=("shared tables", "version 1", "migrate up steprows"))
    assert made.migrate("up")["done"] == 1
    assert indexes(made, "steprows-a") == {"boxes_pkey": True, "boxes_what": True}
    assert made.migrate("down", "--to", "1")["done"] == 1
    assert indexes(made, "steprows-a") == {"boxes_pkey": True}
    assert made.migrate("up")["done"] == 1
    assert indexes(made, "steprows-a") == {"boxes_pkey": True, "boxes_what": True}
    assert made.sql("steprows-a", "SELECT count(*) FROM pg_policy WHERE polrelid = 'lids'::regclass").strip() == "2"
    crash_state.check_whole(shared(), logins={"steprows-a"})


def test_a_value_of_an_enum_is_committed_before_it_is_used():
    made = Vault(shared(), "values")
    made.add("CREATE TYPE mood AS ENUM ('sad');\nALTER TABLE boxes ADD COLUMN mood mood;\n")
    made.create("values-a")
    made.sql("values-a", "INSERT INTO boxes (id) VALUES (1)")
    made.add("ALTER TYPE mood ADD VALUE 'fine';\nALTER TYPE mood ADD VALUE 'glad';\nUPDATE boxes SET mood = 'glad';\n")
    made.add("ALTER TYPE mood ADD VALUE 'merry';\n")
    made.add("UPDATE boxes SET mood = 'merry' WHERE mood = 'glad';\n")
    assert made.migrate("up")["done"] == 1, made.quarantine()
    assert made.sql("values-a", "SELECT mood FROM boxes").strip() == "merry"
    assert ledger(made, "values-a") == ["3|f|1|done", "3|f|2|done", "4|f|1|done"]


SPY = """CREATE TABLE seen (who text, session text);
CREATE FUNCTION note() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    BEGIN
        EXECUTE 'RESET ROLE';
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
    BEGIN
        PERFORM set_config('role', session_user, false);
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
    BEGIN
        EXECUTE format('SET SESSION AUTHORIZATION %I', '{control}');
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
    INSERT INTO seen VALUES (current_user, session_user);
END $$;
CREATE FUNCTION spy(what text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM note(); RETURN what; END $$;
CREATE FUNCTION watch(what text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM note(); RETURN true; END $$;
CREATE DOMAIN watched AS text CHECK (watch(VALUE));
"""


def test_code_of_a_tenant_in_such_a_statement_has_the_rights_of_the_owner_and_no_others():
    """In expressions and predicates, which PostgreSQL restricts, and in what a constant's type does while the statement
    is parsed, which it does not."""
    made = Vault(shared(), "spying")
    control = shared().psql("SELECT current_user").strip()
    made.add(SPY.replace("{control}", control))
    made.create("spying-a")
    made.sql("spying-a", "INSERT INTO boxes VALUES (1, 'x'), (2, 'y'); DELETE FROM seen")
    made.add("CREATE INDEX CONCURRENTLY boxes_spy ON boxes (spy(what)) WHERE spy(what) <> 'z';\n"
             "CREATE INDEX CONCURRENTLY boxes_watch ON boxes ((what = ANY ('{x}'::watched[])));\n"
             "REINDEX TABLE CONCURRENTLY boxes;\nVACUUM (FULL, ANALYZE) boxes;\n")
    assert made.migrate("up")["done"] == 1, made.quarantine()
    seen = made.sql("spying-a", "SELECT DISTINCT who, session FROM seen").split()
    role = owner(made, "spying-a")
    assert seen == ["%s|%s" % (role, role)], seen
    assert shared().psql("SELECT rolcanlogin FROM pg_roles WHERE rolname = '%s'" % role).strip() == "f"
    assert made.sql("spying-a", "SELECT rolpassword IS NULL FROM pg_authid WHERE rolname = '%s'" % role).strip() == "t"
    check(shared())


def test_other_statements_that_cannot_run_in_a_transaction_are_refused():
    made = Vault(shared(), "refusals")
    for sql in ("VACUUM;\n", "REINDEX SCHEMA CONCURRENTLY x;\n", "CREATE INDEX CONCURRENTLY i ON other.boxes (id);\n",
                "CLUSTER;\n"):
        with open(os.path.join(made.folder, "migrations", "V0002__step.sql"), "w", encoding="utf-8") as f:
            f.write(sql)
        shared().refused("blueprint_invalid", "blueprint", "add", made.folder, says=("V0002__step.sql:1", "not_transactional"))


# --- crashes and failures


def blocked(made, slug, table="boxes"):
    """A session that holds a lock on a table, so that the statement waits after its first half."""
    child = subprocess.Popen(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", made.superuser], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True, env=harness.environment())
    child.stdin.write('SET search_path = "%s"; BEGIN; LOCK TABLE %s IN ROW EXCLUSIVE MODE; SELECT 1;\n'
                      % (made.schema(slug), table))
    child.stdin.flush()
    assert child.stdout.readline().strip() == "1"
    return child


def let_go(child):
    child.communicate("ROLLBACK;\n", timeout=harness.COMMAND_TIMEOUT_S)


def test_a_kill_in_the_middle_of_an_index_leaves_none_that_is_not_valid():
    made = vault("midway", "midway-a")
    made.add(INDEX[0], INDEX[1])
    holder = blocked(made, "midway-a")
    child = made.server.spawn("migrate", "up", made.name, "--lock-timeout", "60s", "--json")
    wait_until(lambda: indexes(made, "midway-a").get("boxes_what") is False, "the index does not appear")
    child.send_signal(signal.SIGKILL)
    assert ended(child)[0] == KILLED
    assert [(row["step"], row["state"]) for row in steps(made)] == [(1, "started")]
    wait_until(lambda: shared().psql("SELECT count(*) FROM pg_stat_activity WHERE usename = '%s'"
                                     % owner(made, "midway-a")).strip() == "0", "the session does not end")
    assert indexes(made, "midway-a")["boxes_what"] is False, "the holder kept the index from its end"
    let_go(holder)
    shared().tenantry("migrate", "resume", str(made.newest()["rollout"]))
    assert indexes(made, "midway-a") == {"boxes_pkey": True, "boxes_what": True}
    assert made.versions() == {"midway-a": 2} and steps(made) == []
    check(shared())


def detaching(made, slug):
    return made.sql(slug, "SELECT inhdetachpending FROM pg_inherits WHERE inhrelid = 'days_old'::regclass").strip()


def test_a_kill_in_the_middle_of_other_statements_is_resumed_to_their_end():
    made = Vault(shared(), "others")
    made.add("CREATE TABLE days (at date NOT NULL) PARTITION BY RANGE (at);\n"
             "CREATE TABLE days_old PARTITION OF days FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');\n"
             "CREATE INDEX boxes_what ON boxes (what);\n")
    made.create("others-a")
    for sql, table, is_half, is_whole in (
            ("REINDEX INDEX CONCURRENTLY boxes_what;\n", "boxes", lambda found: found.get("boxes_what_ccnew") is False,
             lambda found: found == {"boxes_pkey": True, "boxes_what": True}),
            ("DROP INDEX CONCURRENTLY boxes_what;\n", "boxes", lambda found: found["boxes_what"] is False,
             lambda found: found == {"boxes_pkey": True}),
            ("ALTER TABLE days DETACH PARTITION days_old CONCURRENTLY;\n", "days",
             lambda _: detaching(made, "others-a") == "t", lambda _: detaching(made, "others-a") == "")):
        version = made.add(sql)
        holder = blocked(made, "others-a", table)
        child = made.server.spawn("migrate", "up", made.name, "--lock-timeout", "60s", "--json")
        wait_until(lambda is_half=is_half: is_half(indexes(made, "others-a")), "half of it does not appear: " + sql)
        child.kill()
        assert ended(child)[0] == KILLED
        let_go(holder)
        shared().tenantry("migrate", "resume", str(made.newest()["rollout"]))
        assert is_whole(indexes(made, "others-a")), (sql, indexes(made, "others-a"))
        assert made.versions() == {"others-a": version}, sql


def test_a_kill_at_each_point_of_a_step_is_resumed_to_the_same_end():
    harness.require_faults()
    made = vault("points", "points-a")
    made.add("ALTER TABLE boxes ADD COLUMN extra_2 text;\n" + INDEX[0], INDEX[1] + "ALTER TABLE boxes DROP COLUMN extra_2;\n")
    for point in ("rollout.step.started", "rollout.step.login", "rollout.step.ran", "rollout.step.done"):
        for verb, version, found in (("up", 2, {"boxes_pkey": True, "boxes_what": True}), ("down", 1, {"boxes_pkey": True})):
            child = made.server.spawn("migrate", verb, made.name, "--to", str(version), "--json",
                                      env={"TENANTRY_FAULT_AT": point})
            assert ended(child)[0] == KILLED, (point, verb)
            shared().tenantry("migrate", "resume", str(made.newest()["rollout"]))
            assert indexes(made, "points-a") == found, (point, verb)
            assert made.versions() == {"points-a": version} and steps(made) == [], (point, verb)
            made.check_columns()
    check(shared())


UNIQUE_INDEX = "CREATE UNIQUE INDEX CONCURRENTLY boxes_what ON boxes (what);\n"
SAME = "INSERT INTO boxes (id, what) VALUES (1, 'same'), (2, 'same')"


def test_an_index_that_the_rows_refuse_leaves_nothing_and_its_place_at_the_old_version():
    made = vault("refusing", "refusing-a", "refusing-b")
    made.sql("refusing-b", SAME)
    made.add(UNIQUE_INDEX, "DROP INDEX CONCURRENTLY boxes_what;\n")
    made.refused("up", "--on-failure", "undo", "--max-failures", "0", "--parallel", "2", code="places_failed", says=("places failed",))
    assert set(made.versions().values()) == {1}
    for slug in ("refusing-a", "refusing-b"):
        assert indexes(made, slug) == {"boxes_pkey": True} and ledger(made, slug) == []
    failed = made.quarantine()["refusing-b"]
    assert failed["sqlstate"] == "23505" and failed["error"].startswith("migrations/V0002__step.sql:1: "), failed
    check(shared())


def test_a_lock_is_waited_for_no_longer_than_asked_and_what_is_left_is_taken_away_later():
    made = vault("waiting", "waiting-a")
    made.add(INDEX[0], INDEX[1])
    holder = blocked(made, "waiting-a")
    made.refused("up", "--lock-timeout", "100ms", "--retries", "1", code="places_failed", says=("1 of 1 places failed",))
    assert made.quarantine()["waiting-a"]["sqlstate"] == "55P03"
    assert indexes(made, "waiting-a")["boxes_what"] is False, "it cannot be dropped while its table is locked"
    assert [(row["step"], row["state"]) for row in steps(made)] == [(1, "started")]
    let_go(holder)
    assert made.migrate("retry")["done"] == 1
    assert indexes(made, "waiting-a") == {"boxes_pkey": True, "boxes_what": True}
    check(shared())


def test_a_place_that_a_neighbour_keeps_locked_says_which():
    """PostgreSQL locks what a view reads for anybody who asks for the view's text, with rights or without."""
    made = vault("peeked", "peeked-a")
    made.add("CREATE VIEW seen WITH (security_invoker) AS SELECT * FROM boxes;\n", "DROP VIEW seen;\n")
    made.migrate("up")
    view = made.sql("peeked-a", "SELECT 'seen'::regclass::oid")
    peeker = shared().create("peeker", "saas", "--tier", "row")
    version = made.add_column()
    with harness.Session(peeker["app"]) as session:
        assert "boxes" in session.ask("BEGIN; SELECT pg_get_viewdef(%s::oid);" % view)
        made.refused("up", "--lock-timeout", "100ms", "--retries", "1", code="places_failed", says=("1 of 1 places failed",))
        failed = made.quarantine()["peeked-a"]
        assert failed["sqlstate"] == "55P03" and failed["error"].startswith("migrations/V0003__step.sql:1: "), failed
        assert failed["error"].endswith('tenants with locks there: "peeker"'), failed
        hint = made.server.psql("SELECT error->>'hint' FROM tenantry.rollout_places WHERE job_id = %d" % failed["rollout"])
        assert hint.endswith("tenantry tenant suspend peeker"), hint
        shared().tenantry("tenant", "suspend", "peeker")
    assert made.migrate("retry")["done"] == 1
    assert made.versions() == {"peeked-a": version}


def test_an_undo_takes_back_a_place_that_was_on_its_way():
    """Its neighbour failed while it was between two versions, so it went no further, and was never done."""
    made = vault("onitsway", "onitsway-a", "onitsway-b")
    made.add(UNIQUE_INDEX, "DROP INDEX CONCURRENTLY boxes_what;\n")
    made.add_column()
    made.sql("onitsway-b", SAME)
    holder = blocked(made, "onitsway-a")
    rollout = made.server.spawn("migrate", "up", made.name, "--waves", "100%", "--parallel", "2", "--on-failure", "undo",
                                "--lock-timeout", "60s", "--json")
    failed = "SELECT count(*) FROM tenantry.rollout_places r JOIN tenantry.places p ON p.id = r.place_id" \
             " WHERE p.blueprint = '%s' AND r.state = 'failed'" % made.name
    wait_until(lambda: made.server.psql(failed) == "1", "the neighbour does not fail")
    let_go(holder)
    out, err = rollout.communicate(timeout=harness.COMMAND_TIMEOUT_S)
    assert "are as they were" in err, (out, err)
    assert made.versions() == {"onitsway-a": 1, "onitsway-b": 1}
    assert indexes(made, "onitsway-a") == {"boxes_pkey": True}
    states = made.server.psql("SELECT r.state FROM tenantry.rollout_places r JOIN tenantry.places p ON p.id = r.place_id"
                              " WHERE p.schema_name = '%s'" % made.schema("onitsway-a"))
    assert states == "undone", states
    check(shared())


def test_an_owner_that_may_not_log_in_runs_nothing():
    made = vault("closed", "closed-a")
    made.add(INDEX[0], INDEX[1])
    group, database = made.server.psql("SELECT tenants_role, current_database() FROM tenantry.installation").split("|")
    try:
        made.sql("closed-a", "REVOKE CONNECT ON DATABASE %s FROM %s" % (database, group))
        made.refused("up", code="places_failed", says=("1 of 1 places failed",))
        failed = made.quarantine()["closed-a"]
        assert failed["error"].startswith("the owner role, which runs what cannot run in"), failed
        assert ledger(made, "closed-a") == []
    finally:
        made.sql("closed-a", "GRANT CONNECT ON DATABASE %s TO %s" % (database, group))
    assert made.migrate("retry")["done"] == 1
    check(shared())


def test_a_place_between_two_steps_stays_there_until_it_is_retried():
    made = vault("halfway", "halfway-a")
    made.sql("halfway-a", SAME)
    made.add_column()
    made.add("ALTER TABLE boxes ADD COLUMN extra_3 text;\n" + UNIQUE_INDEX,
             "DROP INDEX CONCURRENTLY boxes_what;\nALTER TABLE boxes DROP COLUMN extra_3;\n")
    made.refused("up", "--on-failure", "undo", code="places_failed", says=("1 of 1 places failed",))
    assert made.versions() == {"halfway-a": 2}, "what was whole before it failed stays with it"
    assert [(row["tenant"], row["version"], row["step"], row["steps"], row["state"]) for row in steps(made)] == [
        ("halfway-a", 3, 1, 2, "done")]
    assert indexes(made, "halfway-a") == {"boxes_pkey": True}
    verified = shared().tenantry("migrate", "verify", "halfway")
    assert (verified["moving"], verified["differences"]) == (1, []), verified
    made.sql("halfway-a", "DELETE FROM boxes")
    assert made.migrate("retry")["done"] == 1
    assert made.versions() == {"halfway-a": 3} and steps(made) == []
    assert made.migrate("down", "--to", "1")["done"] == 1
    made.check_columns()


def test_a_place_between_two_steps_is_not_taken_back_by_a_script_for_all_of_them():
    harness.require_faults()
    made = vault("backward", "backward-a")
    made.add_column()
    made.migrate("up")
    made.add("ALTER TABLE boxes ADD COLUMN extra_3 text;\n" + INDEX[0],
             INDEX[1] + "ALTER TABLE boxes DROP COLUMN extra_3;\n")
    child = made.server.spawn("migrate", "up", made.name, "--json", env={"TENANTRY_FAULT_AT": "rollout.step.done"})
    assert ended(child)[0] == KILLED
    shared().tenantry("migrate", "abort", str(made.newest()["rollout"]))
    made.refused("down", "--to", "1", code="places_failed", says=("1 of 1 places failed",))
    assert "stands between two steps on its way up" in made.quarantine()["backward-a"]["error"]
    assert made.migrate("retry")["done"] == 1
    assert made.versions() == {"backward-a": 3}
    made.check_columns()


def test_a_baseline_ends_the_way_down_on_which_a_place_stood():
    made = vault("baselined", "baselined-a")
    made.add("ALTER TABLE boxes ADD COLUMN extra_2 text;\n" + INDEX[0],
             INDEX[1] + "ALTER TABLE boxes DROP COLUMN extra_2;\n")
    made.migrate("up")
    made.sql("baselined-a", "CREATE VIEW in_the_way AS SELECT extra_2 FROM boxes")
    made.refused("down", "--to", "1", code="places_failed", says=("1 of 1 places failed",))
    assert ledger(made, "baselined-a")[-1] == "2|t|1|done"
    made.sql("baselined-a", "DROP VIEW in_the_way; SET ROLE %s; %s" % (owner(made, "baselined-a"), INDEX[0]))
    made.migrate("baseline", "--at", "2")
    verified = shared().tenantry("migrate", "verify", "baselined")
    assert (verified["moving"], verified["is_clean"]) == (0, True), verified
    assert made.migrate("down", "--to", "1")["done"] == 1
    assert indexes(made, "baselined-a") == {"boxes_pkey": True}
    made.check_columns()


def test_what_failed_behind_its_first_version_goes_back_to_where_it_came_from():
    made = vault("wayback", "wayback-a")
    made.sql("wayback-a", SAME)
    made.add("ALTER TABLE boxes ADD COLUMN extra_2 text;\n" + INDEX[0],
             INDEX[1] + "ALTER TABLE boxes DROP COLUMN extra_2;\n")
    made.add("CREATE UNIQUE INDEX boxes_one ON boxes (what);\n", "DROP INDEX boxes_one;\n")
    made.refused("up", "--on-failure", "undo", code="places_failed", says=("as they were",))
    assert made.versions() == {"wayback-a": 1} and indexes(made, "wayback-a") == {"boxes_pkey": True}
    assert set(made.quarantine()) == {"wayback-a"}
    made.check_columns()


# --- backfills

BACKFILL = """table: boxes
key: id
batch_size: %(size)d
undo: nothing
statement: |
  UPDATE boxes SET filled = filled + 1
   WHERE id BETWEEN $1 AND $2
"""


def add_backfill(made, size, more=""):
    made.add("ALTER TABLE boxes ADD COLUMN filled integer NOT NULL DEFAULT 0;\n",
             "ALTER TABLE boxes DROP COLUMN filled;\n")
    made.version += 1
    made._write("migrations/V%04d__fill.backfill.yaml" % made.version, more + BACKFILL % {"size": size})
    made.server.tenantry("blueprint", "add", made.folder)


def filled(made, slug):
    return made.sql(slug, "SELECT filled, count(*) FROM boxes GROUP BY 1 ORDER BY 1").split()


def test_a_backfill_is_made_in_batches_that_know_how_far_they_came():
    harness.require_faults()
    made = vault("filling", "filling-a")
    made.sql("filling-a", "INSERT INTO boxes SELECT n * 3, 'x' FROM generate_series(1, 100) n; ANALYZE boxes")
    add_backfill(made, 30)
    child = made.server.spawn("migrate", "up", made.name, "--json", env={"TENANTRY_FAULT_AT": "rollout.batch.done"})
    assert ended(child)[0] == KILLED
    row = steps(made)[0]
    assert (row["batches"], row["rows"], row["estimate"], row["last_key"], row["state"]) == (1, 30, 100, "90", "started"), row
    assert filled(made, "filling-a") == ["0|70", "1|30"]
    assert made.versions() == {"filling-a": 2}
    shared().tenantry("migrate", "resume", str(made.newest()["rollout"]))
    assert filled(made, "filling-a") == ["1|100"], "no row is changed twice"
    assert made.versions() == {"filling-a": 3} and steps(made) == []
    assert made.server.psql("SELECT batches, rows_changed, last_key FROM tenantry.place_steps WHERE version = 3 AND place_id"
                            " = (SELECT place_id FROM tenantry.tenants WHERE slug = 'filling-a')").strip() == "5|100|300"
    assert made.migrate("down", "--to", "1")["done"] == 1
    made.create("filling-new")
    check(shared())


def test_a_kill_before_the_commit_of_a_batch_loses_the_batch_and_no_other():
    harness.require_faults()
    made = vault("losing", "losing-a")
    made.sql("losing-a", "INSERT INTO boxes SELECT n, 'x' FROM generate_series(1, 10) n")
    add_backfill(made, 4)
    child = made.server.spawn("migrate", "up", made.name, "--json", env={"TENANTRY_FAULT_AT": "rollout.batch.made"})
    assert ended(child)[0] == KILLED
    wait_until(lambda: shared().psql("SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'").strip()
               == "0", "the session does not end")
    assert filled(made, "losing-a") == ["0|10"]
    shared().tenantry("migrate", "resume", str(made.newest()["rollout"]))
    assert filled(made, "losing-a") == ["1|10"]


def test_a_backfill_names_a_table_and_a_key_that_need_quotes():
    made = Vault(shared(), "quoted")
    table, key = '"Big ""Table\'s"', '"Nr {} \\ $1"'
    made.add("CREATE TABLE %s (%s bigint PRIMARY KEY, filled integer NOT NULL DEFAULT 0);\n" % (table, key))
    made.create("quoted-a")
    made.sql("quoted-a", "INSERT INTO %s SELECT n, 0 FROM generate_series(1, 10) n; ANALYZE %s" % (table, table))
    head = "table: 'Big \"Table''s'\nkey: 'Nr {} \\ $1'\nbatch_size: 4\nundo: nothing\nstatement: |\n  "
    file = "migrations/V0003__fill.backfill.yaml"
    for statement, says in (("INSERT INTO %s SELECT %s + 100 FROM boxes WHERE id BETWEEN $1 AND $2", "would never end"),
                            ("UPDATE %s SET %s = 1 WHERE filled BETWEEN $1 AND $2", "would never end"),
                            ("UPDATE %s SET filled = 1 WHERE %s = $1", 'as in "WHERE %s BETWEEN $1 AND $2"' % key)):
        made._write(file, head + statement % (table, key) + "\n")
        shared().refused("blueprint_invalid", "blueprint", "add", made.folder, says=(file, says))
    made._write(file, head + "UPDATE %s SET filled = filled + 1 WHERE %s BETWEEN $1 AND $2\n" % (table, key))
    shared().tenantry("blueprint", "add", made.folder)
    assert made.migrate("up")["done"] == 1, made.quarantine()
    assert made.sql("quoted-a", "SELECT filled, count(*) FROM %s GROUP BY 1" % table).split() == ["1|10"]
    assert made.server.psql("SELECT what, batches, rows_changed, rows_estimated, last_key FROM tenantry.place_steps"
                            " WHERE version = 3 AND place_id = (SELECT place_id FROM tenantry.tenants WHERE slug = 'quoted-a')").strip() == (
        "backfill of Big \"Table's|4|10|10|10")
    made.create("quoted-new")


def test_a_backfill_that_is_paused_stops_behind_a_batch():
    harness.require_faults()
    made = vault("pausing", "pausing-a")
    made.sql("pausing-a", "INSERT INTO boxes SELECT n, 'x' FROM generate_series(1, 100) n")
    add_backfill(made, 1, "pause: 200ms\n")
    child = made.server.spawn("migrate", "up", made.name, "--json",
                              env={"TENANTRY_FAULT_AT": "rollout.batch.done", "TENANTRY_FAULT_STOP": "1"})
    wait_until_stopped(child)
    number = str(made.newest()["rollout"])
    shared().tenantry("migrate", "pause", number)
    child.send_signal(signal.SIGCONT)
    status, _, err = ended(child)
    assert status != 0 and "somebody paused it" in err, (status, err)
    assert 1 <= steps(made)[0]["batches"] < 100, steps(made)
    assert filled(made, "pausing-a")[1] == "1|%d" % steps(made)[0]["batches"]
    shared().tenantry("migrate", "abort", number)


def by_weight(made):
    """Writes, and does not record, a version whose backfill goes by boxes.weight."""
    made.version += 1
    file = "migrations/V%04d__fill.backfill.yaml" % made.version
    made._write(file, "{table: boxes, key: weight, undo: nothing,"
                " statement: UPDATE boxes SET what = 'x' WHERE weight BETWEEN $1 AND $2}\n")
    return file


def test_a_place_whose_rows_may_lack_the_key_of_a_backfill_is_not_filled():
    made = Vault(shared(), "nokey")
    made.add("ALTER TABLE boxes ADD COLUMN weight integer NOT NULL UNIQUE;\n")
    made.create("nokey-a")
    by_weight(made)
    shared().tenantry("blueprint", "add", made.folder)
    made.sql("nokey-a", "ALTER TABLE boxes ALTER COLUMN weight DROP NOT NULL")
    made.refused("up", code="places_failed", says=("places failed",))
    assert "the key of a backfill must be NOT NULL" in made.quarantine()["nokey-a"]["error"]


# What the version before a backfill makes, and what is said of its key.
NO_NULLS, INDEXED = "can be NULL before version 3", "is not the first column of a btree index over all rows before version 3"
WEIGHTS = (
    ("integer UNIQUE", "", NO_NULLS),
    ("integer UNIQUE CHECK (weight IS NOT NULL)", "", NO_NULLS),
    ("integer NOT NULL", "", INDEXED),
    ("integer NOT NULL", "CREATE INDEX ON boxes (what, weight);", INDEXED),
    ("integer NOT NULL", "CREATE INDEX ON boxes (weight) WHERE weight > 0;", INDEXED),
    ("integer NOT NULL", "CREATE INDEX ON boxes USING hash (weight);", INDEXED),
    ("integer NOT NULL", "CREATE INDEX ON boxes ((weight + 1));", INDEXED),
    ("text NOT NULL", "CREATE INDEX ON boxes (weight text_pattern_ops);", INDEXED),
    ("text NOT NULL", 'CREATE INDEX ON boxes (weight COLLATE "POSIX");', INDEXED),
    ("integer NOT NULL", "CREATE INDEX ON boxes (weight DESC, what);", None),
    ("varchar(9) NOT NULL", "CREATE INDEX ON boxes (weight varchar_ops);", None),
)


def test_the_key_of_a_backfill_is_looked_at_before_it_is_recorded():
    for number, (kind, index, says) in enumerate(WEIGHTS):
        made = Vault(shared(), "weights_%d" % number)
        made.add("ALTER TABLE boxes ADD COLUMN weight %s;\n%s\n" % (kind, index))
        file = by_weight(made)
        if says:
            shared().refused("blueprint_invalid", "blueprint", "add", made.folder,
                             says=(file + ': the backfill\'s key "weight" of table "boxes" ' + says, "another key"))
        else:
            shared().tenantry("blueprint", "add", made.folder)
        assert shared().tenantry("blueprint", "show", made.name)["version"] == (2 if says else 3), (kind, index)


def test_the_key_of_a_backfill_is_what_the_versions_before_it_make():
    made = Vault(shared(), "keyorder")
    made.create("keyorder-a")
    made._write("migrations/V0002__weight.sql", "ALTER TABLE boxes ADD COLUMN weight integer;\n")
    ready = "ALTER TABLE boxes ALTER COLUMN weight SET NOT NULL;\nCREATE UNIQUE INDEX CONCURRENTLY boxes_weight ON boxes (weight);\n"
    made.version = 2
    early = by_weight(made)
    made._write("migrations/V0004__ready.sql", ready)
    shared().refused("blueprint_invalid", "blueprint", "add", made.folder, says=(early, NO_NULLS))
    for old, new in ((early, early.replace("V0003", "V0005")), ("migrations/V0004__ready.sql", "migrations/V0003__ready.sql")):
        os.rename(os.path.join(made.folder, old), os.path.join(made.folder, new))
    made._write("migrations/V0004__more.sql", "ALTER TABLE boxes ADD COLUMN more text;\n")
    made._write("migrations/V0006__gone.sql", "ALTER TABLE boxes DROP COLUMN weight;\n")
    shared().tenantry("blueprint", "add", made.folder)
    assert made.migrate("up")["done"] == 1, made.quarantine()
    assert made.versions() == {"keyorder-a": 6}


def test_the_key_of_a_backfill_that_was_recorded_is_not_looked_at_again():
    """A program that did not look at it recorded it; the versions after it are recorded all the same."""
    made = Vault(shared(), "oldkey")
    made.add("ALTER TABLE boxes ADD COLUMN weight integer NOT NULL UNIQUE, ADD COLUMN load integer;\n")
    file = by_weight(made)
    shared().tenantry("blueprint", "add", made.folder)
    with open(os.path.join(made.folder, file), encoding="utf-8") as f:
        was = f.read()
    now = was.replace("weight", "load")
    made._write(file, now)
    made.server.psql("UPDATE tenantry.blueprint_versions SET definition = replace(definition::text, '%s', '%s')::json"
                     " WHERE blueprint = 'oldkey'" % tuple(hashlib.sha256(text.encode()).hexdigest() for text in (was, now)))
    made.add_column()
    assert shared().tenantry("blueprint", "show", "oldkey")["version"] == 4


BAD_BACKFILLS = (
    ("key: id\nstatement: UPDATE boxes SET id = 1 WHERE id BETWEEN $1 AND $2\n", 'key "table": expected the name of a table'),
    ("table: boxes\nkey: %s\nstatement: x\n" % ("k" * 64), ':2: key "key": expected the name of a column, of at most 63 bytes'),
    ('table: "two\\nlines"\nkey: id\nstatement: x\n', ':1: key "table": expected the name of a table'),
    ('table: ""\nkey: id\nstatement: x\n', ':1: key "table": expected the name of a table'),
    ("table: boxes\nkey: id\nsize: 3\n", ':3: key "size"'),
    ("table: boxes\nkey: id\nbatch_size: 0\nstatement: x\n", ':3: key "batch_size"'),
    ("table: boxes\nkey: id\nstatement: |\n  UPDATE boxes\n  SET id = = 1\n", ":5: "),
    ("table: boxes\nkey: id\nstatement: SELECT $1, $2\n", ':3: key "statement": expected one UPDATE, INSERT or DELETE'),
    ("table: boxes\nkey: id\nstatement: UPDATE boxes SET id = 1 WHERE id > $1\n", ':3: key "statement": expected $1 and $2'),
    ("table: boxes\nkey: id\npause: soon\nstatement: x\n", ':3: key "pause"'),
    ("table: boxes\nkey: id\nundo: all\nstatement: x\n", ':3: key "undo"'),
    ("table: boxes\nkey: id\nstatement: INSERT INTO boxes SELECT id + 1000 FROM boxes WHERE id BETWEEN $1 AND $2\n",
     ':3: key "statement": expected no INSERT into "boxes"'),
    ("table: boxes\nkey: id\nstatement: UPDATE boxes SET (what, id) = ('x', id + 1000) WHERE id BETWEEN $1 AND $2\n",
     'no other "id" for its rows, or the batches would never end'),
    ("table: boxes\nkey: id\nstatement: WITH n AS (INSERT INTO boxes SELECT id + 1000 FROM boxes RETURNING 1)"
     " DELETE FROM boxes WHERE id BETWEEN $1 AND $2\n", "the batches would never end"),
    ("table: boxes\nkey: id\nstatement: UPDATE other.boxes SET id = 1 WHERE id BETWEEN $1 AND $2\n", "V0002__fill.backfill.yaml:3: "),
)


def test_a_backfill_that_is_wrong_is_refused_with_file_line_and_key():
    made = Vault(shared(), "badfill")
    for text, says in BAD_BACKFILLS:
        made._write("migrations/V0002__fill.backfill.yaml", text)
        shared().refused("blueprint_invalid", "blueprint", "add", made.folder, says=("V0002__fill.backfill.yaml", says))


def test_a_backfill_is_not_for_the_row_tier():
    made = Vault(shared(), "fillrows", "row")
    made._write("migrations/V0002__fill.backfill.yaml", BACKFILL % {"size": 3})
    shared().refused("blueprint_invalid", "blueprint", "add", made.folder, says=("tables of its own",))


if __name__ == "__main__":
    harness.main()
