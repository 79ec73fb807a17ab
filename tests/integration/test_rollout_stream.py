#!/usr/bin/env python3
"""Places that are read in pages and sent ahead: the next one is with the server while it is still at the one before.

TENANTRY_FAULT_PAGE makes pages small, TENANTRY_FAULT_AHEAD sends ahead however slow the machine is."""
import contextlib
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
    made.create(*("fleet-%02d" % n for n in range(5 * PAGE + 2)))
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
            child, rollout = start_and_hold(made, "--waves", "100%", "--parallel", workers, "--lock-timeout", "60s",
                                            point="rollout.place.committed", env=SMALL)
            shared().tenantry("migrate", "pause", rollout)
            moment = made.server.psql("SELECT clock_timestamp()")
            os.kill(child.pid, signal.SIGCONT)
            # It may be through with what it had under way before it comes to a place that is locked.
            wait_until(lambda: child.poll() is not None or has_looked_since(made, moment), "nobody reads the wish")
            locker.ask("ROLLBACK;")
            status, _, err = ended(child)
        assert status == harness.exit_statuses()["rollout_stopped"] and "paused" in err, err
        found, attempts = states(made, rollout)
        assert set(found) == {"done", "pending"} and sum(found.values()) == len(order) and attempts == 1, (found, attempts)
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
    for how, ahead, workers, most in (("before", 0, "1", 2), ("open", 0, "2", 2), ("applied", 0, "1", 1),
                                      ("answered", 0, "2", 1), ("answered", 1, "1", 1)):
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


# --- what the first of two leaves in the session of the second


# What a place does whose row has this text. Words are put together where the lint would refuse them.
LEAVES = {
    "advisory": "PERFORM pg_advisory_lock(4711);",
    "commit": "COMMIT;",
    "listen": "EXECUTE 'LIS' || 'TEN news';",
    "path": "PERFORM set_config('search_' || 'path', 'pg_catalog', false);",
    "prepared": "FOR p IN SELECT name, parameter_types FROM pg_prepared_statements WHERE name ~ '^tenantry_' LOOP"
                " EXECUTE format('DEALLOCATE %I', p.name);"
                " EXECUTE format('PREPARE %I%s AS SELECT 1 / 0', p.name,"
                "  nullif('(' || array_to_string(p.parameter_types, ', ') || ')', '()')); END LOOP;",
    "role": "BEGIN EXECUTE 'SET ' || 'ROLE NONE'; EXCEPTION WHEN OTHERS THEN NULL; END;",
    "settings": "PERFORM set_config(n, '1', false) FROM unnest(ARRAY['lock_timeout', 'statement_timeout']) n;"
                " PERFORM set_config('default_transaction_read_only', 'on', false);",
    "temporary": "EXECUTE 'CREATE TEMP TABLE boxes (what text)';",
}
HARMFUL = ("commit", "path", "prepared", "temporary")  # it is refused, or the script is led astray itself
LEAVING = ("DO $$ DECLARE p record; kind text := (SELECT what FROM boxes); BEGIN CASE kind %s ELSE NULL; END CASE;"
           " IF FAILS AND kind IS NOT NULL THEN RAISE 'failed on purpose'; END IF; END $$;\n"
           % " ".join("WHEN '%s' THEN %s" % item for item in LEAVES.items()))
SEEING = """CREATE TABLE seen_%(n)d AS SELECT current_schema() = relnamespace::regnamespace::text AS is_here,
 pg_get_userbyid(relowner) = current_user AS is_owner, current_setting('lock_timeout') AS lock_timeout,
 current_setting('statement_timeout') AS statement_timeout, current_setting('default_transaction_read_only') AS is_read_only,
 (SELECT count(*) FROM pg_listening_channels()) AS channels,
 (SELECT count(*) FROM pg_prepared_statements WHERE from_sql) AS prepared,
 (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()) AS locks
 FROM pg_class WHERE oid = 'boxes'::regclass;
ALTER TABLE boxes ADD COLUMN extra_%(n)d text;
"""


def test_what_a_place_leaves_in_the_session_does_not_reach_the_one_behind_it():
    """That one was sent before anybody knew whether the first had failed."""
    made = fleet()
    for fails in ("false", "true"):
        order = in_order(made)
        leavers = dict(zip(order[::2], LEAVES))
        for slug, name in leavers.items():
            made.sql(slug, "INSERT INTO boxes VALUES (1, '%s')" % name)
        number = made.add(LEAVING.replace("FAILS", fails) + SEEING % {"n": made.version + 1}, "SELECT 1;\n")
        bad = {slug for slug, name in leavers.items() if fails == "true" or name in HARMFUL}
        answer = made.migrate("up", "--waves", "100%", "--max-failures", str(len(LEAVES)), env=SMALL)
        assert (answer["done"], set(made.quarantine())) == (len(order) - len(bad), bad), (answer, made.quarantine())
        for slug in order[1:2 * len(LEAVES):2]:
            seen = made.sql(slug, "SELECT * FROM seen_%d" % number)
            assert seen == "t|t|2s|1h|off|0|0|0", (slug, order, leavers, seen)
        attempts = made.server.psql("SELECT max(attempts) FROM tenantry.rollout_places WHERE state = 'done' AND job_id = %d"
                                    % answer["rollout"])
        assert attempts == "1", attempts
        for slug in leavers:
            made.sql(slug, "DELETE FROM boxes")
        mend(made, bad)
    check(shared())


# --- a place that fails, before or behind one that does not


def test_a_locked_place_fails_alone_whether_it_was_sent_first_or_second():
    made = fleet()
    for position in (0, 1):
        made.add_column()
        bad = in_order(made)[position]
        with harness.Session(made.superuser) as locker:
            locker.ask('BEGIN; LOCK TABLE "%s".boxes;' % made.schema(bad))
            answer = made.migrate("up", "--waves", "100%", "--max-failures", "1", "--lock-timeout", "100ms", "--retries", "1",
                                  env=SMALL)
        tried = made.server.psql("SELECT state, attempts, count(*) FROM tenantry.rollout_places WHERE job_id = %d GROUP BY 1, 2"
                                 " ORDER BY 1" % answer["rollout"]).split()
        assert tried == ["done|1|%d" % (len(made.versions()) - 1), "failed|2|1"], (position, tried)
        assert made.quarantine()[bad]["sqlstate"] == "55P03", made.quarantine()
        mend(made, (bad,))


def test_an_owner_that_lost_its_right_fails_alone_whether_it_was_sent_first_or_second():
    made = fleet()
    for position in (0, 1):
        made.add("CREATE TABLE more_%d (id bigint PRIMARY KEY);\nALTER TABLE boxes ADD COLUMN extra_%d text;\n"
                 % (made.version, made.version + 1))
        bad = in_order(made)[position]
        schema = made.schema(bad)
        owner = made.server.psql("SELECT owner_role FROM tenantry.places WHERE schema_name = '%s'" % schema)
        made.sql(bad, 'ALTER SCHEMA "%s" OWNER TO postgres' % schema)
        answer = made.migrate("up", "--waves", "100%", "--max-failures", "1", env=SMALL)
        assert answer["failed"] == 1 and made.quarantine()[bad]["sqlstate"] == "42501", (answer, made.quarantine())
        assert states(made, answer["rollout"])[1] == 1
        made.sql(bad, 'ALTER SCHEMA "%s" OWNER TO "%s"' % (schema, owner))
        mend(made, (bad,))
    check(shared())


# --- a full disk


@contextlib.contextmanager
def small_disk(folder, size, options):
    os.makedirs(folder, exist_ok=True)
    if harness.run(["mount", "-t", "tmpfs", "-o", "size=%s,%s" % (size, options), "tmpfs", folder], expect=None).status != 0:
        harness.skip("a file system of its own needs root")
    try:
        yield
    finally:
        harness.run(["umount", "--lazy", folder], expect=None)


def make_larger(folder, size):
    harness.run(["mount", "-o", "remount,size=" + size, folder])


def add_filler(made, rows):
    made.add("CREATE TABLE filler_%d AS SELECT n, repeat(md5(n::text), 32) AS what FROM generate_series(1, %d) n;\n"
             "ALTER TABLE boxes ADD COLUMN extra_%d text;\n" % (made.version, rows, made.version + 1), "SELECT 1;\n")


def check_stopped_by_disk(made):
    """Some places are moved and whole, the others as they were, and none is to blame."""
    row = made.newest()
    found = states(made, row["rollout"])
    assert set(found[0]) == {"done", "pending"} and found[1] == 1 and not made.quarantine(), found
    made.check_columns()
    return str(row["rollout"])


def test_a_full_tablespace_stops_the_rollout_and_blames_no_place():
    made = fleet()
    folder = shared().folder + "/small"
    uid = os.stat(os.path.join(shared().data_dir, "pg")).st_uid
    with small_disk(folder, "700k", "mode=0700,uid=%d" % uid):
        add_filler(made, 100)
        shared().psql("CREATE TABLESPACE small LOCATION '%s'; GRANT CREATE ON TABLESPACE small TO PUBLIC" % folder, made.superuser)
        database = shared().psql("SELECT current_database()")
        shared().psql("ALTER DATABASE %s SET default_tablespace = small" % database, made.superuser)
        made.refused("up", "--waves", "100%", code="disk_full", says=("V%04d__step.sql:1: could not " % made.version, "resume"),
                     env=SMALL)
        rollout = check_stopped_by_disk(made)
        make_larger(folder, "20m")
        assert shared().tenantry("migrate", "resume", rollout)["done"] == len(made.versions())
        mend(made, ())
        shared().psql("ALTER DATABASE %s RESET default_tablespace" % database, made.superuser)
        made.add("DROP TABLE filler_%d;\nALTER TABLE boxes ADD COLUMN extra_%d text;\n" % (made.version - 1, made.version + 1))
        made.migrate("up")
        shared().psql("DROP TABLESPACE small", made.superuser)
    check(shared())


def test_a_server_that_stopped_for_a_full_disk_goes_on_with_the_rollout_later():
    with harness.Server() as server, small_disk(server.data_dir, "400m", "mode=0755"):
        harness.copy_new_server(server.data_dir + "/new")
        harness.run(["sh", "-c", "mv new/* . && rmdir new"], cwd=server.data_dir)
        server.up()
        try:
            made = Vault(server, "full")
            made.create(*("full-%d" % n for n in range(6)))
            add_filler(made, 10000)  # more than is left, and what is left is less than a file of the write-ahead log
            ballast = server.data_dir + "/ballast"
            free = os.statvfs(server.data_dir)
            with open(ballast, "wb") as f:
                os.posix_fallocate(f.fileno(), 0, free.f_bavail * free.f_frsize - (40 << 20))
            result = made.migrate("up", "--waves", "100%", expect=None, env=SMALL)
            # A table or the log of the server, whichever grows first; without its log the server stops.
            assert result.error()["error"]["code"] in ("disk_full", "pg_unavailable", "server_down"), result.text()
            os.remove(ballast)
            make_larger(server.data_dir, "900m")
            server.up()
            rollout = check_stopped_by_disk(made)
            assert server.tenantry("migrate", "resume", rollout)["done"] == 6
            made.check_columns()
            check(server)
        finally:
            server.tenantry("down", json=False, expect=None)


if __name__ == "__main__":
    harness.main()
