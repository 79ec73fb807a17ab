"""Isolation verified among many tenants: one tenant, the fleet, and what probes cost the tenants meanwhile."""
import glob
import json
import os
import re
import resource
import statistics
import subprocess
import time

from report import percentile
from server import run, timed

ROW, SCHEMA = "saas", "trading"
LOOP_QUERIES = {  # what the tenants do while they are probed: in a transaction, on tables that are probed
    ROW: "BEGIN; SELECT count(*) FROM users; UPDATE items SET title = title WHERE id = gen_random_uuid();"
         " INSERT INTO users (email) VALUES (gen_random_uuid() || '@example.org'); ROLLBACK;",
    SCHEMA: "BEGIN; SELECT count(*) FROM portfolios; UPDATE positions SET symbol = symbol WHERE id = gen_random_uuid();"
            " INSERT INTO portfolios (user_id, name) VALUES (gen_random_uuid(), 'bench'); ROLLBACK;",
}
REAP_S = 0.5  # until the server has counted the processes that ended
LOOP_NAME = "pgbench"  # how its session calls itself
LOCK_WAIT_MS = 10  # what the server's log names, and the target


def measure(server, few, report, size):
    """server gets its many tenants here; few is for the tenants' own queries."""
    server.load(SCHEMA, size("verify_schema"))
    server.load(ROW, size("verify_row"))
    server.settle()
    count = size("verify_schema") + size("verify_row")
    for blueprint in (SCHEMA, ROW):
        _measure_one(server, report, size("verified"), blueprint, count)
    _measure_fleet(server, report, size("fleets"), count)
    _measure_blocking(few, report, size("blocking_s"))


def _measure_one(server, report, times, blueprint, count):
    tenants = json.loads(run([server.machine.tenantry, "tenant", "list", "--blueprint", blueprint, "--limit", "1000",
                              "--json"], server.environment()))["tenants"]
    tenant = tenants[len(tenants) // 2]
    shown = json.loads(run([server.machine.tenantry, "tenant", "show", tenant["slug"], "--json"], server.environment()))
    for what, words in (("rules", "rules"), ("rules and probes", "all")):
        lines = run(server.bench_argv("verify", shown["id"], words, times + 2)).split()[2:]
        median = statistics.median(int(line) / 1000 for line in lines)
        report.add("%s, one of %d, warm connection: %s" % (blueprint, count, what), median,
                   target="under 100 ms", met=median < 100)
        options = ["--rules-only"] if words == "rules" else []
        before = _processor_ms(server)
        median = statistics.median(_time_verify(server, tenant["slug"], *options) for _ in range(times))
        report.add("%s, one of %d, whole process: %s" % (blueprint, count, what), median,
                   target="under 100 ms", met=median < 100)
        report.add("  processor time of the whole process and the server", (_processor_ms(server) - before) / times)


def _processor_ms(server):
    """What processes that ended used so far, ours and the server's: a busy machine leaves it nearly as it is."""
    time.sleep(REAP_S)
    with open(os.path.join(server.data, "pg", "postmaster.pid"), encoding="utf-8") as f:
        pid = f.readline().strip()
    with open("/proc/%s/stat" % pid, encoding="utf-8") as f:
        ended = f.read().rpartition(")")[2].split()[13:15]  # cutime, cstime
    ours = resource.getrusage(resource.RUSAGE_CHILDREN)
    return sum(map(int, ended)) * 1000 / os.sysconf("SC_CLK_TCK") + (ours.ru_utime + ours.ru_stime) * 1000


def _time_verify(server, *options):
    """Whatever is found is an error: nobody broke anything."""
    return timed([server.machine.tenantry, "isolation", "verify", *options, "--quiet", "--json"], server.environment())


def _measure_fleet(server, report, times, count):
    for what, options, seconds in (("rules", ["--rules-only"], 10), ("rules, 200 probe", ["--pairs", "200"], 60),
                                   ("rules, each probes", [], 60)):
        before = _processor_ms(server)
        median = statistics.median(_time_verify(server, *options, "--seed", str(n)) for n in range(times))
        report.add("fleet of %d: %s" % (count, what), median, target="under %d s" % seconds, met=median < seconds * 1000)
        report.add("  processor time of the whole process and the server", (_processor_ms(server) - before) / times)


# --- what tenants notice ------------------------------------------------------------------------

def _create(server, blueprint):
    """Two neighbours; the first one's slug and login."""
    made = [json.loads(run([server.machine.tenantry, "tenant", "create", server.slugs(), "--blueprint", blueprint, "--json"],
                           server.environment())) for _ in range(2)]
    return made[0]["slug"], made[0]["connections"][0]["uri"]


def _loop(server, uri, blueprint, seconds):
    """The tenant's own queries, one after the other: a process that writes down how long each took."""
    folder = os.path.join(server.machine.folder, "loop-" + blueprint)
    os.makedirs(folder, exist_ok=True)
    for old in glob.glob(folder + "/log*"):
        os.unlink(old)
    with open(folder + "/script", "w", encoding="utf-8") as f:
        f.write(LOOP_QUERIES[blueprint].replace("; ", ";\n") + "\n")
    program = os.path.join(run(["pg_config", "--bindir"]).strip(), LOOP_NAME)
    return folder, subprocess.Popen([program, "-n", "-c", "1", "-T", str(seconds), "-l", "--log-prefix", folder + "/log",
                                     "-f", folder + "/script", uri], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _latencies(paths):
    found = []
    for path in paths:
        with open(path, encoding="utf-8") as f:
            found += [int(line.split()[2]) / 1000 for line in f]
    return found


def _run_loops(server, tenants, seconds, beside):
    """Latencies in ms by blueprint, while beside() is called over and over."""
    loops = {blueprint: _loop(server, uri, blueprint, seconds) for blueprint, (_, uri) in tenants.items()}
    while all(child.poll() is None for _, child in loops.values()):
        beside()
    found = {}
    for blueprint, (folder, child) in loops.items():
        if child.wait() != 0:
            raise RuntimeError("the queries of a tenant of %s failed" % blueprint)
        found[blueprint] = _latencies(glob.glob(folder + "/log*"))
    return found


def _lock_waits(server):
    """Waits of the tenants' own queries for a lock, as the server's log has them: those of at least LOCK_WAIT_MS."""
    with open(os.path.join(server.data, "server.log"), encoding="utf-8", errors="replace") as f:
        return len(re.findall(r"^%s .*still waiting for \w+" % LOOP_NAME, f.read(), re.MULTILINE))


def _measure_blocking(server, report, seconds):
    """A busy machine makes queries slow without any lock, so waits for locks are counted by the server itself."""
    tenants = {blueprint: _create(server, blueprint) for blueprint in (ROW, SCHEMA)}
    server.admin("ALTER SYSTEM SET deadlock_timeout = '%dms'" % LOCK_WAIT_MS, "ALTER SYSTEM SET log_lock_waits = on",
                 "ALTER SYSTEM SET log_line_prefix = '%a '",
                 "SELECT pg_reload_conf()")
    verify = [server.machine.tenantry, "isolation", "verify", "--all-pairs", "--quiet"]
    before = _lock_waits(server)
    alone = _run_loops(server, tenants, seconds, lambda: time.sleep(0.1))
    rules = _run_loops(server, tenants, seconds, lambda: run([*verify[:3], "--rules-only", "--quiet"], server.environment()))
    probed = _run_loops(server, tenants, seconds, lambda: run(verify, server.environment()))
    for blueprint in tenants:
        for what, share in (("slowest query", 1), ("99.9th percentile", 0.999)):
            report.add("%s, %s: probed, and left alone" % (blueprint, what), percentile(probed[blueprint], share),
                       percentile(alone[blueprint], share))
        report.add("%s, slowest query: beside rules, and left alone" % blueprint, max(rules[blueprint]), max(alone[blueprint]))
    waits = _lock_waits(server) - before
    report.add_count("waits of %d ms or more for a lock, of %d queries" % (LOCK_WAIT_MS, sum(map(len, probed.values()))), waits,
                     "none", waits == 0)
