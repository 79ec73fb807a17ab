"""Rollouts of one ADD COLUMN and one CREATE INDEX over a fleet, against psql with a transaction per schema."""
import os
import re
import subprocess
import time

from report import median_ratio
from server import run, timed

BLUEPRINT = "synthetic"
STATEMENTS = ("ALTER TABLE {schema}t00 ADD COLUMN {name} bigint;\n"
              "CREATE INDEX t00_{name} ON {schema}t00 ({name});\n")
WORKERS = (1, 2)
RATIO_MOST = 1.15
REGISTERED = 10000
IDLE_MOST_MS = 1000
SMALL_SET_UP = "SET client_min_messages = warning;\n"

REGISTER = """
WITH one AS (SELECT * FROM tenantry.tenants t JOIN tenantry.places p ON p.id = t.place_id
              WHERE p.blueprint = '{blueprint}' AND p.tier = 'schema' LIMIT 1),
     n AS MATERIALIZED (SELECT gen_random_uuid() AS place, 'registered_' || i AS name
                          FROM generate_series(1, {count}) i),
     places AS (INSERT INTO tenantry.places
                SELECT (jsonb_populate_record(p, jsonb_build_object('id', n.place, 'schema_name', n.name,
                        'owner_role', n.name || '_o', 'app_role', n.name || '_a', 'readonly_role', n.name || '_r'))).*
                  FROM n, tenantry.places p WHERE p.id = (SELECT place_id FROM one)
                RETURNING id)
INSERT INTO tenantry.tenants
SELECT (jsonb_populate_record(t, jsonb_build_object('id', gen_random_uuid(), 'place_id', n.place,
        'slug', replace(n.name, '_', '-')))).*
  FROM n, tenantry.tenants t WHERE t.place_id = (SELECT place_id FROM one)
"""


def _superuser(server):
    """Raw sessions own nothing."""
    return server.conninfo.replace("user=tenantry", "user=postgres")


def _schemas(server):
    return server.query("SELECT json_agg(schema_name ORDER BY id) FROM tenantry.places WHERE blueprint = '%s'" % BLUEPRINT)


class Fleet:
    """The places, and the columns that they got so far."""

    def __init__(self, server, folder):
        self.server, self.folder = server, folder
        self.schemas = _schemas(server)
        self.version, self.rounds = 1, 0

    def time_raw(self, sessions):
        """As many psql sessions, each with its share of the schemas; writing their files is not timed."""
        self.rounds += 1
        argv = []
        for i in range(sessions):
            path = os.path.join(self.server.machine.folder, "raw-%d.sql" % i)
            with open(path, "w", encoding="utf-8") as f:
                f.write(SMALL_SET_UP)
                for schema in self.schemas[i::sessions]:
                    f.write("BEGIN;\n" + STATEMENTS.format(schema=schema + ".", name="raw_%d" % self.rounds) + "COMMIT;\n")
            argv.append(["psql", _superuser(self.server), "-Xq", "-v", "ON_ERROR_STOP=1", "-f", path])
        start = time.perf_counter()
        children = [subprocess.Popen(one, env=self.server.environment(), stdin=subprocess.DEVNULL) for one in argv]
        if any([child.wait() for child in children]):
            raise RuntimeError("psql could not change the schemas")
        return (time.perf_counter() - start) * 1000

    def add_version(self):
        self.version += 1
        path = os.path.join(self.folder, "migrations", "V%04d__column.sql" % self.version)
        with open(path, "w", encoding="utf-8") as f:
            f.write(STATEMENTS.format(schema="", name="our_%d" % self.version))
        run([self.server.machine.tenantry, "blueprint", "add", self.folder], self.server.environment())

    def argv(self, workers):
        """One wave: psql asks no gates, and what it added is drift."""
        return [self.server.machine.tenantry, "migrate", "up", BLUEPRINT, "--waves", "100%", "--parallel", str(workers)]

    def time_ours(self, workers):
        self.add_version()
        return timed([*self.argv(workers), "--quiet"], self.server.environment())


def _measure_pairs(fleet, report, times):
    medians = {}
    for workers in WORKERS:
        ours, raw = [], []
        for _ in range(times):
            raw.append(fleet.time_raw(workers))
            ours.append(fleet.time_ours(workers))
        ratio = median_ratio(ours, raw)
        medians[workers] = sorted(ours)[len(ours) // 2], sorted(raw)[len(raw) // 2]
        report.add("rollout over %d, workers: %d; as many psql sessions" % (len(fleet.schemas), workers), *medians[workers],
                   ratio, "at most %.2fx" % RATIO_MOST, ratio <= RATIO_MOST)
        report.add("  of that one place", medians[workers][0] / len(fleet.schemas), medians[workers][1] / len(fleet.schemas))
    one, two = (medians[workers] for workers in WORKERS)
    print("  two workers are faster than one: ours %.2fx, raw %.2fx" % (one[0] / two[0], one[1] / two[1]))


def _measure_memory(fleet):
    """What the server process of the worker says of itself, and the largest that ours became."""
    fleet.add_version()
    path = os.path.join(fleet.server.machine.folder, "verbose")
    with open(path, "w", encoding="utf-8") as notes:
        child = subprocess.Popen([*fleet.argv(1), "--verbose"], env=fleet.server.environment(), stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=notes)
        _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    with open(path, encoding="utf-8") as notes:
        text = notes.read()
    if child.returncode != 0:
        raise RuntimeError("a rollout failed: %s" % text)
    held = [int(n) / 2**20 for n in re.findall(r"server process holds (\d+) bytes", text)]
    if held:
        print("  server process of a worker, MiB: %.1f at first, %.1f at most" % (held[0], max(held)))
    print("  our own process, MiB: %.1f" % (usage.ru_maxrss / 1024))


def measure(server, report, size, folder):
    server.load(BLUEPRINT, size("rollout_fleet"), "schema")
    fleet = Fleet(server, folder)
    _measure_pairs(fleet, report, size("rollout_times"))
    _measure_memory(fleet)
    run(["psql", _superuser(server), "-Xq", "-v", "ON_ERROR_STOP=1", "-c",
         REGISTER.format(blueprint=BLUEPRINT, count=REGISTERED)], server.environment())
    idle = sorted(timed([*fleet.argv(1), "--quiet"], server.environment()) for _ in range(size("lists")))
    median = idle[len(idle) // 2]
    report.add("nothing to do over %d registered tenants" % (REGISTERED + len(fleet.schemas)), median,
               target="under 1 s", met=median < IDLE_MOST_MS)
