"""Servers to measure on, and what is done with them."""
import json
import os
import subprocess
import time

LOADERS = 2  # processes that make neighbours


class Machine:
    """The built programs and a folder for servers."""

    def __init__(self, build, folder):
        self.tenantry = os.path.join(build, "tenantry")
        self.bench = os.path.join(build, "bench", "tenantry-bench")
        self.folder = folder


class Server:
    """An embedded server with the packs' blueprints and the synthetic one."""

    def __init__(self, machine, name, synthetic):
        self.machine = machine
        self.data = os.path.join(machine.folder, name)
        self.key = os.path.join(self.data, "master.key")
        self.conninfo = "host=%s/run port=5432 user=tenantry dbname=tenantry passfile=%s/server.pass" % (
            self.data, self.data)
        self.count = 0
        run([machine.tenantry, "up"], self.environment())
        run([machine.tenantry, "blueprint", "add", synthetic], self.environment())

    def environment(self):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "TENANTRY_"))}
        env["TENANTRY_DATA_DIR"] = self.data
        env["TENANTRY_SPARES"] = "0"  # none but those that fill_spares() makes
        return env

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.down()

    def down(self):
        run([self.machine.tenantry, "down"], self.environment())

    def slugs(self):
        """A stem for slugs that no other call has."""
        self.count += 1
        return "b%d" % self.count

    def bench_argv(self, *args):
        return [self.machine.bench, self.conninfo, self.key, *map(str, args)]

    def create_warm(self, blueprint, count, are_logins_ready=True, tier="-"):
        """Creates on one connection: one dict of milliseconds per tenant."""
        if are_logins_ready:
            run(self.bench_argv("ready", count))
        out = run(self.bench_argv("create", blueprint, tier, self.slugs(), 1, count))
        return [{k: v / 1000 for k, v in json.loads(line).items()} for line in out.splitlines()]

    def load(self, blueprint, count, tier="-"):
        """Makes neighbours as fast as a few connections can."""
        shares = [count // LOADERS + (i < count % LOADERS) for i in range(LOADERS)]
        loaders = [subprocess.Popen(self.bench_argv("create", blueprint, tier, self.slugs(), 1, share),
                                    stdout=subprocess.DEVNULL) for share in shares]
        if any([loader.wait() for loader in loaders]):
            raise RuntimeError("neighbours of blueprint %s could not be made" % blueprint)

    def admin(self, *statements):
        """As the superuser."""
        conninfo = self.conninfo.replace("user=tenantry", "user=postgres")
        for sql in statements:
            run(["psql", conninfo, "-XAtq", "-c", sql], self.environment())

    def settle(self):
        """As autovacuum leaves a server whose tenants were not all made in the same minute."""
        self.admin("VACUUM ANALYZE")

    def query(self, sql):
        """One JSON value."""
        return json.loads(run(["psql", self.conninfo, "-XAtq", "-c", sql], self.environment()))

    def schema_blueprints(self):
        """Those that offer the schema tier."""
        answer = json.loads(run([self.machine.tenantry, "blueprint", "list", "--json"], self.environment()))
        return [b["name"] for b in answer["blueprints"] if "schema" in b["tiers"]]

    def fill_spares(self, blueprint, count):
        run([self.machine.tenantry, "spare", "fill", blueprint, "--count", str(count)], self.environment())

    def spares_left(self, blueprint):
        answer = run([self.machine.tenantry, "spare", "list", "--blueprint", blueprint, "--json"], self.environment())
        return json.loads(answer)["spares"][0]["ready"]

    def create_at_once(self, blueprint, count):
        """As many processes at the same time: milliseconds until the last has ended, and how many failed."""
        stem = self.slugs()
        start = time.perf_counter()
        children = [subprocess.Popen([self.machine.tenantry, "tenant", "create", "%s-%d" % (stem, i), "--blueprint",
                                      blueprint, "--tier", "schema", "--quiet"], env=self.environment(),
                                     stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                    for i in range(count)]
        failed = sum(child.wait() != 0 for child in children)
        return (time.perf_counter() - start) * 1000, failed

    def time_create(self, blueprint, *options):
        return timed([self.machine.tenantry, "tenant", "create", self.slugs(), "--blueprint", blueprint, *options,
                      "--quiet", "--json"], self.environment())

    def time_by_hand(self, blueprint, kind):
        """psql makes the same tenant in one transaction, from a file."""
        sql = os.path.join(self.machine.folder, "tenant.sql")
        with open(sql, "w", encoding="utf-8") as f:
            f.write(run(self.bench_argv("sql", blueprint, kind)))
        return timed(["psql", self.conninfo, "-Xq", "-v", "ON_ERROR_STOP=1", "-f", sql], self.environment())


def run(argv, env=None):
    done = subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError("%s ended with status %d: %s" % (
            " ".join([os.path.basename(argv[0]), *argv[-4:]]), done.returncode, done.stderr.strip()))
    return done.stdout


def timed(argv, env):
    """Milliseconds of a whole process."""
    start = time.perf_counter()
    run(argv, env)
    return (time.perf_counter() - start) * 1000


def write_synthetic(folder):
    """A blueprint of 60 tables, 120 secondary indexes and 70 foreign keys."""
    os.makedirs(os.path.join(folder, "migrations"))
    with open(os.path.join(folder, "blueprint.yaml"), "w", encoding="utf-8") as f:
        f.write("name: synthetic\ntitle: Synthetic\ndescription: Sixty tables to measure with.\ntiers: [schema]\n"
                "plans:\n  basic:\n    title: Basic\n    description: The only one\n    default: true\n"
                "    features: []\n    limits: {max_connections: 10}\n")
    lines = []
    for t in range(60):
        lines.append("CREATE TABLE t%02d (\n    id bigint PRIMARY KEY,\n    parent_id bigint,\n    other_id bigint,\n"
                     "    name text NOT NULL,\n    state varchar(20) NOT NULL DEFAULT 'new',\n"
                     "    amount numeric(20, 4) NOT NULL DEFAULT 0,\n"
                     "    created_at timestamptz NOT NULL DEFAULT now()\n);\n" % t)
    for t in range(60):
        lines.append("CREATE INDEX t%02d_name ON t%02d (name);\n"
                     "CREATE INDEX t%02d_state ON t%02d (state, created_at);\n" % (t, t, t, t))
    for n in range(70):
        lines.append("ALTER TABLE t%02d ADD CONSTRAINT fk_%02d FOREIGN KEY (%s) REFERENCES t%02d (id);\n" % (
            n % 60, n, "parent_id" if n < 60 else "other_id", n * 7 % (n % 60 + 1)))
    with open(os.path.join(folder, "migrations", "V0001__tables.sql"), "w", encoding="utf-8") as f:
        f.write("".join(lines))
