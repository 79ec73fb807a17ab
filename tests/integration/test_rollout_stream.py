#!/usr/bin/env python3
"""Places that are read in pages and sent ahead: the next one is with the server while it is still at the one before.

TENANTRY_FAULT_PAGE makes pages small, TENANTRY_FAULT_AHEAD sends ahead however slow the machine is."""
import functools
import json
import os
import re
import signal

import cut_proxy
import harness
from rollout_kit import Vault, check, ended, in_order, start_and_hold, wait_until

shared = harness.shared_server

PAGE = 4
EDGES = (PAGE - 1, PAGE, 2 * PAGE - 1, 2 * PAGE, 3 * PAGE - 1, 3 * PAGE)  # the places on either side of them
SMALL = {"TENANTRY_FAULT_PAGE": str(PAGE), "TENANTRY_FAULT_AHEAD": "1"}


@functools.lru_cache(maxsize=None)
def fleet():
    """Of one blueprint, for all tests: each leaves it at the newest version."""
    harness.require_faults()
    made = Vault(shared(), "fleet")
    made.create(*("fleet-%02d" % n for n in range(4 * PAGE + 3)))
    return made


def add_refused_by(made, *bad):
    """A version that rows of these tenants refuse."""
    number = made.version + 1
    made.add("ALTER TABLE boxes ADD COLUMN extra_%d text CHECK (what <> 'bad %d');\n" % (number, number),
             "ALTER TABLE boxes DROP COLUMN extra_%d;\n" % number)
    for slug in bad:
        made.sql(slug, "INSERT INTO boxes VALUES (1, 'bad %d')" % number)


def states(made, rollout):
    """{state: places} of a rollout, and how often one was tried at most."""
    found = made.server.psql("SELECT state, count(*), max(attempts) FROM tenantry.rollout_places WHERE job_id = %s"
                             " GROUP BY state" % rollout)
    rows = [line.split("|") for line in found.split()]
    return {row[0]: int(row[1]) for row in rows}, max(int(row[2]) for row in rows)


def mend(made, bad):
    for slug in bad:
        made.sql(slug, "DELETE FROM boxes")
    if bad:
        assert made.migrate("retry", env=SMALL)["done"] == len(bad)
    assert set(made.versions().values()) == {made.version}, made.versions()
    made.check_columns()


def test_places_on_either_side_of_a_page_s_edge_are_moved_once():
    """Some fail; some were suspended or purged after their page was read."""
    for workers in ("1", "2"):
        made = fleet()
        order = in_order(made)
        bad, suspended, purged = ([order[n] for n in EDGES[i:i + 2]] for i in (0, 2, 4))
        add_refused_by(made, *bad)
        child, rollout = start_and_hold(made, "--waves", "100%", "--parallel", workers, "--max-failures", "2", env=SMALL)
        for slug in suspended:
            shared().tenantry("tenant", "suspend", slug)
        for slug in purged:
            shared().tenantry("tenant", "archive", slug)
            shared().tenantry("tenant", "purge", slug, "--yes")
        os.kill(child.pid, signal.SIGCONT)
        status, out, err = ended(child)
        assert status == 0, err
        answer = json.loads(out)
        assert (answer["places"], answer["done"], answer["failed"]) == (len(order), len(order) - 4, 2), answer
        found, attempts = states(made, rollout)
        assert found == {"done": len(order) - 4, "failed": 2, "gone": 2} and attempts == 1, (found, attempts)
        assert set(made.quarantine()) == set(bad)
        mend(made, bad)
        for slug in suspended:
            shared().tenantry("tenant", "resume", slug)
    check(shared())


def has_looked_since(made, moment):
    """Whether the rollout has asked since then what is wanted of it; it writes its progress behind that."""
    return made.server.psql("SELECT count(*) FROM pg_stat_activity WHERE state = 'idle' AND query_start > '%s' AND query ~"
                            " 'FROM tenantry.rollouts WHERE|SET progress_done'" % moment, made.superuser) == "1"


def test_a_pause_in_the_middle_of_a_page_leaves_the_rest_and_a_resume_moves_it():
    for workers in ("1", "2"):
        made = fleet()
        made.add_column()
        order = in_order(made)
        with harness.Session(made.superuser) as locker:
            held = [made.schema(slug) for slug in order[PAGE:2 * PAGE]]  # more than one worker can have under way
            locker.ask("BEGIN;" + "".join('LOCK TABLE "%s".boxes;' % schema for schema in held))
            child = shared().spawn("migrate", "up", made.name, "--waves", "100%", "--parallel", workers,
                                   "--lock-timeout", "60s", "--json", env=SMALL)
            wait_until(lambda: made.server.psql("SELECT count(*) FROM pg_locks WHERE NOT granted", made.superuser)
                       == workers, "nobody waits for the locks")
            rollout = str(made.newest()["rollout"])
            shared().tenantry("migrate", "pause", rollout)
            moment = made.server.psql("SELECT clock_timestamp()")
            wait_until(lambda: has_looked_since(made, moment), "nobody reads the wish")
            locker.ask("ROLLBACK;")
            status, _, err = ended(child)
        assert status == harness.exit_statuses()["rollout_stopped"] and "paused" in err, err
        found, attempts = states(made, rollout)
        assert set(found) == {"done", "pending"} and sum(found.values()) == len(order) and attempts == 1, (found, attempts)
        assert found["done"] >= PAGE, found
        made.check_columns()
        assert shared().tenantry("migrate", "resume", rollout, env=SMALL)["done"] == len(order)
        assert states(made, rollout) == ({"done": len(order)}, 1)
        mend(made, ())
    check(shared())


def test_a_rollout_that_stops_at_a_page_s_edge_goes_on_behind_it():
    for number, workers in ((PAGE - 1, "1"), (PAGE, "2")):
        made = fleet()
        order = in_order(made)
        bad = order[number]
        add_refused_by(made, bad)
        made.refused("up", "--waves", "100%", "--parallel", workers, code="places_failed", env=SMALL,
                     says=("1 of %d places failed" % len(order),))
        rollout = str(made.newest()["rollout"])
        found, _ = states(made, rollout)
        assert found["failed"] == 1 and found["pending"] > 0, found
        made.check_columns()
        answer = shared().tenantry("migrate", "resume", rollout, env=SMALL)
        assert (answer["done"], answer["failed"]) == (len(order) - 1, 1), answer
        assert states(made, rollout) == ({"done": len(order) - 1, "failed": 1}, 1)
        mend(made, (bad,))
    check(shared())


# --- connections that are cut


def conninfo_part(conninfo, name):
    return re.search(name + r"='?([^' ]*)", conninfo).group(1)


def migrate_through(made, cut, *args):
    """A rollout whose connections go through a proxy; what it answered, and the rollout."""
    target = conninfo_part(made.server.conninfo, "host")
    with cut_proxy.proxy(target, cut) as folder:
        url = made.server.conninfo.replace(target, folder)
        result = made.migrate("up", "--waves", "100%", *args, expect=None,
                              env={**SMALL, "TENANTRY_DATABASE_URL": url})
    assert cut.is_over, "nothing was cut"
    return result, str(made.newest()["rollout"])


def test_a_connection_that_is_lost_in_a_commit_loses_no_place_and_moves_none_twice():
    """Whether the server saw the COMMIT or not, and with the next place behind it or not: its row says it."""
    made = fleet()
    for how, ahead, most in (("before", 0, 2), ("open", 0, 2), ("applied", 0, 1), ("answered", 0, 1), ("answered", 1, 1)):
        for workers in ("1", "2"):
            made.add_column()
            result, rollout = migrate_through(made, cut_proxy.Cut(3, how, ahead), "--parallel", workers)
            assert result.status == 0, (how, ahead, result.text())
            found = states(made, rollout)
            assert found[0] == {"done": len(made.versions())} and found[1] <= most, (how, ahead, found)
            mend(made, ())
    check(shared())


def test_a_place_behind_a_lost_connection_is_not_blamed_for_it():
    made = fleet()
    for how in ("before", "open"):
        made.add_column()
        bad = in_order(made)[2]
        result, rollout = migrate_through(made, cut_proxy.Cut(3, how), "--retries", "0", "--max-failures", "1")
        assert result.status == 0, result.text()
        assert states(made, rollout) == ({"done": len(made.versions()) - 1, "failed": 1}, 1), states(made, rollout)
        row = made.quarantine()[bad]
        assert "the connection to PostgreSQL failed" in row["error"], row
        mend(made, (bad,))
    check(shared())


if __name__ == "__main__":
    harness.main()
