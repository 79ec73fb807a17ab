#!/usr/bin/env python3
"""Which tenants a rollout is for (--where), and what is asked between its waves."""
import ctypes
import os
import signal
import struct
import threading

import harness
from rollout_kit import Vault, ended, wait_until

shared = harness.shared_server


def vault(name, *slugs, **options):
    made = Vault(shared(), name, **options)
    made.create(*slugs)
    return made


# --- where


def test_where_chooses_tenants_by_what_the_registry_knows():
    made = vault("choice", "choice-a", "choice-b", "choice-c")
    made.add_column()
    shared().tenantry("tenant", "suspend", "choice-b")
    suspended = "state = 'suspended' AND created_at > now() - interval '1 day' AND 'all' = ANY (features)"
    assert made.migrate("up", "--where", suspended, "--dry-run")["places"] == 1
    plan = made.migrate("plan", "--where", suspended)
    assert (plan["places"], plan["groups"][0]["places"]) == (1, 1), plan
    assert made.migrate("up", "--where", suspended)["done"] == 1
    assert made.versions() == {"choice-a": 1, "choice-b": 2, "choice-c": 1}
    assert made.migrate("up", "--where", "slug LIKE 'choice-%' AND slug <> 'choice-a' AND version < 2")["done"] == 1
    assert made.versions() == {"choice-a": 1, "choice-b": 2, "choice-c": 2}
    for where, places in (("false", 0), ("NULL", 0), ("NOT quarantined = false", 0), ("features IS NOT NULL", 1),
                          ("version IN (1, NULL) AND created_at BETWEEN date '2020-01-01' AND now()", 1),
                          ("name NOT ILIKE slug OR interval '1 d' >= '24 hours'::interval", 1),
                          ("features IS DISTINCT FROM NULL AND state_at + '1 day' > CURRENT_TIMESTAMP", 1)):
        assert made.migrate("up", "--dry-run", "--where", where)["places"] == places, where
    assert made.migrate("up", "--where", "false")["places"] == 0
    assert made.migrate("down", "--to", "1", "--where", "slug IN ('choice-c')")["done"] == 1
    assert made.versions() == {"choice-a": 1, "choice-b": 2, "choice-c": 1}
    detail = made.server.psql("SELECT detail->>'where' FROM tenantry_audit.entries WHERE action = 'migrate.down'"
                              " ORDER BY seq DESC LIMIT 1", made.superuser)
    assert detail == "slug IN ('choice-c')", detail


def test_where_refuses_what_is_not_an_expression_over_its_columns():
    made = vault("refusal", "refusal-a")
    made.add_column()
    jobs = shared().tenantry("job", "list")["jobs"]
    for where, says in (
            ("color = 'red'", ('no column "color", character 1', "columns: created_at")),
            ("slug = (SELECT 'a')", ("a subquery is not allowed here, character 8",)),
            ("pg_sleep(1) IS NULL", ("function pg_sleep",)),
            ("true; DROP SCHEMA tenantry CASCADE", ("one expression and nothing behind it",)),
            ("created_at < now() - interval 'soon'", ("--where", "soon"))):
        made.refused("up", "--where", where, code="input_invalid", says=says)
        made.refused("up", "--dry-run", "--where", where, code="input_invalid", says=says)
    made.refused("up", "--where", "true", "--tenant", "refusal-a", code="input_invalid", says=("together",))
    assert shared().tenantry("job", "list")["jobs"] == jobs
    rows = vault("refusalrows", tier="row")
    rows.refused("up", "--where", "true", code="input_invalid", says=("moved together",))


# --- gates


def gated(name):
    """Three places and a newer version; each rollout of two waves is asked once."""
    made = vault(name, *(name + end for end in ("-a", "-b", "-c")))
    made.add_column()
    return made


def shut(made, *options, says):
    """The rollout stops at its gate, and again when it is resumed; its number."""
    made.refused("up", "--waves", "1,100%", *options, code="gate_shut", says=("after wave 1 is shut", *says))
    row = made.newest()
    assert (row["state"], row["done"], row["pending"]) == ("stopped", 1, 2), row
    return str(row["rollout"])


def resume(number):
    assert shared().tenantry("migrate", "resume", number)["done"] == 3


def gate_that_sleeps(made):
    """A rollout whose gate has begun and does not end: (child, rollout, the gate's process)."""
    begun = os.path.join(made.server.folder, made.name + ".gate")
    child = made.server.spawn("migrate", "up", made.name, "--waves", "1,100%", "--json", "--gate",
                              "echo $$ > '%s.new' && mv '%s.new' '%s' && exec sleep 1000" % (begun, begun, begun))
    wait_until(lambda: os.path.exists(begun) or child.poll() is not None, "the gate does not begin")
    with open(begun, encoding="ascii") as f:
        pid = int(f.read())
    os.remove(begun)
    return child, str(made.newest()["rollout"]), pid


def check_gone(pid):
    wait_until(lambda: not os.path.exists("/proc/%d" % pid), "the gate's command lives on")


def test_who_interrupts_or_pauses_does_not_wait_for_the_command_of_a_gate():
    made = gated("sleeps")
    stops = (lambda child, rollout: os.kill(child.pid, signal.SIGINT),
             lambda child, rollout: shared().tenantry("migrate", "pause", rollout))
    for stop in stops:
        child, rollout, gate = gate_that_sleeps(made)
        stop(child, rollout)
        status, _, err = ended(child)
        assert status == harness.exit_statuses()["rollout_stopped"] and "migrate resume " + rollout in err, err
        row = made.newest()
        assert (row["state"], row["done"], row["pending"]) == ("paused", 1, 2), row
        check_gone(gate)
        shared().tenantry("migrate", "abort", rollout)
        made.migrate("down", "--to", "1", "--waves", "100%")
    child, rollout, gate = gate_that_sleeps(made)
    shared().tenantry("migrate", "abort", rollout)
    status, out, err = ended(child)
    assert status == 75 and "was aborted" in err, (out, err)
    check_gone(gate)


def test_a_place_that_drifted_shuts_the_gate_until_it_is_mended():
    made = gated("drifted")
    for slug in made.versions():
        made.sql(slug, "CREATE INDEX stray ON boxes (what)")
    number = shut(made, "--gate-drift", "5", says=(
        'the gate "drift"', "1 of 1 places that were looked at differ", 'index "stray" of tenant "drifted-',
        "is not expected", "migrate verify", "migrate resume"))
    shared().refused("gate_shut", "migrate", "resume", number, says=("stray",))
    for slug in made.versions():
        made.sql(slug, "DROP INDEX stray")
    resume(number)
    for slug in made.versions():
        made.sql(slug, "CREATE INDEX stray ON boxes (what)")
    assert made.migrate("down", "--to", "1", "--waves", "1,100%", "--gate-drift", "0")["done"] == 3


def test_a_session_that_waits_for_a_lock_shuts_the_gate():
    made = gated("waiting")
    other = vault("held", "held-a")
    table = '"%s".boxes' % other.schema("held-a")
    waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND waitstart < clock_timestamp() - interval '1 ms'"
    with harness.Session(made.superuser) as holder, harness.Session(made.superuser) as waiter:
        holder.ask("BEGIN; LOCK TABLE %s;" % table)
        thread = threading.Thread(target=waiter.ask, args=("SELECT count(*) FROM %s;" % table,))
        thread.start()
        try:
            wait_until(lambda: shared().psql(waits, made.superuser) == "1", "the session does not wait")
            number = shut(made, "--gate-lock-wait", "1ms", says=(
                'the gate "lock-wait"', "1 of the database's sessions", "longer than 1ms", 'role "postgres"',
                "pg_blocking_pids"))
        finally:
            holder.ask("ROLLBACK;")
            thread.join()
    resume(number)


def test_a_slot_that_keeps_too_much_wal_shuts_the_gate():
    made = gated("slotted")
    made.server.psql("SELECT pg_create_physical_replication_slot('forgotten', true)", made.superuser)
    for _ in range(2):
        made.server.psql("SELECT pg_logical_emit_message(false, 'test', 'x'); SELECT pg_switch_wal()", made.superuser)
    number = shut(made, "--gate-wal", "8", says=(
        'the gate "wal"', 'slot "forgotten", which nobody reads from, keeps', "the limit is 8 MiB", "drop it"))
    made.server.psql("SELECT pg_drop_replication_slot('forgotten')", made.superuser)
    resume(number)


class Standby:
    """A standby that gets everything and, once it is frozen, replays nothing more. It speaks just enough of the
    protocol of streaming replication: START_REPLICATION, then a status update (r) every 20 ms."""

    CONNECTED = 0
    HEADER = 25  # bytes of a message of WAL (w) before the WAL

    def __init__(self, conninfo):
        self._pq = ctypes.CDLL("libpq.so.5")
        for name in ("PQconnectdb", "PQexec", "PQgetvalue"):
            getattr(self._pq, name).restype = ctypes.c_void_p
        options = conninfo + " replication=true application_name=slow"
        self._conn = ctypes.c_void_p(self._pq.PQconnectdb(options.encode()))
        assert self._pq.PQstatus(self._conn) == self.CONNECTED, options
        system = ctypes.c_void_p(self._exec("IDENTIFY_SYSTEM"))
        start = ctypes.string_at(self._pq.PQgetvalue(system, 0, 2)).decode()
        self._pq.PQclear(system)
        self._pq.PQclear(ctypes.c_void_p(self._exec("START_REPLICATION PHYSICAL " + start)))
        high, low = start.split("/")
        self._got = self._replayed = int(high, 16) << 32 | int(low, 16)
        self._is_frozen = False
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _exec(self, command):
        return self._pq.PQexec(self._conn, command.encode())

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self._is_over.set()
        self._thread.join()
        self._pq.PQfinish(self._conn)

    def freeze(self):
        self._is_frozen = True

    def _run(self):
        buffer = ctypes.c_void_p()
        while not self._is_over.wait(0.02):
            self._pq.PQconsumeInput(self._conn)
            while (size := self._pq.PQgetCopyData(self._conn, ctypes.byref(buffer), 1)) > 0:
                message = ctypes.string_at(buffer, size)
                if message[:1] == b"w":
                    self._got = struct.unpack(">Q", message[1:9])[0] + size - self.HEADER
                self._pq.PQfreemem(buffer)
            if not self._is_frozen:
                self._replayed = self._got
            reply = b"r" + struct.pack(">QQQqB", self._got, self._got, self._replayed, 0, 0)
            self._pq.PQputCopyData(self._conn, reply, len(reply))
            self._pq.PQflush(self._conn)


def test_a_standby_that_is_behind_shuts_the_gate():
    made = gated("lagging")

    def ask(sql):
        return made.server.psql(sql, made.superuser)

    write = "SELECT pg_logical_emit_message(true, 'test', 'x');"
    with Standby(made.superuser) as standby:
        wait_until(lambda: ask(write + "SELECT count(*) FROM pg_stat_replication WHERE replay_lag IS NOT NULL")[-1] == "1",
                   "no lag is measured")
        standby.freeze()
        wait_until(lambda: ask(write + "SELECT count(*) FROM pg_stat_replication WHERE replay_lag > interval '0.1 s'")[-1]
                   == "1", "the standby does not fall behind")
        number = shut(made, "--gate-lag", "50ms", says=(
            'the gate "lag"', 'standby "slow" is', "behind, the limit is 50ms", "pg_stat_replication"))
        ask("REVOKE pg_read_all_stats FROM tenantry")
        try:
            done = shared().tenantry("migrate", "resume", number, json=False)
        finally:
            ask("GRANT pg_read_all_stats TO tenantry")
        assert 'cannot see how far the standbys (1) are behind: GRANT pg_read_all_stats TO "tenantry"' in \
            done.err, done.text()
    assert set(made.versions().values()) == {2}


if __name__ == "__main__":
    harness.main()
