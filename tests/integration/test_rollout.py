#!/usr/bin/env python3
"""Rollouts: places brought to another version, in waves, and what can go wrong on the way."""
import json
import os
import re
import signal
import time

import crash_state
import harness
from rollout_kit import Vault, check, ended, in_order, start_and_hold, wait_until, wait_until_stopped

shared = harness.shared_server

DIGEST = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "src", "rollout", "wave_digest.sql")
UNIQUE = ("ALTER TABLE boxes ADD CONSTRAINT boxes_what UNIQUE (what);\n", "ALTER TABLE boxes DROP CONSTRAINT boxes_what;\n")


def vault(name, *slugs, tier="schema", **options):
    made = Vault(shared(), name, tier, **options)
    made.create(*slugs)
    return made


def spoil(made, *slugs):
    """Rows that UNIQUE refuses."""
    for slug in slugs:
        made.sql(slug, "INSERT INTO boxes (id, what) VALUES (1, 'same'), (2, 'same')")


def mend(made, *slugs):
    for slug in slugs:
        made.sql(slug, "DELETE FROM boxes")


# --- up, down, status


def test_up_and_down_move_every_place_and_its_ledger():
    made = vault("mover", "mover-a", "mover-b", "mover-c")
    made.add_column()
    made.add_column()
    assert set(made.versions().values()) == {1}
    answer = made.migrate("up", "--parallel", "2")
    assert (answer["places"], answer["done"], answer["failed"]) == (3, 3, 0), answer
    assert set(made.versions().values()) == {3}
    made.check_columns()
    answer = made.migrate("down", "--to", "2", "--waves", "1,100%")
    assert answer["done"] == 3 and set(made.versions().values()) == {2}, answer
    made.check_columns()
    row = made.newest()
    assert (row["state"], row["places"], row["done"], row["pending"]) == ("done", 3, 3, 0), row
    versions = [(v["version"], v["places"], v["is_newest"]) for v in made.status()["versions"]]
    assert versions == [(2, 3, False)], versions
    assert made.migrate("up", "--to", "2")["places"] == 0
    assert made.migrate("up")["done"] == 3
    check(shared())


def test_the_row_tier_is_one_place_with_the_same_commands():
    made = vault("rows", "rows-a", "rows-b", tier="row")
    made.add_column()
    assert set(made.versions().values()) == {2}, "blueprint add moves the shared tables"
    assert made.migrate("down", "--to", "1")["places"] == 1
    assert set(made.versions().values()) == {1}
    made.check_columns()
    answer = made.migrate("up")
    assert (answer["places"], answer["done"]) == (1, 1), answer
    assert set(made.versions().values()) == {2}
    made.check_columns()
    made.refused("up", "--tenant", "rows-a", code="input_invalid", says=("moved together",))
    crash_state.check_whole(shared(), logins={"rows-a", "rows-b"})


MORE = ("""CREATE TYPE mood%(n)d AS ENUM ('good');
CREATE TYPE pair%(n)d AS (a integer, b integer);
CREATE DOMAIN amount%(n)d AS integer;
CREATE FUNCTION twice%(n)d(n integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 2 * n';
""", """DROP FUNCTION twice%(n)d(integer); DROP DOMAIN amount%(n)d; DROP TYPE pair%(n)d; DROP TYPE mood%(n)d;
""")


def test_a_tenant_that_drops_what_its_group_owns_keeps_nothing_from_the_others():
    """It takes the group out of the default privileges of the shared place; what later versions bring is for all again."""
    made = Vault(shared(), "rowsdrop", "row")
    tenants = made.create("rowsdrop-a", "rowsdrop-b")
    groups = dict(zip(("app", "readonly"), shared().psql(
        "SELECT app_role, readonly_role FROM tenantry.places WHERE blueprint = 'rowsdrop'").split("|")))

    def drop(*logins):
        for login in logins:
            shared().psql("SET default_transaction_read_only = off; DROP OWNED BY " + groups[login], tenants[0][login])

    def check_rights(*numbers):
        for uri in (tenant[login] for tenant in tenants for login in groups):
            for n in numbers:
                assert shared().psql("SELECT twice%d(2), has_type_privilege('mood%d', 'USAGE'), has_type_privilege('pair%d',"
                                     " 'USAGE'), has_type_privilege('amount%d', 'USAGE')" % (n, n, n, n), uri) == "4|t|t|t", n
        assert shared().tenantry("migrate", "verify", made.name)["differences"] == []

    drop("app", "readonly")
    made.add(*(script % {"n": 1} for script in MORE))
    check_rights(1)
    made.migrate("down", "--to", "1")
    drop("app")
    made.migrate("up")
    check_rights(1)
    drop("readonly")
    shared().tenantry("partition", "ensure")
    check_rights(1)
    made.add(*(script % {"n": 2} for script in MORE))
    check_rights(1, 2)
    crash_state.check_whole(shared(), logins={"rowsdrop-a", "rowsdrop-b"})


def test_a_right_that_a_script_took_from_a_group_stays_away():
    made = Vault(shared(), "rowsrevoke", "row")
    tenant, = made.create("rowsrevoke-a")
    made.add("""CREATE FUNCTION hidden() RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';
DO $$ BEGIN EXECUTE (SELECT format('REVOKE EXECUTE ON FUNCTION hidden() FROM %s', string_agg(a.grantee::regrole::text, ', '))
    FROM pg_catalog.pg_proc f, aclexplode(f.proacl) a WHERE f.oid = 'hidden()'::regprocedure AND a.grantee <> f.proowner); END $$;
""")
    made.add_column()
    shared().tenantry("partition", "ensure")
    harness.refused_sql(tenant["app"], "SELECT hidden()", "permission denied for function hidden")


def test_shared_tables_whose_rows_refuse_a_version_go_into_quarantine():
    made = vault("rowsbad", "rowsbad-a", tier="row")
    made.add("ALTER TABLE boxes ADD CONSTRAINT boxes_what UNIQUE (tenant_id, what);\n",
             "ALTER TABLE boxes DROP CONSTRAINT boxes_what;\n")
    made.migrate("down", "--to", "1")
    tenant = shared().tenantry("tenant", "show", "rowsbad-a")["id"]
    made.sql("rowsbad-a", "INSERT INTO boxes (tenant_id, id, what) SELECT '%s', n, 'same' FROM generate_series(1, 2) n"
             % tenant)
    made.refused("up", code="places_failed", says=("1 of 1 places failed in wave 1",))
    row = made.status()["quarantine"][0]
    assert row["tenant"] is None and row["sqlstate"] == "23505", row
    mend(made, "rowsbad-a")
    assert made.migrate("retry")["done"] == 1
    assert made.versions() == {"rowsbad-a": 2}
    crash_state.check_whole(shared(), logins={"rowsbad-a"})


# Nothing happens where the table is empty, as in the trial of "blueprint add". The lint cannot read it.
HIDDEN = "DO $$ BEGIN IF pg_relation_size('boxes') > 0 THEN EXECUTE '%s'; END IF; END $$;\n"
OPEN = HIDDEN % "GRANT SELECT ON boxes TO PUBLIC"


def test_shared_tables_that_a_script_would_open_are_rolled_back():
    made = vault("rowsopen", "rowsopen-a", tier="row")
    tenant = shared().tenantry("tenant", "show", "rowsopen-a")["id"]
    row = "INSERT INTO boxes (tenant_id, id) VALUES ('%s', 1)" % tenant
    security = ("SELECT relrowsecurity, relforcerowsecurity, relacl::text ~ '[{,]=' FROM pg_class"
                " WHERE oid = 'boxes'::regclass")
    made.add(HIDDEN % "ALTER TABLE boxes NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY" + OPEN, "SELECT 1;\n")
    made.migrate("down", "--to", "1")
    made.sql("rowsopen-a", row)
    made.refused("up", code="places_failed")
    assert "isolation is not whole" in made.status()["quarantine"][0]["error"], made.status()
    assert made.sql("rowsopen-a", security) == "t|t|f"
    made.sql("rowsopen-a", "TRUNCATE boxes")
    assert made.migrate("retry")["done"] == 1
    made.sql("rowsopen-a", row)
    with open(os.path.join(made.folder, "migrations", "V0003__step.sql"), "w", encoding="utf-8") as f:
        f.write(OPEN)
    shared().refused("isolation_violated", "blueprint", "add", made.folder, says=["isolation is not whole"])
    assert made.sql("rowsopen-a", security) == "t|t|f"
    with open(os.path.join(made.folder, "migrations", "V0003__step.sql"), "w", encoding="utf-8") as f:
        f.write(HIDDEN % "ALTER TABLE boxes NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY")
    shared().tenantry("blueprint", "add", made.folder)
    assert made.sql("rowsopen-a", security) == "t|t|f", "it is switched on again before the commit"
    crash_state.check_whole(shared(), logins={"rowsopen-a"})


def test_only_the_tenants_that_are_named_are_moved():
    made = vault("named", "named-a", "named-b")
    made.add_column()
    assert made.migrate("up", "--tenant", "named-b")["places"] == 1
    assert made.versions() == {"named-a": 1, "named-b": 2}
    made.refused("up", "--tenant", "named-a", "--tenant", "nobody", code="tenant_missing", says=("nobody",))
    made.refused("up", "--to", "9", code="input_invalid", says=("no version 9", "newest is 2", "blueprint show"))
    made.refused("up", "--waves", "1,x", code="input_invalid", says=('waves "1,x"', "such as 1,5%,25%,100%"))
    made.refused("up", "--max-failures", "few", code="input_invalid", says=('"few"',))


def test_down_is_refused_before_anything_changes_where_a_script_is_missing():
    made = vault("oneway", "oneway-a")
    made.add("ALTER TABLE boxes ADD COLUMN extra_2 text;\n")
    made.migrate("up")
    made.refused("down", "--to", "1", code="no_way_back", says=("V0002__step.sql", "no down script"))
    made.refused("down", "--to", "1", "--dry-run", code="no_way_back", says=("V0002__step.sql", "no down script"))
    assert made.versions() == {"oneway-a": 2}
    assert made.newest()["state"] == "done", "a rollout that was refused leaves no trace"


def test_a_dry_run_tells_what_would_run_where_and_changes_nothing():
    made = vault("dry", "dry-a", "dry-b", "dry-c")
    made.add_column()
    made.migrate("up", "--tenant", "dry-c")
    made.add_column()
    jobs = shared().tenantry("job", "list")["jobs"]
    answer = made.migrate("up", "--dry-run", "--waves", "1,100%")
    assert answer["rollout"] is None and (answer["places"], answer["done"]) == (3, 0), answer
    assert {r["wave"] for r in answer["would_run"]} == {1, 2}, answer
    files = {r["from_version"]: r["files"] for r in answer["would_run"]}
    assert [f.rsplit("/", 1)[-1] for f in files[1]] == ["V0002__step.sql", "V0003__step.sql"], files
    assert [f.rsplit("/", 1)[-1] for f in files[2]] == ["V0003__step.sql"], files
    assert sum(r["places"] for r in answer["would_run"]) == 3
    down = made.migrate("down", "--to", "1", "--dry-run")["would_run"]
    assert [(r["from_version"], r["to_version"], len(r["files"])) for r in down] == [(2, 1, 1)], down
    assert down[0]["files"][0].endswith("V0002__step.sql, down"), down
    assert shared().tenantry("job", "list")["jobs"] == jobs
    assert made.versions() == {"dry-a": 1, "dry-b": 1, "dry-c": 2}


def test_a_place_of_an_older_version_lacks_tables_that_the_manifest_names():
    """Rights and partitions of what a migration makes, and nothing about what the place does not have."""
    extra = ("append_only: [events, marks]\npartitions:\n  - {table: events, column: at, every: month, ahead: 1}\n")
    made = Vault(shared(), "older")
    made.create("older-a")
    made.add_column()
    with open(os.path.join(made.folder, "blueprint.yaml"), "a", encoding="utf-8") as f:
        f.write(extra)
    made.add("CREATE TABLE marks (id bigint PRIMARY KEY);\nCREATE TABLE events (at timestamptz NOT NULL, what text)"
             " PARTITION BY RANGE (at);\nCREATE TABLE events_default PARTITION OF events DEFAULT;\n",
             "DROP TABLE events; DROP TABLE marks;\n")
    assert made.migrate("up", "--to", "2")["done"] == 1
    for _ in range(2):
        assert made.migrate("up")["done"] == 1
        app = shared().tenantry("tenant", "credentials", "older-a")["connections"]
        uri = next(c["uri"] for c in app if c["login"] == "app")
        harness.psql(uri, "INSERT INTO marks VALUES (1); INSERT INTO events VALUES (now(), 'x')")
        harness.refused_sql(uri, "DELETE FROM marks", "permission denied")
        harness.refused_sql(uri, "UPDATE events SET what = 'y'", "permission denied")
        partitions = made.sql("older-a", "SELECT inhrelid::regclass FROM pg_inherits"
                              " WHERE inhparent = 'events'::regclass").split()
        dated = [p for p in partitions if not p.endswith("default")]
        assert dated, partitions
        for name in dated:
            harness.refused_sql(uri, "INSERT INTO %s VALUES (now(), 'x')" % name, "permission denied")
        made.migrate("down", "--to", "2")
    check(shared())


def test_a_create_that_moves_the_shared_place_waits_for_the_rollout_that_does():
    """It would take the place from the version that it had before, and leave a version out."""
    made = vault("rowswait", "rowswait-a", tier="row")
    for number in (2, 3):
        made.add("CREATE TABLE t%d (tenant_id uuid NOT NULL DEFAULT tenancy.current_tenant(), PRIMARY KEY (tenant_id));\n" % number,
                 "DROP TABLE t%d;\n" % number)
    made.migrate("up")
    made.migrate("down", "--to", "2")
    place = shared().psql("SELECT id FROM tenantry.places WHERE blueprint = '%s' AND tier = 'row'" % made.name)
    with harness.Session(made.superuser) as session:
        session.ask("BEGIN; LOCK TABLE %s.t2 IN ACCESS SHARE MODE;" % made.schema("rowswait-a"))
        down = shared().spawn("migrate", "down", made.name, "--to", "1", "--lock-timeout", "60s", "--json")
        waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = '%s.t2'::regclass" % made.schema("rowswait-a")
        wait_until(lambda: session.ask(waits + ";") == "1", "the rollout does not wait for the table")
        create = shared().spawn("tenant", "create", "rowswait-b", "--blueprint", made.name, "--json")
        held = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%FOR NO KEY UPDATE'"
        wait_until(lambda: shared().psql(held, made.superuser) == "1", "the create does not wait for the rollout")
        session.ask("ROLLBACK;")
    for child in (down, create):
        out, err = child.communicate(timeout=harness.COMMAND_TIMEOUT_S)
        assert child.returncode == 0, (out, err)
    ledger = shared().psql("SELECT p.version || ':' || string_agg(m.version::text, ',' ORDER BY m.version) FROM tenantry.places p"
                           " JOIN tenantry.place_migrations m ON m.place_id = p.id WHERE p.id = '%s' GROUP BY p.version" % place)
    assert ledger == "3:1,2,3", ledger
    assert shared().tenantry("migrate", "verify", made.name)["drifted"] == 0


# --- waves, allowance, what happens on failure


def test_waves_end_where_they_should():
    made = vault("waves", *("waves-%d" % n for n in range(6)))
    made.add_column()
    answer = made.migrate("up", "--waves", "1,50%,100%")
    found = shared().psql("SELECT wave || ':' || count(*) FROM tenantry.rollout_places WHERE job_id = %d GROUP BY wave"
                          " ORDER BY wave" % answer["rollout"]).split()
    assert found == ["1:1", "2:2", "3:3"], found


def test_a_gate_between_waves_stops_the_rollout_and_is_asked_again():
    made = vault("gated", "gated-a", "gated-b", "gated-c")
    made.add_column()
    flag = os.path.join(shared().folder, "open")
    gate = "echo one; echo two; echo $TENANTRY_WAVE >> %s.waves; test -e %s" % (flag, flag)
    made.refused("up", "--waves", "1,2,100%", "--gate", gate, code="gate_shut",
                 says=('the gate "command" after wave 1 is shut: the command ended with 1', "resume"))
    row = made.newest()
    assert (row["state"], row["done"], row["pending"]) == ("stopped", 1, 2), row
    again = ("migrate", "resume", str(row["rollout"]))
    shared().refused("gate_shut", *again, says=("after wave 1",))
    with open(flag, "w", encoding="utf-8"):
        pass
    answer = shared().tenantry(*again, json=False)
    assert "done: 3" in answer.out and "one\ntwo\n" in answer.err, (answer.out, answer.err)
    with open(flag + ".waves", encoding="utf-8") as f:
        assert f.read().split() == ["1", "1", "1", "2"]


def test_a_failure_stops_the_wave_and_a_retry_moves_the_place():
    made = vault("stops", "stops-a", "stops-b", "stops-c")
    made.add(*UNIQUE)
    bad = in_order(made)[1]
    spoil(made, bad)
    error = made.refused("up", "--waves", "100%", code="places_failed", says=("1 of 3 places failed in wave 1", "migrate status", "resume"))
    row = made.newest()
    assert (row["state"], row["done"], row["failed"], row["pending"]) == ("stopped", 1, 1, 1), (row, error)
    found = made.quarantine()
    assert set(found) == {bad}, found
    assert found[bad]["sqlstate"] == "23505" and found[bad]["attempts"] == 1, found
    assert "V0002__step.sql:1" in found[bad]["error"] and "boxes_what" in found[bad]["error"], found
    where = [found[bad][key] for key in ("file", "line", "column", "statement")]
    assert where == ["migrations/V0002__step.sql", 1, 1, UNIQUE[0].rstrip(";\n")], where
    screen = made.server.tenantry("migrate", "status", made.name, json=False).out
    assert "  23505\n" in screen and "\n    " + where[-1] + "\n" in screen, screen
    made.refused("up", says=("rollout %d of blueprint" % row["rollout"], "migrate resume", "migrate abort"))
    assert shared().tenantry("migrate", "resume", str(row["rollout"]))["done"] == 2
    assert made.versions()[bad] == 1, "what is in quarantine stays as it was"
    assert made.migrate("up")["places"] == 0, "and no other rollout takes it"
    made.refused("retry", code="places_failed", says=("1 of 1 places failed",))
    mend(made, bad)
    assert made.migrate("retry")["done"] == 1
    assert not made.quarantine() and set(made.versions().values()) == {2}
    # As one that could not be undone: at the newer version, and in quarantine.
    made.server.psql("UPDATE tenantry.places SET quarantine = %d WHERE schema_name = '%s'" % (row["rollout"], made.schema(bad)))
    made.refused("retry", "--to", "1", code="input_invalid", says=("version 2, above 1", "does not go back", "migrate down"))
    assert made.migrate("retry")["places"] == 1
    assert not made.quarantine()
    check(shared())


def test_a_wave_allows_as_many_failures_as_it_was_told():
    """What was sent behind a place that failed is moved all the same, and was never tried before."""
    made = vault("allows", *("allows-%d" % n for n in range(4)))
    made.add(*UNIQUE)
    bad = in_order(made)[1::2]
    spoil(made, *bad)
    answer = made.migrate("up", "--waves", "100%", "--max-failures", "50%")
    assert (answer["done"], answer["failed"]) == (2, 2), answer
    assert set(made.quarantine()) == set(bad)
    attempts = shared().psql("SELECT DISTINCT attempts FROM tenantry.rollout_places WHERE job_id = %d" % answer["rollout"])
    assert attempts == "1", attempts
    check(shared())


def test_on_failure_continue_goes_through_all_waves():
    made = vault("goeson", *("goeson-%d" % n for n in range(4)))
    made.add(*UNIQUE)
    bad = in_order(made)[:3]
    spoil(made, *bad)
    answer = made.migrate("up", "--waves", "1,2,100%", "--on-failure", "continue")
    assert (answer["done"], answer["failed"]) == (1, 3), answer
    assert set(made.quarantine()) == set(bad)


def test_undo_has_nothing_to_take_back_where_nothing_is_to_do():
    """Whatever the way back of versions that no place will go."""
    made = vault("undonone", "undonone-a")
    made.add("ALTER TABLE boxes ADD COLUMN extra_2 text;\n")
    made.migrate("up")
    answer = made.migrate("up", "--on-failure", "undo")
    assert (answer["places"], answer["done"]) == (0, 0), answer


def test_an_undo_passes_over_a_place_that_was_purged_after_it_was_moved():
    made = vault("undogone", *("undogone-%d" % n for n in range(4)))
    made.add(*UNIQUE)
    order = in_order(made)
    spoil(made, order[2])
    flag = os.path.join(shared().folder, "undogone-open")
    made.refused("up", "--waves", "2,100%", "--on-failure", "undo", "--gate", "test -e " + flag, code="gate_shut")
    shared().tenantry("tenant", "archive", order[0])
    shared().tenantry("tenant", "purge", order[0], "--yes")
    with open(flag, "w", encoding="utf-8"):
        pass
    shared().refused("places_failed", "migrate", "resume", str(made.newest()["rollout"]), says=("are as they were",))
    states = shared().psql("SELECT state FROM tenantry.rollout_places WHERE job_id = %d ORDER BY place_id"
                           % made.newest()["rollout"]).split()
    assert states == ["gone", "undone", "failed", "left"], states
    assert set(made.versions().values()) == {1} and made.newest()["state"] == "undone"
    mend(made, order[2])
    assert made.migrate("up", "--tenant", order[1])["done"] == 1


def test_on_failure_undo_takes_back_exactly_what_was_changed():
    made = vault("undoes", *("undoes-%d" % n for n in range(4)))
    made.add_column()
    order = in_order(made)
    made.migrate("up", "--tenant", order[0])
    made.add(*UNIQUE)
    spoil(made, order[2])
    made.refused("up", "--waves", "2,100%", "--on-failure", "undo",
                 code="places_failed", says=("1 of 2 places failed in wave 2", "are as they were"))
    assert made.versions() == dict(zip(order, (2, 1, 1, 1))), made.versions()
    made.check_columns()
    assert set(made.quarantine()) == {order[2]}
    states = shared().psql("SELECT state FROM tenantry.rollout_places WHERE job_id = %d ORDER BY place_id"
                           % made.newest()["rollout"]).split()
    assert states == ["undone", "undone", "failed", "left"], states
    answer = made.migrate("up", "--max-failures", "1")
    assert answer["done"] == 3, "the next rollout need not wait for one that was taken back"
    made.add("ALTER TABLE boxes ADD COLUMN extra_4 text;\n")
    made.refused("up", "--on-failure", "undo", code="no_way_back", says=("V0004__step.sql", "no down script"))


def test_a_wave_that_opens_a_tenant_to_others_is_the_last():
    slugs = ("opens-a", "opens-b", "opens-c")
    made = vault("opens", *slugs)
    spoil(made, *slugs)
    made.add("DO $d$ BEGIN IF EXISTS (SELECT FROM boxes) THEN EXECUTE 'GRANT SELECT ON boxes TO PUBLIC'; END IF; END $d$;\n",
             "DO $d$ BEGIN EXECUTE 'REVOKE SELECT ON boxes FROM ' || 'PUBLIC'; END $d$;\n")
    made.refused("up", "--waves", "1,100%", code="isolation_violated", says=("after wave 1", "PUBLIC has SELECT"))
    assert sorted(made.versions().values()) == [1, 1, 2], made.versions()
    shared().tenantry("migrate", "abort", str(made.newest()["rollout"]))
    made.migrate("down", "--to", "1")
    made.refused("up", "--waves", "1,100%", "--on-failure", "undo", code="isolation_violated",
                 says=("PUBLIC has SELECT", "are as they were"))
    assert made.newest()["state"] == "undone", made.newest()
    assert set(made.versions().values()) == {1}, made.versions()


# --- pause, resume, abort, Ctrl-C


def go_on(child):
    os.kill(child.pid, signal.SIGCONT)
    return ended(child)


def test_a_pause_ends_the_place_under_way_and_a_resume_goes_on():
    made = vault("pauses", "pauses-a", "pauses-b", "pauses-c")
    made.add_column()
    child, rollout = start_and_hold(made, "--waves", "1,100%")
    made.refused("up", says=("rollout %s of blueprint" % rollout,))
    assert made.newest()["state"] == "running", made.newest()
    shared().tenantry("migrate", "pause", rollout)
    status, _, err = go_on(child)
    assert status == harness.exit_statuses()["rollout_stopped"], err
    assert "somebody paused it" in err and "migrate resume %s" % rollout in err, err
    assert made.newest()["state"] == "paused", made.newest()
    assert sorted(made.versions().values()) == [1, 1, 2]
    shared().refused("job_state", "migrate", "pause", rollout, says=("is paused",))
    assert shared().tenantry("migrate", "resume", rollout)["done"] == 3
    shared().refused("job_state", "migrate", "resume", rollout, says=("is done",))
    shared().refused("job_missing", "migrate", "resume", "999999", says=("no rollout 999999",))
    check(shared())


def test_an_abort_leaves_what_was_not_reached():
    made = vault("aborts", "aborts-a", "aborts-b")
    made.add_column()
    child, rollout = start_and_hold(made, "--waves", "1,100%")
    assert "asked to end" in shared().tenantry("migrate", "abort", rollout)["outcome"]
    status, out, err = go_on(child)
    assert status == 75 and "was aborted" in err and "done: 1" in err, (out, err)
    assert sorted(made.versions().values()) == [1, 2]
    assert made.newest()["state"] == "aborted"
    assert made.migrate("up")["done"] == 1


def test_an_abort_ends_a_rollout_that_nobody_runs():
    made = vault("abandons", "abandons-a", "abandons-b")
    made.add(*UNIQUE)
    spoil(made, in_order(made)[0])
    made.refused("up", "--waves", "1,100%", code="places_failed")
    rollout = str(made.newest()["rollout"])
    assert shared().tenantry("migrate", "abort", rollout)["done"] == 0
    assert made.newest()["state"] == "aborted"
    assert made.migrate("up")["done"] == 1


def test_an_interrupt_ends_the_place_under_way_and_says_how_to_go_on():
    made = vault("ctrlc", "ctrlc-a", "ctrlc-b")
    made.add_column()
    child, rollout = start_and_hold(made, "--waves", "1,100%")
    os.kill(child.pid, signal.SIGINT)
    status, _, err = go_on(child)
    assert status == harness.exit_statuses()["rollout_stopped"], (status, err)
    assert "stopping after what is under way" in err and "migrate resume %s" % rollout in err, err
    assert sorted(made.versions().values()) == [1, 2]
    assert shared().tenantry("migrate", "resume", rollout)["done"] == 2


def test_a_second_interrupt_kills_and_the_rollout_can_be_resumed():
    made = vault("ctrlcc", "ctrlcc-a", "ctrlcc-b")
    made.add_column()
    locker = harness.Session(made.superuser)
    with locker:
        schema = made.schema(in_order(made)[0])
        locker.ask('BEGIN; LOCK TABLE "%s".boxes;' % schema)
        child = shared().spawn("migrate", "up", made.name, "--lock-timeout", "60s", "--json")
        wait_until(lambda: is_waiting(made, schema), "nobody waits for the lock")
        os.kill(child.pid, signal.SIGINT)
        assert "stopping after" in child.stderr.readline() + child.stderr.readline()
        os.kill(child.pid, signal.SIGINT)
        status, _, err = ended(child)
        assert status == -signal.SIGINT and "job list --state interrupted" in err, (status, err)
        locker.ask("ROLLBACK;")
    crash_state.wait_until_quiet(shared())
    assert made.newest()["state"] == "interrupted", made.newest()
    rollout = str(made.newest()["rollout"])
    assert shared().tenantry("migrate", "resume", rollout)["done"] == 2
    made.check_columns()


# --- bad days


def is_waiting(made, schema):
    return made.server.psql("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = '\"%s\".boxes'::regclass"
                            % schema, made.superuser) != "0"


def test_a_locked_tenant_is_tried_again_recorded_and_not_held_up_for_long():
    made = vault("locked", "locked-a", "locked-b")
    made.add_column()
    bad = in_order(made)[0]
    schema = made.schema(bad)
    app = shared().tenantry("tenant", "credentials", bad)["connections"]
    uri = next(c["uri"] for c in app if c["login"] == "app")
    with harness.Session(made.superuser) as locker:
        locker.ask('BEGIN; SELECT * FROM "%s".boxes;' % schema)
        child = shared().spawn("migrate", "up", made.name, "--lock-timeout", "200ms", "--retries", "2", "--waves", "100%",
                               "--max-failures", "1", "--json")
        wait_until(lambda: is_waiting(made, schema) or child.poll() is not None, "nobody waits for the lock")
        # Behind the one that waits, for at most as long as it waits.
        harness.psql(uri, "SET statement_timeout = '30s'; SELECT count(*) FROM boxes")
        status, out, err = ended(child)
    assert status == 0, err
    answer = json.loads(out)
    assert (answer["done"], answer["failed"]) == (1, 1), answer
    row = made.quarantine()[bad]
    assert row["sqlstate"] == "55P03" and row["attempts"] == 3, row
    assert made.migrate("retry")["done"] == 1
    made.check_columns()


def test_a_lock_that_goes_away_is_waited_for():
    made = vault("waits", "waits-a")
    made.add_column()
    with harness.Session(made.superuser) as locker:
        schema = made.schema("waits-a")
        locker.ask('BEGIN; SELECT * FROM "%s".boxes;' % schema)
        child = shared().spawn("migrate", "up", made.name, "--lock-timeout", "60s", "--json")
        wait_until(lambda: is_waiting(made, schema), "nobody waits for the lock")
        locker.ask("COMMIT;")
        status, out, err = ended(child)
    assert status == 0 and json.loads(out)["done"] == 1, err


def test_a_connection_that_is_lost_is_opened_again():
    """Also in the COMMIT: the place's own row says whether it was applied."""
    for name, point in (("lostmove", "rollout.place.taken"), ("lostcommit", "rollout.place.committed")):
        made = vault(name, name + "-a", name + "-b")
        made.add_column()
        child, rollout = start_and_hold(made, "--waves", "1,100%", point=point)
        made.server.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tenantry'"
                         " AND pid NOT IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')", made.superuser)
        status, out, err = go_on(child)
        assert status == 0 and json.loads(out)["done"] == 2, err
        made.check_columns()
        attempts = made.server.psql("SELECT max(attempts) FROM tenantry.rollout_places WHERE job_id = " + rollout)
        assert attempts == ("2" if name == "lostmove" else "1"), attempts
    check(shared())


def test_a_role_that_lost_its_right_fails_alone():
    made = vault("lostright", "lostright-a", "lostright-b")
    made.add("CREATE TABLE more (id bigint PRIMARY KEY);\n", "DROP TABLE more;\n")
    bad = in_order(made)[0]
    schema = made.schema(bad)
    owner = made.server.psql("SELECT owner_role FROM tenantry.places WHERE schema_name = '%s'" % schema)
    made.sql(bad, 'ALTER SCHEMA "%s" OWNER TO postgres; REVOKE CREATE ON SCHEMA "%s" FROM "%s"' % (schema, schema, owner))
    answer = made.migrate("up", "--max-failures", "1", "--waves", "100%")
    assert (answer["done"], answer["failed"]) == (1, 1), answer
    assert made.quarantine()[bad]["sqlstate"] == "42501", made.quarantine()
    made.sql(bad, 'ALTER SCHEMA "%s" OWNER TO "%s"' % (schema, owner))
    assert made.migrate("retry")["done"] == 1
    check(shared())


def test_tenants_that_are_suspended_or_archived_are_moved_and_a_purged_one_is_passed_over():
    made = vault("leaves", "leaves-a", "leaves-b", "leaves-c", "leaves-d")
    made.add_column()
    order = in_order(made)
    child, rollout = start_and_hold(made, "--waves", "100%")
    shared().tenantry("tenant", "suspend", order[1])
    shared().tenantry("tenant", "archive", order[2])
    shared().tenantry("tenant", "archive", order[3])
    shared().tenantry("tenant", "purge", order[3], "--yes")
    status, out, err = go_on(child)
    assert status == 0, err
    answer = json.loads(out)
    assert (answer["places"], answer["done"], answer["failed"]) == (4, 3, 0), answer
    gone = made.server.psql("SELECT count(*) FROM tenantry.rollout_places WHERE state = 'gone' AND job_id = " + rollout)
    assert gone == "1"
    assert made.versions() == {slug: 2 for slug in order[:3]}, made.versions()
    made.check_columns()
    check(shared())


def test_a_place_that_a_purge_holds_is_passed_over_until_it_is_gone():
    made = vault("purged", "purged-a", "purged-b", "purged-c")
    made.add_column()
    bad = in_order(made)[0]
    shared().tenantry("tenant", "archive", bad)
    harness.require_faults()
    purge = shared().spawn("tenant", "purge", bad, "--yes", "--json",
                           env={"TENANTRY_FAULT_AT": "tenant.purge.dropped", "TENANTRY_FAULT_STOP": "1"})
    wait_until_stopped(purge)
    child = shared().spawn("migrate", "up", made.name, "--waves", "100%", "--json")
    wait_until(lambda: sorted(made.versions().values())[-2:] == [2, 2], "the others are not moved")
    status, _, err = go_on(purge)
    assert status == 0, err
    status, out, err = ended(child)
    assert status == 0, err
    answer = json.loads(out)
    assert (answer["places"], answer["done"]) == (3, 2), answer
    check(shared())


def test_a_create_at_the_same_moment_ends_at_the_same_version():
    """It read the older version before the newer one was recorded, and commits when the rollout has begun."""
    harness.require_faults()
    made = vault("overlap", "overlap-a")
    create = shared().spawn("tenant", "create", "overlap-b", "--blueprint", made.name, "--json",
                            env={"TENANTRY_FAULT_AT": "tenant.provision.sent", "TENANTRY_FAULT_STOP": "1"})
    wait_until_stopped(create)
    made.add_column()
    child = shared().spawn("migrate", "up", made.name, "--json")
    wait_until(lambda: made.newest_or_none() is not None and made.versions().get("overlap-a") == 2,
               "the rollout does not reach the first tenant")
    status, _, err = go_on(create)
    assert status == 0, err
    status, out, err = ended(child)
    assert status == 0 and json.loads(out)["places"] == 2, (out, err)
    assert made.versions() == {"overlap-a": 2, "overlap-b": 2}
    made.check_columns()
    made.create("overlap-c")
    assert made.versions()["overlap-c"] == 2, "born at the newest version"
    check(shared())


def test_spares_of_an_older_version_are_not_claimed():
    made = vault("spared", "spared-a")
    shared().tenantry("spare", "fill", made.name, "--count", "1")
    made.add_column()
    row = shared().tenantry("spare", "list", "--blueprint", made.name)["spares"][0]
    assert (row["ready"], row["stale"]) == (0, 1), row
    made.create("spared-b")
    assert made.migrate("up")["places"] == 1, "spares are made anew, not moved"
    assert set(made.versions().values()) == {2}
    shared().tenantry("spare", "drop", made.name, "--all")
    check(shared())


# Each is harmless where the table is empty, so that it passes the trial of "blueprint add"; with a row it tries to get
# out. What says the database.
ESCAPES = {
    "role": ("EXECUTE 'SET ROLE tenantry'", "cannot set parameter"),
    "reset": ("EXECUTE 'RESET ROLE'", "cannot set parameter"),
    "authorization": ("EXECUTE 'SET SESSION AUTHORIZATION tenantry'", "cannot set parameter"),
    "commit": ("COMMIT", "invalid transaction termination"),
    "neighbour": ("EXECUTE (SELECT format('DROP TABLE %I.boxes', nspname) FROM pg_namespace WHERE nspname = "
                  "current_setting('escape.neighbour'))", "permission denied"),
    "registry": ("EXECUTE 'UPDATE tenantry.places SET version = 99'", "permission denied"),
    "kill": ("PERFORM pg_terminate_backend(pg_backend_pid())", "process"),
    "grant": ("EXECUTE 'GRANT tenantry TO ' || quote_ident(current_user)", 'role "tenantry"'),
}


def test_what_a_migration_tries_beyond_its_place_the_database_refuses():
    made = vault("escapes", "escapes-a", "escapes-b")
    bad, other = in_order(made)
    made.sql(bad, "INSERT INTO boxes VALUES (1, 'x')")
    made.server.psql("ALTER DATABASE \"%s\" SET escape.neighbour = '%s'" % (
        made.server.psql("SELECT current_database()"), made.schema(other)), made.superuser)
    before = made.server.psql("SELECT rolname, rolsuper FROM pg_roles WHERE rolname !~ '_ready_' ORDER BY 1", made.superuser)
    for name, (sql, says) in ESCAPES.items():
        made.add("DO $$ BEGIN IF EXISTS (SELECT FROM boxes) THEN %s; END IF; END $$;\n" % sql, "SELECT 1;\n")
        made.migrate("up", "--max-failures", "1", "--tenant", bad)
        row = made.quarantine()[bad]
        assert says in row["error"] and "V%04d__step.sql:1" % made.version in row["error"], (name, row)
        made.server.psql("UPDATE tenantry.places SET quarantine = NULL, version = %d WHERE schema_name = '%s';"
                         " INSERT INTO tenantry.place_migrations SELECT id, %d, 'skipped', repeat('0', 64)"
                         " FROM tenantry.places WHERE schema_name = '%s'" %
                         (made.version, row["schema"], made.version, row["schema"]), made.superuser)
    assert made.migrate("up")["done"] == 1, "the neighbour has its table, and takes all of it"
    after = made.server.psql("SELECT rolname, rolsuper FROM pg_roles WHERE rolname !~ '_ready_' ORDER BY 1", made.superuser)
    assert before == after
    check(shared())


def test_a_rollout_that_opened_its_places_stays_stopped_until_they_are_mended():
    made = vault("opened", "opened-a")
    made.sql("opened-a", "INSERT INTO boxes VALUES (1, 'x')")
    grant = "EXECUTE 'GRANT SELECT ON boxes TO PUBLIC'"
    made.add("DO $$ BEGIN IF EXISTS (SELECT FROM boxes) THEN %s; END IF; END $$;\n" % grant)
    made.refused("up", code="isolation_violated", says=["isolation is not whole"])
    number = str(made.newest()["rollout"])
    made.server.refused("isolation_violated", "migrate", "resume", number, says=["isolation is not whole"])
    made.sql("opened-a", "REVOKE SELECT ON boxes FROM PUBLIC")
    made.server.tenantry("migrate", "resume", number)
    assert made.newest()["state"] == "done"


def test_a_script_that_did_something_else_in_one_of_many_places_is_found():
    made = vault("kinds", *("kinds-%d" % n for n in range(8)))
    opened = in_order(made)[5]
    made.sql(opened, "INSERT INTO boxes VALUES (1, 'x')")
    made.add("DO $$ BEGIN IF EXISTS (SELECT FROM boxes) THEN EXECUTE 'GRANT SELECT ON boxes TO PUBLIC'; END IF; END $$;\n"
             "CREATE TABLE more (id bigint PRIMARY KEY REFERENCES boxes);\n"
             "CREATE FUNCTION one() RETURNS bigint LANGUAGE sql AS 'SELECT min(id) FROM more';\n"
             "CREATE VIEW seen WITH (security_invoker = true) AS SELECT * FROM more;\n")
    made.refused("up", "--waves", "100%", code="isolation_violated", says=['tenant "%s"' % opened, "isolation is not whole"])
    with open(DIGEST, encoding="utf-8") as f:
        text = f.read().replace("$1", str(made.newest()["rollout"])).replace("$2", "1")
    kinds = made.server.psql(text).split("\n")
    assert len(kinds) == 2, "all others are of one kind: %s" % kinds
    # With hardly any statistics yet; each place is looked at once, not once for each other.
    plan = made.server.psql("SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = off;"
                            " EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) " + text)
    assert re.search(r"Append \(actual rows=\d+ loops=1\)", plan) and "CTE Scan on moved" in plan, plan


def test_two_rollouts_of_one_blueprint_at_once_are_one():
    made = vault("twice", "twice-a", "twice-b")
    made.add_column()
    children = [shared().spawn("migrate", "up", made.name, "--json") for _ in range(2)]
    answers = [ended(child) for child in children]
    assert set(made.versions().values()) == {2}
    for status, out, err in answers:
        assert status == 0 or "one at a time" in err, err
    assert sum(json.loads(out)["done"] for status, out, _ in answers if status == 0) == 2, answers
    check(shared())


# --- killed and resumed


def points():
    """The fault points of one rollout, in the order in which a place passes them."""
    return ("migrate.up.plan.before_commit", "migrate.up.plan.after_commit", "migrate.up.ground.begin",
            "migrate.up.waves.begin", "rollout.place.taken", "rollout.place.moved", "rollout.place.committed",
            "rollout.wave.moved", "migrate.up.waves.after", "migrate.up.record.before_commit",
            "migrate.up.record.after_commit")


def test_a_rollout_that_was_killed_is_resumed_at_every_point():
    harness.require_faults()
    made = vault("killed", "killed-a", "killed-b", "killed-c")
    for point in points():
        target = made.add_column()
        made.migrate("up", "--waves", "1,100%", env={"TENANTRY_FAULT_AT": point}, expect=-signal.SIGKILL)
        crash_state.wait_until_quiet(shared())
        made.check_columns()
        rows = [r for r in made.status()["rollouts"] if r["version"] == target]
        if not rows:
            assert point == "migrate.up.plan.before_commit", point
            made.migrate("up")
        elif rows[0]["state"] != "done":
            shared().tenantry("migrate", "resume", str(rows[0]["rollout"]))
        assert set(made.versions().values()) == {target}, (point, made.versions())
        made.check_columns()
    check(shared())


def test_a_kill_between_a_failure_and_its_stop_does_not_lose_the_failure():
    harness.require_faults()
    made = vault("counted", *("counted-%d" % n for n in range(4)))
    made.add(*UNIQUE)
    order = in_order(made)
    spoil(made, order[0])
    made.migrate("up", "--waves", "2,100%", env={"TENANTRY_FAULT_AT": "rollout.wave.moved"}, expect=-signal.SIGKILL)
    crash_state.wait_until_quiet(shared())
    number = str(made.newest()["rollout"])
    for _ in range(2):  # who resumes a run that was killed was told nothing; this one is killed before it says so
        shared().tenantry("migrate", "resume", number, env={"TENANTRY_FAULT_AT": "migrate.up.waves.begin"},
                          expect=-signal.SIGKILL)
        crash_state.wait_until_quiet(shared())
    shared().refused("places_failed", "migrate", "resume", number, says=("1 of 2 places failed in wave 1",))
    assert set(made.versions().values()) == {1}, made.versions()
    answer = shared().tenantry("migrate", "resume", number)
    assert (answer["done"], answer["failed"]) == (3, 1), answer
    check(shared())


def test_an_undo_that_was_killed_is_resumed_as_an_undo():
    harness.require_faults()
    made = vault("undokill", *("undokill-%d" % n for n in range(4)))
    made.add(*UNIQUE)
    spoil(made, in_order(made)[2])
    path = os.path.join(shared().folder, "trace-undo")
    command = ("up", "--waves", "2,3,100%", "--on-failure", "undo")
    made.refused(*command, code="places_failed", env={"TENANTRY_FAULT_TRACE": path})
    passed = crash_state.trace(path)
    # Two waves, of which the second fails; what follows is the undo.
    begin = [n for n, name in enumerate(passed) if name == "rollout.wave.moved"][1]
    for point in ("rollout.wave.moved", "rollout.place.moved", "rollout.place.committed", "rollout.undone"):
        made.server.psql("UPDATE tenantry.places SET quarantine = NULL")
        number = passed.index(point, begin) + 1
        made.migrate(*command, env={"TENANTRY_FAULT_AT": str(number)}, expect=-signal.SIGKILL)
        crash_state.wait_until_quiet(shared())
        resume = ("migrate", "resume", str(made.newest()["rollout"]))
        if point == "rollout.wave.moved":  # that it goes back was not recorded yet
            shared().refused("places_failed", *resume, says=("1 of 1 places failed", "are as they were"))
        else:
            shared().refused("places_failed", *resume, says=("was taken back", "done: 0, failed: 1"))
        assert set(made.versions().values()) == {1}, (point, made.versions())
    check(shared())


if __name__ == "__main__":
    harness.main()
