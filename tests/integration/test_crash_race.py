#!/usr/bin/env python3
"""Killed at random moments, cut off from the server, and many at once.

What is random comes from fixed seeds, which the names of the rounds show; TEST_CRASH_ROUNDS is how many rounds of
each kind are run."""
import contextlib
import os
import random
import signal
import threading
import time

import crash_state
import harness
from crash_state import check_whole, interrupted, tenants

ROUNDS = int(os.environ.get("TEST_CRASH_ROUNDS", "4"))
MANY = int(os.environ.get("TEST_CRASH_MANY", "50"))
WORKERS = 3
COMMANDS = 8
TIMEOUT_S = 60
POLL_S = 0.01

CREATE_POINTS = [
    "tenant.create.%s.%s" % (step, when)
    for step in ("reserve", "ground", "provision") for when in ("begin", "before_commit", "after_commit")
] + ["tenant.provision.sent", "tenant.provision.made"]


def wait_for(condition, what):
    end = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < end, "waited in vain for %s" % what
        time.sleep(POLL_S)


def create_args(slug, blueprint="saas"):
    return "tenant", "create", slug, "--blueprint", blueprint


def finish(child, expect=None):
    """Waits for a spawned program: its status, its answer or its error's code."""
    out, err = child.communicate(timeout=harness.COMMAND_TIMEOUT_S)
    assert expect is None or child.returncode == expect, (child.args, child.returncode, out, err)
    return child.returncode, "" if child.returncode <= 0 else crash_state.error_code(err)


# A create in a shared place is one transaction, and becomes one per step when that fails.
STEPWISE = {"TENANTRY_FAULT_STEPWISE": "1"}


def spawn_stopped(server, args, point, env=None):
    """Starts the program and waits until it has stopped at the fault point."""
    child = server.spawn(*args, "--json", env={"TENANTRY_FAULT_AT": point, "TENANTRY_FAULT_STOP": "1", **(env or {})})
    pid, status = os.waitpid(child.pid, os.WUNTRACED)
    assert pid == child.pid and os.WIFSTOPPED(status), (point, status)
    return child


def go_on(child):
    os.kill(child.pid, signal.SIGCONT)


def admin(server, sql):
    return server.psql(sql, crash_state.admin_conninfo(server))


# --- random moments


class Worker(threading.Thread):
    """Makes tenants and takes them through their lives, one command after the other, until told to stop."""

    def __init__(self, server, seed, number):
        super().__init__()
        self.server, self.random, self.prefix = server, random.Random(seed * 100 + number), "w%d-%d" % (seed, number)
        self.is_over = threading.Event()
        self.child = None
        self.states = {}  # what each slug must be; None: a command on it failed, so it may be either
        self.errors = []

    def choose(self):
        known = [slug for slug, state in self.states.items() if state not in (None, "purged")]
        if len(known) < 2 or self.random.random() < 0.4:
            slug = "%s-%d" % (self.prefix, len(self.states))
            return slug, create_args(slug, self.random.choice(("saas", "trading"))), "active"
        slug = self.random.choice(known)
        verbs = {"active": (("suspend", "suspended"), ("archive", "archived")),
                 "suspended": (("resume", "active"), ("archive", "archived")),
                 "archived": (("purge", "purged"),)}
        verb, state = self.random.choice(verbs[self.states[slug]])
        return slug, ("tenant", verb, slug, *(["--yes"] if verb == "purge" else [])), state

    def run(self):
        for _ in range(COMMANDS):
            if self.is_over.is_set():
                return
            slug, args, state = self.choose()
            self.child = self.server.spawn(*args, "--json")
            out, err = self.child.communicate()
            self.states[slug] = state if self.child.returncode == 0 else None
            if self.child.returncode > 0:
                self.errors.append((args, out + err))


def children_of(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid), encoding="ascii") as f:
        return [int(child) for child in f.read().split()]


def kill_all(pids):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def kill_postmaster(server, workers):
    kill_all([server.server_pid()])


def kill_backends(server, workers):
    """All of the server's processes but its first, which starts them again."""
    kill_all(children_of(server.server_pid()))


def kill_programs(server, workers):
    for worker in workers:
        if worker.child is not None and worker.child.poll() is None:
            worker.child.kill()


def accepts(server):
    return harness.psql(crash_state.admin_conninfo(server), "SELECT 1", expect=None).status == 0


def check_states(server, workers):
    """What the program said it had done is done."""
    found = {}
    for state in ("active", "suspended", "archived", "purged"):
        found.update({slug: state for slug in tenants(server, state)})
    for worker in workers:
        for slug, state in worker.states.items():
            assert state is None or found.get(slug) == state, (slug, state, found.get(slug))
        for args, text in worker.errors:
            assert crash_state.error_code(text) in ("pg_unavailable", "server_down", "job_busy"), (args, text)


def random_rounds(kill, first_seed):
    """Each round kills once while the workers work, starts the server again and resumes what was interrupted."""
    with crash_state.platform() as server:
        for seed in range(first_seed, first_seed + ROUNDS):
            workers = [Worker(server, seed, number) for number in range(WORKERS)]
            for worker in workers:
                worker.start()
            time.sleep(random.Random(seed).uniform(0.05, 0.7))
            kill(server, workers)
            for worker in workers:
                worker.is_over.set()
            for worker in workers:
                worker.join()
            wait_for(lambda: server.tenantry("up", expect=None).status == 0, "the server, seed %d" % seed)
            server.up()
            crash_state.wait_until_quiet(server)
            resumed = server.tenantry("job", "resume", expect=None)
            assert resumed.status == 0, (seed, resumed.text())
            assert all(j["outcome"] == "done" for j in resumed.json()["jobs"]), (seed, resumed.text())
            check_whole(server, logins={"near", "far"})
            check_states(server, workers)
        check_whole(server)


def test_the_server_is_killed_at_random_moments():
    random_rounds(kill_postmaster, 100)


def test_the_servers_processes_are_killed_at_random_moments():
    random_rounds(kill_backends, 200)


def test_the_program_is_killed_at_random_moments():
    random_rounds(kill_programs, 300)


# --- cut off


def end_session(server):
    admin(server, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tenantry'")


def has_restarted(server, old):
    """Whether the first process has noticed the crash: it starts a new checkpointer when recovery is over or under way.
    Without this, a connection from before it noticed would pass for one from after."""
    for pid in set(children_of(server.server_pid())) - set(old):
        try:
            with open("/proc/%d/cmdline" % pid, "rb") as f:
                if b"checkpointer" in f.read():
                    return True
        except OSError:
            pass
    return False


def crash_server(server):
    old = children_of(server.server_pid())
    kill_backends(server, [])
    wait_for(lambda: has_restarted(server, old) and accepts(server), "the server after its crash")


def cut_off(cut, last, env=None):
    """A create loses its session at each fault point, and makes the tenant all the same. After the last COMMIT there is
    nothing to retry but reading what was made."""
    harness.require_faults()
    with crash_state.platform() as server:
        for number, point in enumerate(CREATE_POINTS):
            slug = "cut-%d" % number
            child = spawn_stopped(server, create_args(slug), point, env)
            cut(server)
            go_on(child)
            status, code = finish(child)
            assert (code == "pg_unavailable") if point.endswith(last) and status != 0 else status == 0, (point, status, code)
            assert slug in tenants(server, "active"), point
            assert not interrupted(server)
            check_whole(server, logins={slug})


def test_a_create_whose_session_is_ended_goes_on_in_another():
    cut_off(end_session, "provision.after_commit", STEPWISE)


def test_a_create_of_one_transaction_whose_session_is_ended_goes_on_in_another():
    cut_off(end_session, "after_commit")


def test_a_first_create_in_a_shared_place_goes_on_when_its_session_is_ended():
    harness.require_faults()
    with crash_state.platform() as server:
        child = spawn_stopped(server, create_args("first", "fortress"), "tenant.provision.sent")
        end_session(server)
        go_on(child)
        finish(child, expect=0)
        check_whole(server)


def test_a_create_goes_on_after_a_crash_of_the_server():
    cut_off(crash_server, "provision.after_commit", STEPWISE)


def test_a_job_that_another_process_took_over_is_left_alone():
    """A process that lost its session must not undo the job that somebody resumed meanwhile."""
    harness.require_faults()
    with crash_state.platform() as server:
        first = spawn_stopped(server, create_args("taken"), "tenant.create.ground.begin", STEPWISE)
        end_session(server)
        crash_state.wait_until_quiet(server)
        job = interrupted(server)[0]
        second = spawn_stopped(server, ("job", "resume", str(job["id"])), "tenant.create.provision.begin")
        go_on(first)
        assert finish(first) == (75, "job_busy")
        go_on(second)
        finish(second, expect=0)
        assert "taken" in tenants(server, "active")
        check_whole(server)


def test_a_job_that_another_process_cancelled_is_not_gone_on_with():
    harness.require_faults()
    with crash_state.platform() as server:
        child = spawn_stopped(server, create_args("taken"), "tenant.create.ground.begin", STEPWISE)
        end_session(server)
        crash_state.wait_until_quiet(server)
        server.tenantry("job", "cancel", str(interrupted(server)[0]["id"]))
        go_on(child)
        assert finish(child) == (75, "cancelled")
        assert "taken" not in tenants(server)
        check_whole(server)


# --- many at once


def test_two_creates_of_one_slug_make_one_tenant():
    with crash_state.platform() as server:
        for number in range(ROUNDS):
            args = create_args("one-%d" % number, ("saas", "trading")[number % 2])
            ended = sorted(finish(child) for child in [server.spawn(*args, "--json") for _ in range(2)])
            assert ended == [(0, ""), (73, "slug_taken")], ended
        check_whole(server)


def slug_key(server, slug):
    """The number that a create of the slug locks."""
    return admin(server, "SELECT hashtextextended((SELECT id FROM tenantry.installation) || ' %s', 0)" % slug)


def test_a_create_is_refused_while_another_takes_its_slug_until_that_is_gone():
    harness.require_faults()
    with crash_state.platform() as server:
        for number, first_dies in enumerate((False, True)):
            slug = "wait-%d" % number
            first = spawn_stopped(server, create_args(slug), "tenant.create.provision.before_commit")
            holder = admin(server, "SELECT pid FROM pg_locks WHERE locktype = 'advisory'"
                                   " AND (classid::bigint << 32 | objid::bigint) = " + slug_key(server, slug))
            refused = server.tenantry(*create_args(slug), expect=73).error()["error"]
            assert refused["code"] == "slug_taken", refused
            assert ('the slug "%s" is being taken by another create, which began ' % slug) in refused["message"], refused
            assert ("its server process is %s, and when that ends the slug is free" % holder) in refused["hint"], refused
            if first_dies:
                first.kill()
            go_on(first)
            assert finish(first)[0] == (-9 if first_dies else 0)
            crash_state.wait_until_quiet(server)
            again = server.spawn(*create_args(slug), "--json")
            assert finish(again) == ((0, "") if first_dies else (73, "slug_taken"))
            check_whole(server)


def test_a_lock_of_a_tenant_keeps_nobody_from_a_slug():
    """Anybody may lock any number, and see those that are locked."""
    with crash_state.platform() as server:
        tenant = server.create("squatter", "saas")
        with harness.Session(tenant["app"]) as session:
            assert session.ask("SELECT pg_advisory_lock(%s);" % slug_key(server, "wanted")) == ""
            server.create("wanted", "saas")
        check_whole(server)


def test_a_slug_is_taken_from_its_reservation_on():
    harness.require_faults()
    with crash_state.platform() as server:
        first = spawn_stopped(server, create_args("early"), "tenant.create.reserve.after_commit", STEPWISE)
        refused = server.tenantry(*create_args("early"), expect=73).error()["error"]
        assert refused["code"] == "slug_taken" and "job resume" in refused["hint"], refused
        go_on(first)
        finish(first, expect=0)
        check_whole(server)


def test_many_creates_at_once_make_as_many_tenants():
    """The first ones also race for the shared tables."""
    with harness.Server() as server:
        server.up()
        children = [server.spawn(*create_args("many-%d" % n, ("saas", "trading")[n % 2]), "--json")
                    for n in range(MANY)]
        for child in children:
            finish(child, expect=0)
        assert set(tenants(server, "active")) == {"many-%d" % n for n in range(MANY)}
        check_whole(server, logins={"many-0", "many-1"})


def test_two_resumes_of_one_job_are_one_run():
    harness.require_faults()
    with crash_state.platform() as server:
        server.tenantry(*create_args("twice"), env={"TENANTRY_FAULT_AT": "tenant.create.ground.begin", **STEPWISE}, expect=-9)
        crash_state.wait_until_quiet(server)
        args = ("job", "resume", str(interrupted(server)[0]["id"]))
        first = spawn_stopped(server, args, "tenant.create.provision.begin")
        assert server.tenantry(*args, expect=75).error()["error"]["code"] == "job_busy"
        go_on(first)
        finish(first, expect=0)
        assert server.tenantry(*args, expect=75).error()["error"]["code"] == "job_state"
        check_whole(server)


def test_purges_wait_for_each_other_where_both_note_the_end_of_a_chain():
    """None has to try again: many at once would run out of tries."""
    harness.require_faults()
    with crash_state.platform() as server:
        for slug in ("one", "two"):
            server.create(slug, "trading")
            server.tenantry("tenant", "archive", slug, "--drain-timeout", "0s")
        first = spawn_stopped(server, ("tenant", "purge", "one", "--yes"), "tenant.purge.purge.before_commit")
        second = server.spawn("tenant", "purge", "two", "--yes", "--json", env={"TENANTRY_RETRIES": "0"})
        waits = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tenantry' AND wait_event_type = 'Lock'"
        wait_for(lambda: admin(server, waits) != "0", "the second purge to wait")
        go_on(first)
        for child in (first, second):
            finish(child, expect=0)
        assert set(tenants(server, "purged")) == {"one", "two"}
        check_whole(server)


def job_lock(server, job):
    """What a session asks to lock a job. While it runs, pg_locks shows everybody the number."""
    return "SELECT pg_advisory_lock(%s);" % admin(
        server, "SELECT hashtextextended(token::text, 0) FROM tenantry.jobs WHERE id = %s" % job)


def leave_reserved(server, slug):
    """A create that was killed after its first step; the number of its job."""
    server.tenantry(*create_args(slug), env={"TENANTRY_FAULT_AT": "tenant.create.ground.begin", **STEPWISE}, expect=-9)
    crash_state.wait_until_quiet(server)
    return str(interrupted(server)[0]["id"])


def test_a_lock_of_a_tenant_keeps_no_job_from_being_resumed_or_cancelled():
    harness.require_faults()
    with crash_state.platform() as server:
        tenant = server.create("squatter", "saas")
        for command, slug in (("resume", "go-on"), ("cancel", "take-back")):
            job = leave_reserved(server, slug)
            with harness.Session(tenant["app"]) as session:
                assert session.ask(job_lock(server, job)) == ""
                answer = server.tenantry("job", command, job)
            assert command == "resume" or answer["outcome"] == "cancelled", answer
            assert (slug in tenants(server, "active")) == (command == "resume")
        check_whole(server)


def test_two_resumes_of_a_job_whose_lock_a_tenant_has_are_one_run():
    harness.require_faults()
    with crash_state.platform() as server:
        tenant = server.create("squatter", "saas")
        args = ("job", "resume", leave_reserved(server, "twice"))
        with harness.Session(tenant["app"]) as session:
            session.ask(job_lock(server, args[2]))
            first = spawn_stopped(server, args, "tenant.create.provision.begin")
            holder = admin(server, "SELECT pid FROM pg_locks l JOIN tenantry.jobs j ON j.id = %s WHERE locktype = 'advisory' AND"
                                   " (classid::bigint << 32 | objid::bigint) = hashtextextended(j.token::text, 0)" % args[2])
            refused = server.tenantry(*args, expect=75).error()["error"]
            assert refused["code"] == "job_busy" and ("its server process is " + holder) in refused["hint"], refused
        go_on(first)
        finish(first, expect=0)
        job = leave_reserved(server, "at-once")
        with harness.Session(tenant["app"]) as session:
            session.ask(job_lock(server, job))
            ended = sorted(finish(child) for child in [server.spawn("job", "resume", job, "--json") for _ in range(3)])
        assert ended[0] == (0, "") and {code for _, code in ended[1:]} <= {"job_busy", "job_state"}, ended
        check_whole(server)


def test_who_lost_a_job_whose_lock_a_tenant_took_finds_it_with_another_process():
    """The job has another token since: its maker must not take it for one that a crash took back, and begin again."""
    harness.require_faults()
    with crash_state.platform() as server:
        tenant = server.create("squatter", "saas")
        first = spawn_stopped(server, create_args("taken"), "tenant.create.ground.begin", STEPWISE)
        end_session(server)
        crash_state.wait_until_quiet(server)
        job = str(interrupted(server)[0]["id"])
        with harness.Session(tenant["app"]) as session:
            session.ask(job_lock(server, job))
            second = spawn_stopped(server, ("job", "resume", job), "tenant.create.provision.begin")
            go_on(first)
            assert finish(first) == (75, "job_busy")
        go_on(second)
        finish(second, expect=0)
        assert "taken" in tenants(server, "active")
        check_whole(server)


def test_a_job_whose_lock_a_tenant_took_when_its_session_ended_goes_on():
    harness.require_faults()
    with crash_state.platform() as server:
        tenant = server.create("squatter", "saas")
        first = spawn_stopped(server, create_args("kept"), "tenant.create.ground.begin", STEPWISE)
        end_session(server)
        crash_state.wait_until_quiet(server)
        with harness.Session(tenant["app"]) as session:
            session.ask(job_lock(server, interrupted(server)[0]["id"]))
            go_on(first)
            finish(first, expect=0)
        assert "kept" in tenants(server, "active")
        check_whole(server)


def test_a_running_job_that_is_cancelled_undoes_itself():
    harness.require_faults()
    with crash_state.platform() as server:
        child = spawn_stopped(server, create_args("unwanted"), "tenant.create.ground.after_commit", STEPWISE)
        job = server.tenantry("job", "list", "--state", "running")["jobs"][0]
        assert server.tenantry("job", "cancel", str(job["id"]))["outcome"] == "asked to stop"
        go_on(child)
        assert finish(child) == (75, "cancelled")
        assert "unwanted" not in tenants(server)
        entries = server.tenantry("audit", "list", "--tenant", "unwanted")["entries"]
        assert [e["action"] for e in entries] == ["tenant.create.undo", "job.cancel"], entries
        assert entries[1]["job"] == job["id"] and entries[1]["actor"].startswith("os:"), entries
        assert entries[1]["detail"] == {"operation": "tenant.create", "subject": "unwanted"}, entries
        check_whole(server)


def test_a_job_that_was_asked_to_stop_and_killed_is_cancelled_by_a_resume():
    harness.require_faults()
    with crash_state.platform() as server:
        for number in range(2):
            child = spawn_stopped(server, create_args("unwanted-%d" % number), "tenant.create.ground.after_commit", STEPWISE)
            job = server.tenantry("job", "list", "--state", "running")["jobs"][0]["id"]
            assert server.tenantry("job", "cancel", str(job))["outcome"] == "asked to stop"
            child.kill()
            child.communicate()
            crash_state.wait_until_quiet(server)
            if number == 0:
                answer = server.tenantry("job", "resume")
                assert [(j["id"], j["outcome"]) for j in answer["jobs"]] == [(job, "cancelled")], answer
                assert answer["jobs"][0]["message"] == "job %d was cancelled" % job, answer
            else:
                server.refused("cancelled", "job", "resume", str(job), says=("job %d was cancelled" % job,))
            assert server.tenantry("job", "show", str(job))["state"] == "cancelled"
        assert [slug for slug in tenants(server) if slug.startswith("unwanted")] == []
        check_whole(server)


def race(server, *commands):
    return [finish(child) for child in [server.spawn(*args, "--json") for args in commands]]


def test_operations_on_one_tenant_come_one_after_the_other():
    with crash_state.platform() as server:
        for number in range(ROUNDS):
            slug = "both-%d" % number
            server.tenantry(*create_args(slug, ("saas", "trading")[number % 2]))
            verbs = {verb: ("tenant", verb, slug) for verb in ("suspend", "archive", "rotate")}
            suspend, archive, rotate = race(server, verbs["suspend"], verbs["archive"], verbs["rotate"])
            assert suspend in ((0, ""), (75, "tenant_state")) and archive == rotate == (0, ""), (suspend, archive, rotate)
            purge = ("tenant", "purge", slug, "--yes")
            suspend, first, second = race(server, verbs["suspend"], purge, purge)
            assert suspend[1] in ("tenant_state", "tenant_missing"), suspend
            assert sorted((first, second))[0] == (0, ""), (first, second)
            assert sorted((first, second))[1][1] in ("tenant_state", "tenant_missing"), (first, second)
            check_whole(server, logins=set())
        check_whole(server)


def test_two_ups_at_once_start_one_server():
    with harness.Server() as server:
        children = [server.spawn("up", "--json") for _ in range(2)]
        for child in children:
            finish(child, expect=0)
        server.up()
        server.tenantry(*create_args("first"))
        check_whole(server)


def test_a_key_rotation_among_creates_loses_nothing():
    with crash_state.platform() as server:
        children = []
        for number in range(ROUNDS):
            creates = [server.spawn(*create_args("keyed-%d-%d" % (number, n)), "--json") for n in range(6)]
            children += creates
            finish(server.spawn("key", "rotate", "--json"), expect=0)
        for child in children:
            finish(child, expect=0)
        check_whole(server)


def test_a_create_that_began_under_the_old_key_ends_under_the_new_one():
    harness.require_faults()
    with crash_state.platform() as server:
        points = [p for p in CREATE_POINTS if ".begin" in p or p.endswith(("reserve.after_commit", "ground.after_commit"))]
        for number, point in enumerate(points):
            # In the transaction of all steps the key is held from the slug on.
            apart = {} if point.endswith("reserve.begin") else STEPWISE
            child = spawn_stopped(server, create_args("late-%d" % number), point, apart)
            server.tenantry("key", "rotate")
            go_on(child)
            assert finish(child) == (0, ""), point
            check_whole(server)


if __name__ == "__main__":
    harness.main()
