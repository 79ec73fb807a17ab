#!/usr/bin/env python3
"""How rollouts end that are aborted, undone or resumed at an awkward moment."""
import json
import os
import signal

import crash_state
import harness
from rollout_kit import Vault, check, ended, in_order, start_and_hold, wait_until

shared = harness.shared_server

UNIQUE = ("ALTER TABLE boxes ADD CONSTRAINT boxes_what UNIQUE (what);\n",
          "ALTER TABLE boxes DROP CONSTRAINT boxes_what;\n")


def vault(name, *slugs, **options):
    made = Vault(shared(), name, **options)
    made.create(*slugs)
    return made


def spoil(made, *slugs):
    """Rows that UNIQUE refuses."""
    for slug in slugs:
        made.sql(slug, "INSERT INTO boxes (id, what) VALUES (1, 'same'), (2, 'same')")


def go_on(child):
    os.kill(child.pid, signal.SIGCONT)
    return ended(child)


def wish(rollout):
    return shared().psql("SELECT coalesce(wanted, '-') FROM tenantry.rollouts WHERE job_id = %s" % rollout)


def end(made):
    """Aborts the newest rollout, which nobody runs."""
    answer = shared().tenantry("migrate", "abort", str(made.newest()["rollout"]))
    assert (answer["done"], made.newest()["state"]) == (0, "aborted"), answer


# --- what is refused changes nothing


def test_an_abort_of_a_rollout_that_is_done_leaves_it_done():
    made = vault("isdone", "isdone-a")
    made.add_column()
    rollout = str(made.migrate("up")["rollout"])
    shared().refused("job_state", "migrate", "abort", rollout, says=("is done",))
    assert (made.newest()["state"], wish(rollout)) == ("done", "-"), made.newest()


def test_a_resume_of_a_rollout_that_was_aborted_leaves_it_aborted():
    made = vault("isended", "isended-a", "isended-b")
    made.add_column()
    made.refused("up", "--waves", "1,100%", "--gate", "false", code="gate_shut")
    rollout = str(made.newest()["rollout"])
    shared().tenantry("migrate", "abort", rollout)
    shared().refused("job_state", "migrate", "resume", rollout, says=("is aborted",))
    assert (made.newest()["state"], wish(rollout)) == ("aborted", "abort"), made.newest()


def test_a_resume_of_a_rollout_that_runs_does_not_withdraw_an_abort():
    made = vault("isrun", "isrun-a", "isrun-b")
    made.add_column()
    child, rollout = start_and_hold(made, "--waves", "1,100%")
    shared().tenantry("migrate", "abort", rollout)
    shared().refused("job_busy", "migrate", "resume", rollout, says=("migrate pause %s" % rollout, "migrate abort"))
    shared().refused("job_busy", "job", "resume", rollout, says=("job show %s" % rollout,))
    status, out, err = go_on(child)
    assert status == 75 and "was aborted" in err and "done: 1" in err, (out, err)
    assert made.newest()["state"] == "aborted", made.newest()
    check(shared())


# --- the job's own connection is lost


def lose_job():
    """Ends the session that holds a job's lock."""
    lost = shared().psql("SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity"
                         " WHERE application_name = 'tenantry'"
                         " AND pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')",
                         crash_state.admin_conninfo(shared()))
    assert lost == "1", lost


def test_an_undo_whose_job_lost_its_connection_ends_as_failed():
    made = vault("undolost", "undolost-a", "undolost-b", "undolost-c")
    made.add(*UNIQUE)
    spoil(made, in_order(made)[2])
    child, rollout = start_and_hold(made, "--waves", "2,100%", "--on-failure", "undo", point="rollout.undone")
    lose_job()
    status, out, err = go_on(child)
    assert status == harness.exit_statuses()["places_failed"], (status, out, err)
    assert "1 of 1 places failed in wave 2" in err and "are as they were" in err, err
    assert (made.newest()["state"], set(made.versions().values())) == ("undone", {1}), made.newest()
    shared().refused("job_state", "migrate", "pause", rollout, says=("is undone",))
    check(shared())


def test_a_connection_that_is_lost_after_a_resume_forgives_no_failure():
    """Of a wave that allows one failure, one place failed before the connection was lost and one did afterwards."""
    made = vault("forgives", *("forgives-%d" % n for n in range(5)))
    made.add(*UNIQUE)
    order = in_order(made)
    spoil(made, order[1], order[3])
    made.refused("up", "--waves", "1,100%", "--max-failures", "1", "--lock-timeout", "60s",
                 "--gate", "test -e %s/open" % made.folder, code="gate_shut")
    rollout = str(made.newest()["rollout"])
    with open(os.path.join(made.folder, "open"), "w", encoding="utf-8"):
        pass
    locker = harness.Session(made.superuser)
    with locker:
        locker.ask('BEGIN; LOCK TABLE "%s".boxes;' % made.schema(order[2]))
        child = shared().spawn("migrate", "resume", rollout, "--json")
        wait_until(lambda: set(made.quarantine()) == {order[1]}, "the first place does not fail")
        lose_job()
        locker.ask("ROLLBACK;")
        status, out, err = ended(child)
    assert status == harness.exit_statuses()["places_failed"], (status, out, err)
    assert "2 of 4 places failed in wave 2" in err, err
    check(shared())


# --- an undo that does not come to its end


def test_an_abort_of_an_undo_ends_the_rollout_and_says_how_many_places_stay_changed():
    made = vault("undoabort", *("undoabort-%d" % n for n in range(4)))
    made.add(*UNIQUE)
    spoil(made, in_order(made)[2])
    command = ("--waves", "2,3,100%", "--on-failure", "undo")
    path = os.path.join(shared().folder, "trace-abort")
    made.refused("up", *command, code="places_failed", env={"TENANTRY_FAULT_TRACE": path})
    made.server.psql("UPDATE tenantry.places SET quarantine = NULL")
    # At the end of the second wave, which fails; what follows is the undo.
    point = [n for n, name in enumerate(crash_state.trace(path)) if name == "rollout.wave.moved"][1] + 1
    child, rollout = start_and_hold(made, *command, point=str(point))
    shared().tenantry("migrate", "abort", rollout)
    status, out, err = go_on(child)
    assert status == 75 and "was aborted" in err and "done: 2" in err, (out, err)
    assert "1 of 1 places failed in wave 2; its undo was aborted, places that stay changed: 2" in err, err
    assert made.newest()["state"] == "aborted", made.newest()
    assert sorted(made.versions().values()) == [1, 1, 2, 2], made.versions()
    assert made.migrate("up")["done"] == 1, "the next rollout need not wait for one that was aborted"
    check(shared())


def test_an_undo_says_how_many_places_could_not_be_taken_back():
    made = vault("undostuck", *("undostuck-%d" % n for n in range(3)))
    made.add(UNIQUE[0], UNIQUE[1] + "DO $d$ BEGIN IF EXISTS (SELECT FROM boxes WHERE what = 'stuck') THEN"
             " RAISE EXCEPTION 'no way back'; END IF; END $d$;\n")
    order = in_order(made)
    made.sql(order[0], "INSERT INTO boxes (id, what) VALUES (1, 'stuck')")
    spoil(made, order[2])
    command = ("up", "--waves", "2,100%", "--on-failure", "undo")
    answer = made.refused(*command, code="places_failed", says=(
        "1 of 1 places failed in wave 2; places that could not be taken back: 1", "migrate down"))
    assert "as they were" not in json.dumps(answer), answer
    assert made.versions() == dict(zip(order, (2, 1, 1))), made.versions()
    assert set(made.quarantine()) == {order[0], order[2]}
    made.sql(order[0], "DELETE FROM boxes")
    made.sql(order[2], "DELETE FROM boxes")
    made.migrate("retry")
    assert made.migrate("down", "--to", "1")["done"] == 2
    check(shared())


# --- an abort needs nothing that may be missing


def test_an_abort_ends_a_rollout_whose_extension_cannot_be_made():
    made = vault("noground", "noground-a", extra="extensions: {wanted: [citext]}\n")
    made.add_column()
    made.server.psql("DROP EXTENSION citext; CREATE ROLE noground; ALTER SCHEMA tenantry_ext OWNER TO noground",
                     made.superuser)
    try:
        made.refused("up", code="isolation_violated", says=("cannot install its extensions",))
        end(made)
    finally:
        made.server.psql("ALTER SCHEMA tenantry_ext OWNER TO tenantry; DROP ROLE noground", made.superuser)
    assert made.migrate("up")["done"] == 1


def test_an_abort_ends_a_rollout_whose_blueprint_cannot_be_read():
    """Killed before it prepared anything, and before it moved anything."""
    harness.require_faults()
    made = vault("noplan", "noplan-a")
    made.add_column()
    for point in ("migrate.up.plan.after_commit", "migrate.up.waves.begin"):
        made.migrate("up", env={"TENANTRY_FAULT_AT": point}, expect=-signal.SIGKILL)
        crash_state.wait_until_quiet(shared())
        read = "UPDATE tenantry.blueprint_versions SET definition = %s WHERE blueprint = 'noplan'"
        made.server.psql(read % "json_build_object('whole', definition)", made.superuser)
        try:
            result = shared().tenantry("migrate", "resume", str(made.newest()["rollout"]), expect=None)
            assert result.status != 0, result.text()
            end(made)
        finally:
            made.server.psql(read % "definition->'whole'", made.superuser)
    assert made.versions() == {"noplan-a": 1}


if __name__ == "__main__":
    harness.main()
