#!/usr/bin/env python3
"""Rollouts killed at every fault point, and at random moments together with the server.

Whatever was killed, each place is at the old or at the new version, its tables and its ledger agree, and the rollout
can be resumed. What is random comes from fixed seeds; TEST_CRASH_ROUNDS is how many rounds of each kind are run."""
import functools
import os
import random
import time

import crash_points
import crash_state
import harness
from crash_state import check_whole
from rollout_kit import Vault, wait_until
from test_crash import Operation, kill_at, numbers_for, passed_points
from test_crash_race import accepts, kill_backends, kill_postmaster

ROUNDS = int(os.environ.get("TEST_CRASH_ROUNDS", "4"))
TENANTS = 12
HURRY_S = 1.5  # a kill comes within this time; a rollout of the tenants takes about as long

CHECK = ("ALTER TABLE boxes ADD CONSTRAINT boxes_what_%d CHECK (what <> 'bad %d');\n",
         "ALTER TABLE boxes DROP CONSTRAINT boxes_what_%d;\n")
BAD = "INSERT INTO boxes (id, what) VALUES (1, 'bad %d')"


class Rollout(Operation):
    """Places of one blueprint that go from one version to the next, or back, two waves."""

    tier = "schema"
    verb = "up"
    flags = ("--waves", "1,100%")

    def __init__(self, server):
        super().__init__(server)
        name = type(self).__name__.lower()
        self.vault = Vault(server, name, self.tier)
        self.vault.create(*("%s-%s" % (name, part) for part in "abc"))
        self.vault.add_column()
        self.old, self.new = 1, 2

    def start(self, number):
        self.vault.migrate("up" if self.verb == "down" else "down", "--to", str(self.old))
        return ("migrate", self.verb, self.vault.name, "--to", str(self.new), *self.flags)

    def done(self):
        assert set(self.vault.versions().values()) == {self.new}, self.vault.versions()
        self.vault.check_columns()

    def undone(self):
        assert set(self.vault.versions().values()) == {self.old}, self.vault.versions()
        self.vault.check_columns()


class Up(Rollout):
    name = "migrate.up"


class Down(Rollout):
    name = "migrate.down"
    verb = "down"

    def __init__(self, server):
        super().__init__(server)
        self.old, self.new = 2, 1


class UpRow(Up):
    tier = "row"

    def start(self, number):
        self.server.tenantry("blueprint", "add", self.vault.folder)
        return super().start(number)


class Retry(Rollout):
    """Of one place that failed; the others are at the version already."""

    name = "migrate.retry"
    verb = "retry"

    def start(self, number):
        self.vault.migrate("up")
        self.old, self.new = self.vault.version, self.vault.version + 1
        self.vault.add(CHECK[0] % (self.new, self.new), CHECK[1] % self.new)
        self.bad = sorted(self.vault.versions())[0]
        self.vault.sql(self.bad, BAD % self.new)
        self.vault.migrate("up", "--on-failure", "continue")
        self.vault.sql(self.bad, "DELETE FROM boxes")
        return ("migrate", "retry", self.vault.name)

    def done(self):
        assert set(self.vault.versions().values()) == {self.new}, self.vault.versions()
        assert not self.vault.quarantine()

    def undone(self):
        assert self.vault.versions()[self.bad] < self.new
        assert set(self.vault.quarantine()) == {self.bad}
        self.server.tenantry("migrate", "retry", self.vault.name)


class Baseline(Rollout):
    """The places were taken back by hand: all are recorded at that version, or none."""

    name = "migrate.baseline"
    may_cancel = True

    def __init__(self, server):
        super().__init__(server)
        self.old, self.new = 2, 1

    def start(self, number):
        self.vault.migrate("up")
        for slug in self.vault.versions():
            self.vault.sql(slug, "ALTER TABLE boxes DROP COLUMN extra_2")
        return ("migrate", "baseline", self.vault.name, "--at", str(self.new))

    def undone(self):
        assert set(self.vault.versions().values()) == {self.old}, self.vault.versions()
        self.vault.migrate("baseline", "--at", str(self.new))


KINDS = (Up, Down, UpRow, Retry, Baseline)
# Where a rollout goes back, and scripts that are more than one transaction: test_rollout.py and test_rollout_steps.py kill
# it there.
ELSEWHERE = {"rollout.undone", "rollout.batch.done", "rollout.batch.made", "rollout.step.done", "rollout.step.login",
             "rollout.step.ran", "rollout.step.started"}


# A rollout that was taken back, or is down, leaves shared tables behind.
crash_state.RULES_AT_REST.pop("a blueprint that its shared tables lag behind", None)


@functools.lru_cache(maxsize=None)
def operation(kind):
    """One for all tests of the file, with its blueprint and tenants."""
    made = kind(crash_state.shared_platform())
    made.logins = lambda: ()
    return made


def check_end(vault):
    """With the logins of its tenants, and of those that no rollout is about."""
    check_whole(vault.server, logins={"near", "far", *vault.versions()})


@functools.lru_cache(maxsize=None)
def points_of(kind):
    return passed_points(operation(kind))


def kill_everywhere(kind):
    harness.require_faults()
    points = points_of(kind)
    kill_at(operation(kind), points, numbers_for(points), True)
    check_end(operation(kind).vault)


def test_rollouts_pass_every_fault_point_of_theirs():
    harness.require_faults()
    steps = crash_points.of_steps()
    passed = set()
    for kind in KINDS:
        points = set(points_of(kind))
        missing = steps[kind.name] - points
        assert not missing, "%s does not pass %s" % (kind.name, ", ".join(sorted(missing)))
        passed |= points
    missed = {p for p in crash_points.literals() if p.startswith("rollout.")} - passed
    assert missed == ELSEWHERE, missed


def test_up_moves_each_place_or_does_not():
    kill_everywhere(Up)


def test_down_moves_each_place_or_does_not():
    kill_everywhere(Down)


def test_up_moves_the_shared_tables_or_does_not():
    kill_everywhere(UpRow)


def test_a_baseline_is_recorded_for_all_places_or_for_none():
    kill_everywhere(Baseline)


def test_a_retry_lets_a_place_out_or_does_not():
    kill_everywhere(Retry)


# --- random moments


def finish_rollout(server, vault):
    """Resumes what was interrupted, or begins what was never begun."""
    for row in vault.status()["rollouts"]:
        if row["state"] in ("interrupted", "stopped"):
            server.tenantry("migrate", "resume", str(row["rollout"]))
            return
    vault.migrate("up")


def check_places(vault):
    """Old or new, and the catalogue says the same as the registry."""
    for slug, version in vault.versions().items():
        assert version in (vault.version - 1, vault.version), (slug, version)
    vault.check_columns()


@functools.lru_cache(maxsize=None)
def random_vault():
    """Each test ends with all places at the newest version."""
    vault = Vault(crash_state.shared_platform(), "random")
    vault.create(*("random-%d" % n for n in range(TENANTS)))
    return vault


def killed_rounds(kill, seed):
    vault = random_vault()
    server = vault.server
    dice = random.Random(seed)
    for number in range(ROUNDS):
        vault.add_column()
        parallel = str(dice.choice((1, 2, 4)))
        child = server.spawn("migrate", "up", vault.name, "--parallel", parallel, "--waves", "1,50%,100%", "--json")
        time.sleep(dice.random() * HURRY_S)
        kill(server, child)
        out, err = child.communicate(timeout=harness.COMMAND_TIMEOUT_S)
        assert child.returncode <= 0 or "pg_unavailable" in err or "server_down" in err, (seed, number, out, err)
        if server.server_pid() is None:
            server.up()
        wait_until(lambda: accepts(server), "the server does not come back")
        crash_state.wait_until_quiet(server)
        check_whole(server, at_rest=False, logins=())
        check_places(vault)
        finish_rollout(server, vault)
        assert set(vault.versions().values()) == {vault.version}, (seed, number, vault.versions())
        vault.check_columns()
        check_whole(server, logins=())
    check_end(vault)


def kill_program(server, child):
    if child.poll() is None:
        child.kill()


def kill_server(server, child):
    pid = server.server_pid()
    kill_postmaster(server, [])
    harness.wait_for_exit(pid)


def kill_sessions(server, child):
    """The server starts again on its own, and the rollout goes on or says that it can be resumed."""
    kill_backends(server, [])


def test_a_program_that_is_killed_at_random_leaves_a_fleet_that_can_be_finished():
    killed_rounds(kill_program, 11)


def test_a_server_that_is_killed_at_random_leaves_a_fleet_that_can_be_finished():
    killed_rounds(kill_server, 22)


def test_sessions_that_are_killed_at_random_leave_a_fleet_that_can_be_finished():
    killed_rounds(kill_sessions, 33)


def test_creates_and_rollouts_at_random_end_at_one_version():
    """Creates begin before, while and after each version is recorded and rolled out."""
    dice = random.Random(44)
    server = crash_state.shared_platform()
    vault = Vault(server, "racing")
    vault.create("racing-0")
    made = 1
    for _ in range(ROUNDS):
        children = []
        for _ in range(3):
            children.append(server.spawn("tenant", "create", "racing-%d" % made, "--blueprint", vault.name, "--json"))
            made += 1
        time.sleep(dice.random() * HURRY_S / 4)
        vault.add_column()
        children.append(server.spawn("migrate", "up", vault.name, "--json"))
        for child in children:
            out, err = child.communicate(timeout=harness.COMMAND_TIMEOUT_S)
            assert child.returncode == 0, (out, err)
        assert set(vault.versions().values()) == {vault.version}, vault.versions()
        vault.check_columns()
    check_end(vault)


if __name__ == "__main__":
    harness.main()
