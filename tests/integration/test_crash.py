#!/usr/bin/env python3
"""Every changing operation, killed at every fault point that it passes; a long one in everyday checks at some of them.

A round brings things to the start state, runs the operation with TENANTRY_FAULT_AT=N and sees it die, checks what a
tenant could see right away, then goes on: with "job resume" the operation has happened, with "job cancel" it has not."""
import functools
import itertools
import os
import re

import crash_points
import crash_state
import harness
from crash_state import check_logins, check_whole, interrupted, tenants

KILLED = -9
STRIDE = int(os.environ.get("TEST_CRASH_STRIDE", "1"))  # 2: every other fault point of long operations
SHORT = 10  # the most points of an operation that is killed at each of them, whatever the stride


class Operation:
    """One operation under test. start() makes its start state and gives the arguments; done() and undone() check
    that it has happened fully, or not at all."""

    name = ""  # of the job
    may_cancel = False

    def __init__(self, server):
        self.server = server
        self.slug = ""

    def start(self, number):
        raise NotImplementedError

    def done(self):
        raise NotImplementedError

    def undone(self):
        raise NotImplementedError

    def logins(self):
        """Whose logins each check tries: the round's tenant. Those of all are tried after the last round."""
        return {self.slug}

    def run(self, *args):
        return self.server.tenantry(*args)

    def create(self, blueprint, slug):
        self.slug = slug
        return self.run("tenant", "create", slug, "--blueprint", blueprint)

    def assert_state(self, state):
        found = tenants(self.server, state)
        assert self.slug in found, (self.slug, state, sorted(found))


class Create(Operation):
    name = "tenant.create"
    may_cancel = True
    blueprint = "saas"

    def start(self, number):
        self.slug = "made-%s" % number
        return "tenant", "create", self.slug, "--blueprint", self.blueprint

    def done(self):
        self.assert_state("active")
        check_logins(self.server, tenants(self.server)[self.slug])

    def undone(self):
        assert self.slug not in tenants(self.server)


class CreateSchema(Create):
    blueprint = "trading"


class CreateFromSpare(CreateSchema):
    """The same from a spare, which a create that is taken back drops."""

    def start(self, number):
        self.run("spare", "fill", "trading", "--count", "1")
        return super().start(number)


class Adopt(Operation):
    """Of a schema that another tool made: it is the tenant's, or exactly what it was."""

    name = "tenant.adopt"
    may_cancel = True

    def __init__(self, server):
        super().__init__(server)
        crash_state.write_blueprint(server.folder, "shelves", 1, tier="schema")
        server.tenantry("blueprint", "add", os.path.join(server.folder, "shelves"))
        if self.admin("SELECT count(*) FROM pg_roles WHERE rolname = 'legacy_tool'") == "0":
            self.admin("CREATE ROLE legacy_tool; GRANT legacy_tool TO tenantry")

    def admin(self, sql):
        return self.server.psql(sql, crash_state.admin_conninfo(self.server))

    def dumped(self):
        argv = [harness.pg_program("pg_dump"), "-d", crash_state.admin_conninfo(self.server), "-n", self.schema]
        return [line for line in harness.run(argv).out.split("\n") if "restrict" not in line]

    def start(self, number):
        self.slug, self.schema = "adopt-%s" % number, "legacy_%s" % number.replace("-", "_")
        self.admin("CREATE SCHEMA {0} AUTHORIZATION legacy_tool; SET ROLE legacy_tool; CREATE TABLE {0}.boxes"
                   " (id bigint PRIMARY KEY, what text); INSERT INTO {0}.boxes VALUES (1, 'x');"
                   " GRANT USAGE ON SCHEMA {0} TO PUBLIC; GRANT SELECT ON {0}.boxes TO PUBLIC".format(self.schema))
        self.before = self.dumped()
        return "tenant", "adopt", self.schema, "--blueprint", "shelves", "--slug", self.slug

    def done(self):
        self.assert_state("active")
        check_logins(self.server, tenants(self.server)[self.slug])
        assert self.run("tenant", "show", self.slug)["schema"] == self.schema

    def undone(self):
        assert self.slug not in tenants(self.server)
        assert self.dumped() == self.before


class Spares(Operation):
    """Spares are made and dropped one by one: any number of them may be there, each whole."""

    def count(self):
        row = self.run("spare", "list", "--blueprint", "trading")["spares"][0]
        assert row["claimed"] == 0 and row["stale"] == 0, row
        return row["ready"]

    def undone(self):
        assert self.count() in (0, 1, 2)


class SpareFill(Spares):
    name = "spare.fill"

    def start(self, number):
        self.run("spare", "drop", "--all")
        return "spare", "fill", "trading", "--count", "2"

    def done(self):
        assert self.count() == 2


class SpareDrop(Spares):
    name = "spare.drop"

    def start(self, number):
        self.run("spare", "fill", "trading", "--count", "2")
        return "spare", "drop", "trading", "--all"

    def done(self):
        assert self.count() == 0


class Move(Operation):
    """An operation that takes a tenant from one state to another."""

    before = "active"
    after = ""
    verb = ""
    flags = ()
    blueprint = "trading"

    def prepare(self):
        pass

    def start(self, number):
        self.create(self.blueprint, "moved-%s" % number)
        self.prepare()
        return ("tenant", self.verb, self.slug, *self.flags)

    def done(self):
        self.assert_state(self.after)

    def undone(self):
        self.assert_state(self.before)


class Suspend(Move):
    name, verb, after = "tenant.suspend", "suspend", "suspended"


class Resume(Move):
    name, verb, before, after = "tenant.resume", "resume", "suspended", "active"

    def prepare(self):
        self.run("tenant", "suspend", self.slug)


class Archive(Move):
    name, verb, after = "tenant.archive", "archive", "archived"


class Purge(Move):
    name, verb, flags, before, after = "tenant.purge", "purge", ("--yes",), "archived", "purged"
    row = "INSERT INTO portfolios (user_id, name) VALUES (gen_random_uuid(), 'first')"

    def prepare(self):
        shown = self.run("tenant", "credentials", self.slug)["connections"]
        harness.psql(next(c["uri"] for c in shown if c["login"] == "app"), self.row)
        self.run("tenant", "archive", self.slug)


class PurgeRow(Purge):
    blueprint = "saas"
    row = "INSERT INTO users (email) VALUES ('one@example.com')"


class Rotate(Operation):
    name = "tenant.rotate"

    def start(self, number):
        self.old = self.create("saas", "turned-%s" % number)["connections"]
        return "tenant", "rotate", self.slug

    def old_logins_work(self):
        statuses = {harness.psql(c["uri"], "SELECT 1", expect=None).status for c in self.old}
        assert len(statuses) == 1, statuses
        return statuses == {0}

    def done(self):
        assert not self.old_logins_work()

    def undone(self):
        assert self.old_logins_work()


class KeyRotate(Operation):
    """In a file that holds another installation's key too."""

    name = "key.rotate"
    others = "5a" * 32

    def keys_in_file(self):
        with open(os.path.join(self.server.data_dir, "master.key"), encoding="utf-8") as f:
            return [line.split()[0] for line in f if not line.startswith("#")]

    def active_key(self):
        keys = {k["id"]: k for k in self.run("key", "list")["keys"]}
        active = [k for k in keys.values() if k["state"] == "active"]
        assert len(active) == 1 and active[0]["is_at_hand"], keys
        return active[0]["id"], {k["id"] for k in keys.values() if k["is_at_hand"]}

    def start(self, number):
        self.slug = "far"
        self.old, _ = self.active_key()
        if self.others not in self.keys_in_file():
            with open(os.path.join(self.server.data_dir, "master.key"), "a", encoding="utf-8") as f:
                f.write(self.others + "\n")
        return "key", "rotate"

    def done(self):
        key, at_hand = self.active_key()
        assert key != self.old and at_hand == {key}, (self.old, key, at_hand)
        keys = self.keys_in_file()
        assert len(keys) == 2 and self.others in keys, "no line is lost, and none is left over: %d" % len(keys)

    def undone(self):
        assert self.active_key() == (self.old, {self.old}) and len(self.keys_in_file()) == 2


class BlueprintAdd(Operation):
    """A new version of a blueprint whose shared tables a tenant uses."""

    name = "blueprint.add"

    def start(self, number):
        self.blueprint = "notes"
        self.version = 2 + int(re.search(r"\d+", str(number)).group())
        folder = os.path.join(self.server.folder, "blueprints")
        if "writer" not in tenants(self.server):
            self.run("blueprint", "add", crash_state.write_blueprint(folder, self.blueprint, self.version - 1))
            self.create(self.blueprint, "writer")
        self.slug = "writer"
        self.before = self.run("blueprint", "show", self.blueprint)["version"]
        return "blueprint", "add", crash_state.write_blueprint(folder, self.blueprint, self.version)

    def done(self):
        assert self.run("blueprint", "show", self.blueprint)["version"] == self.version
        assert tenants(self.server)["writer"]["version"] == self.version

    def undone(self):
        assert self.run("blueprint", "show", self.blueprint)["version"] == self.before
        assert tenants(self.server)["writer"]["version"] == self.before


class PartitionEnsure(Operation):
    """The newest partition of one tenant is missing."""

    name = "partition.ensure"

    def partitions(self):
        found = self.run("partition", "list", "--tenant", "far")
        self.schema = found["schema"]
        return sorted(p["partition"] for p in found["partitions"] if p["table"] == "trades")

    def start(self, number):
        self.slug = "far"
        self.run("partition", "ensure")
        self.all = self.partitions()
        self.missing = max(p for p in self.all if not p.endswith("default"))
        self.server.psql('DROP TABLE "%s"."%s"' % (self.schema, self.missing), crash_state.admin_conninfo(self.server))
        return "partition", "ensure"

    def done(self):
        assert self.partitions() == self.all

    def undone(self):
        assert self.missing not in self.partitions()


class PartitionDetach(Operation):
    name = "partition.detach"

    def partitions(self):
        found = self.run("partition", "list", "--tenant", self.slug)["partitions"]
        return [p["partition"] for p in found if p["table"] == "trades"]

    def start(self, number):
        self.create("trading", "old-%s" % number)
        schema = self.run("tenant", "show", self.slug)["schema"]
        self.old = self.server.old_partition(schema, "trades")
        self.all = self.partitions()
        return "partition", "detach", "--tenant", self.slug, "--table", "trades", "--before", "2020-02-01"

    def done(self):
        assert self.partitions() == [name for name in self.all if name != self.old]

    def undone(self):
        assert self.partitions() == self.all


def newest_job(server):
    jobs = server.tenantry("job", "list", "--limit", "1")["jobs"]
    return jobs[0] if jobs else {"id": 0, "state": "done"}


def cancel(operation, job):
    """True when the job was taken back; one that can only go forward says so."""
    result = operation.server.tenantry("job", "cancel", str(job["id"]), expect=None)
    if operation.may_cancel:
        assert result.status == 0, result.text()
        return True
    assert result.error()["error"]["code"] == "job_state", result.text()
    return False


def resume(server):
    ended = server.tenantry("job", "resume")["jobs"]
    assert ended and all(j["outcome"] == "done" for j in ended), ended


def go_on(operation, job, wants_cancel):
    """Brings an interrupted job to its end; true when the operation has happened."""
    if wants_cancel and cancel(operation, job):
        return False
    resume(operation.server)
    return True


def crash_round(operation, number, wants_cancel):
    """Kills the operation at its N-th point and goes on; false when it survived, so that there is no N-th."""
    server = operation.server
    args = operation.start("%s-%d%s" % (type(operation).__name__.lower(), number, "c" if wants_cancel else "r"))
    last = newest_job(server)["id"]
    result = server.tenantry(*args, env={"TENANTRY_FAULT_AT": str(number)}, expect=None)
    if result.status == 0:
        operation.done()
        return False
    assert result.status == KILLED, result.text()
    crash_state.wait_until_quiet(server)
    check_whole(server, at_rest=False, logins=operation.logins())
    job = newest_job(server)
    has_happened = job["id"] > last and job["state"] == "done"
    if not has_happened and job["id"] > last:
        assert job["operation"] == operation.name and job["state"] == "interrupted", job
        has_happened = go_on(operation, job, wants_cancel)
    assert not interrupted(server)
    (operation.done if has_happened else operation.undone)()
    check_whole(server, logins=operation.logins())
    return True


def passed_points(operation, number=0):
    """What the operation passes when nothing is killed."""
    path = os.path.join(operation.server.folder, "trace")
    args = operation.start("%s-%dt" % (type(operation).__name__.lower(), number))
    operation.server.tenantry(*args, env={"TENANTRY_FAULT_TRACE": path})
    operation.done()
    points = crash_state.trace(path)
    os.unlink(path)
    return points


@functools.lru_cache(maxsize=None)
def points_of(kind):
    return passed_points(kind(crash_state.shared_platform()))


def kill_at(operation, points, numbers, wants_cancel):
    """Rounds at these points and on, as they come, until the operation survives."""
    deaths = 0
    for number in numbers:
        if not crash_round(operation, number, wants_cancel):
            break
        deaths += 1
    assert deaths > 0, "no fault point was passed"
    assert len(points) > SHORT or deaths == len(points), (deaths, points)


def numbers_for(points, from_first=False):
    """At which points to kill. Those of a long operation begin where it has done something, if not with the first."""
    stride = 1 if len(points) <= SHORT else STRIDE
    return itertools.count(1 if from_first else min((stride + 1) // 2, 3), stride)


def kill_everywhere(*kinds):
    """All rounds of one operation, or of one in both tiers."""
    harness.require_faults()
    server = crash_state.shared_platform()
    before = set(tenants(server)) - {"near", "far"}
    for kind in kinds:
        points = points_of(kind)
        kill_at(kind(server), points, numbers_for(points), True)
        if kind.may_cancel:  # what can only go forward refuses the cancel and is resumed: one pass does for both
            kill_at(kind(server), points, numbers_for(points, from_first=True), False)
    check_whole(server, logins=set(tenants(server)) - before)


OPERATIONS = (Create, CreateSchema, CreateFromSpare, Suspend, Resume, Archive, Purge, PurgeRow, Rotate, KeyRotate,
              BlueprintAdd, PartitionEnsure, PartitionDetach, SpareFill, SpareDrop, Adopt)

# test_crash_rollout.py has these, and the points of src/rollout.
ROLLOUTS = {"migrate.baseline", "migrate.up", "migrate.down", "migrate.retry"}

# Points that the operations above do not pass, and the tests below that do.
ELSEWHERE = {
    "embedded.after_initdb", "embedded.before_rename", "embedded.before_start",
    "job.undo.before_commit", "job.undo.after_commit",
    "file.create.before_link", "file.create.after_link",
    "stamp.committed", "stamp.dumped",
}


def test_the_operations_pass_every_fault_point_of_the_source():
    harness.require_faults()
    steps = crash_points.of_steps()
    passed = set()
    for kind in OPERATIONS:
        points = set(points_of(kind))
        missing = steps[kind.name] - points
        assert not missing, "%s does not pass %s" % (kind.name, ", ".join(sorted(missing)))
        passed |= points
    assert {kind.name for kind in OPERATIONS} | ROLLOUTS == set(steps), "an operation has no crash test"
    literals = {point for point in crash_points.literals() if not point.startswith("rollout.")}
    assert literals - passed == ELSEWHERE, literals - passed


def test_create_is_whole_or_gone_in_the_row_tier():
    kill_everywhere(Create)


def test_create_is_whole_or_gone_in_the_schema_tier():
    kill_everywhere(CreateSchema)


def test_an_adopted_schema_is_a_tenants_or_what_it_was():
    kill_everywhere(Adopt)


def test_create_from_a_spare_is_whole_or_gone():
    kill_everywhere(CreateFromSpare)


def test_spares_are_whole_or_gone():
    kill_everywhere(SpareFill, SpareDrop)


def test_the_first_create_of_a_blueprint_is_whole_or_gone():
    """It makes the shared place too."""
    harness.require_faults()
    server = crash_state.shared_platform()
    operation = CreateFirst(server)
    for number in range(1, 12, STRIDE):
        assert crash_round(operation, number, wants_cancel=number % 2 == 0)


class CreateFirst(Create):
    """Each round has a blueprint of its own, whose tables nobody has yet."""

    def start(self, number):
        name = str(number).replace("-", "_")
        crash_state.TABLES[name] = "notes"
        self.run("blueprint", "add", crash_state.write_blueprint(self.server.folder, name, 1))
        self.slug = "first-%s" % number
        return "tenant", "create", self.slug, "--blueprint", name


def test_suspend_and_resume_happen_or_do_not():
    kill_everywhere(Suspend, Resume)


def test_archive_happens_or_does_not():
    kill_everywhere(Archive)


def test_purge_happens_or_does_not_in_both_tiers():
    kill_everywhere(Purge, PurgeRow)


def test_rotate_gives_old_or_new_passwords_to_both_logins():
    kill_everywhere(Rotate)


def test_key_rotate_loses_no_secret():
    kill_everywhere(KeyRotate)


def test_blueprint_add_happens_or_does_not():
    kill_everywhere(BlueprintAdd)


def test_partitions_are_made_and_detached_or_not():
    kill_everywhere(PartitionEnsure, PartitionDetach)


def leave_interrupted(operation, number, point):
    """Kills the operation at a point by name and gives the job that it leaves."""
    server = operation.server
    server.tenantry(*operation.start(number), env={"TENANTRY_FAULT_AT": point, "TENANTRY_FAULT_STEPWISE": "1"}, expect=KILLED)
    crash_state.wait_until_quiet(server)
    return interrupted(server)[0]


def test_a_cancel_that_is_killed_can_be_given_again():
    harness.require_faults()
    server = crash_state.shared_platform()
    for number, point in enumerate(("job.undo.before_commit", "job.undo.after_commit")):
        operation = Create(server)
        job = leave_interrupted(operation, number, "tenant.create.ground.begin")
        again = ("job", "cancel", str(job["id"]))
        server.tenantry(*again, env={"TENANTRY_FAULT_AT": point}, expect=KILLED)
        crash_state.wait_until_quiet(server)
        result = server.tenantry(*again, expect=None)
        is_undone = point.endswith("after_commit")
        assert (result.error()["error"]["code"] == "job_state") if is_undone else result.status == 0, result.text()
        operation.undone()
        check_whole(server, logins=operation.logins())


def test_a_resume_that_is_killed_can_be_given_again():
    harness.require_faults()
    server = crash_state.shared_platform()
    operation = CreateSchema(server)
    job = leave_interrupted(operation, "resumed", "tenant.create.ground.begin")
    deaths = 0
    while server.tenantry("job", "resume", str(job["id"]), env={"TENANTRY_FAULT_AT": "2"},
                          expect=None).status == KILLED:
        # Dying at the second point, each run commits nothing: the job stays where it was.
        crash_state.wait_until_quiet(server)
        check_whole(server, at_rest=False, logins=operation.logins())
        deaths += 1
        if deaths == 3:
            break
    resume(server)
    operation.done()
    check_whole(server, logins=operation.logins())


# --- up


def external_database(server, name):
    """A database of its own, with the role that Tenantry is given there: no superuser."""
    password = "crash-test-%s" % name
    admin = crash_state.admin_conninfo(server)
    server.psql("CREATE ROLE %s LOGIN CREATEROLE PASSWORD '%s'; CREATE DATABASE %s OWNER %s;" %
                (name, password, name, name), admin)
    host = re.search(r"host='([^']+)' port=(\d+)", server.conninfo)
    return "postgresql://%s:%s@/%s?host=%s&port=%s" % (name, password, name, host.group(1), host.group(2))


def external(url, folder):
    """The environment of an installation there. Few logins are made ahead: each passes the same two points."""
    return {"TENANTRY_DATABASE_URL": url, "TENANTRY_DATA_DIR": folder, "TENANTRY_READY_LOGINS": "2"}


def up_external(server, url, folder, fault=None, expect=0, trace=None):
    env = {**external(url, folder), "TENANTRY_FAULT_AT": fault, "TENANTRY_FAULT_TRACE": trace}
    return server.tenantry("up", env=env, expect=expect)


def platform_roles(server):
    return set(server.psql("SELECT rolname FROM pg_roles WHERE rolname ~ '^tenantry_(audit|tenants)_'",
                           crash_state.admin_conninfo(server)).split())


def check_installation(server, url, folder, roles_before):
    """Up once more finishes what the killed one began: one installation, one key, no role too many."""
    env = external(url, folder)
    up_external(server, url, folder)
    server.tenantry("job", "resume", env=env)
    status = server.tenantry("status", env=env)
    assert status["master_key"] == "ok" and status["interrupted_jobs"] == 0, status
    assert status["blueprints"] == server.tenantry("status")["blueprints"], status
    assert server.tenantry("audit", "verify", env=env)["is_whole"]
    assert len(platform_roles(server) - roles_before) == 2
    assert os.listdir(folder) == ["master.key"], os.listdir(folder)
    made = server.tenantry("tenant", "create", "first", "--blueprint", "saas", env=env)
    server.psql("SELECT * FROM users", made["connections"][0]["uri"])


def test_up_on_an_external_database_can_be_killed_anywhere():
    harness.require_faults()
    with harness.Server() as server:
        server.up()
        number, result = 0, KILLED
        while result == KILLED:
            number += STRIDE
            name = "outside_%d" % number
            url = external_database(server, name)
            folder = os.path.join(server.folder, name)
            roles = platform_roles(server)
            result = up_external(server, url, folder, fault=str(number), expect=None).status
            crash_state.wait_until_quiet(server)
            check_installation(server, url, folder, roles)
        assert result == 0
        traced = os.path.join(server.folder, "trace")
        up_external(server, external_database(server, "traced"), os.path.join(server.folder, "traced"), trace=traced)
        points = crash_state.trace(traced)
        assert number - STRIDE <= len(points) < number, (number, points)
        assert {p for p in ELSEWHERE if p.startswith("file.")} <= set(points), points


def test_up_on_a_fresh_data_directory_can_be_killed_anywhere():
    """Up to the first point that an external database has too: the test above goes on from there. One start after the other
    is killed, each where only one gets that goes on well from what the one before it left."""
    harness.require_faults()
    points = sorted(p for p in ELSEWHERE if p.startswith("embedded.")) + ["file.create.after_link"]
    with harness.Server() as server:
        for point in points:
            result = server.tenantry("up", env={"TENANTRY_FAULT_AT": point}, expect=None)
            assert result.status == KILLED, (point, result.text())
        server.up()
        assert server.tenantry("up")["pid"] == server.status["pid"]
        server.tenantry("tenant", "create", "first", "--blueprint", "saas")
        check_whole(server)
        assert not [n for n in os.listdir(server.data_dir) if ".new" in n], os.listdir(server.data_dir)


if __name__ == "__main__":
    harness.main()
