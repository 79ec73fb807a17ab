"""Small blueprints whose versions a test writes itself, and what it asks about a rollout of them."""
import os
import time

import crash_state
import harness

KILLED = -9
WAIT_S = 60
POLL_S = 0.05

MANIFEST = """name: %(name)s
title: Vault
description: Boxes of many people.
tiers: [%(tier)s]
plans:
  basic:
    title: Basic
    description: The only one
    default: true
    features: [all]
    limits: {max_connections: 10}
"""

FIRST = {
    "schema": "CREATE TABLE boxes (id bigint PRIMARY KEY, what text);\n",
    "row": "CREATE TABLE boxes (tenant_id uuid NOT NULL DEFAULT tenancy.current_tenant(), id bigint NOT NULL, what text,"
           " CONSTRAINT boxes_pkey PRIMARY KEY (tenant_id, id));\n",
}


class Vault:
    """A blueprint on a server: version 1 makes the table boxes, add() records further versions."""

    def __init__(self, server, name, tier="schema", extra=""):
        self.server, self.name, self.tier = server, name, tier
        self.folder = os.path.join(server.folder, name)
        self.version = 0
        crash_state.TABLES[name] = "boxes"
        os.makedirs(os.path.join(self.folder, "migrations"))
        self._write("blueprint.yaml", MANIFEST % {"name": name, "tier": tier} + extra)
        self.add(FIRST[tier], "DROP TABLE boxes;\n")

    def _write(self, path, text):
        with open(os.path.join(self.folder, path), "w", encoding="utf-8") as f:
            f.write(text)

    def add(self, up, down=None):
        """Records one version more; a test of what a place refuses writes it so that an empty place takes it."""
        self.version += 1
        stem = "migrations/V%04d__step" % self.version
        self._write(stem + ".sql", up)
        if down:
            self._write(stem + ".down.sql", down)
        self.server.tenantry("blueprint", "add", self.folder)
        return self.version

    def add_column(self):
        column = "extra_%d" % (self.version + 1)
        return self.add("ALTER TABLE boxes ADD COLUMN %s text;\n" % column,
                        "ALTER TABLE boxes DROP COLUMN %s;\n" % column)

    def create(self, *slugs):
        return [self.server.create(slug, self.name) for slug in slugs]

    def migrate(self, verb, *args, **options):
        return self.server.tenantry("migrate", verb, self.name, *args, **options)

    def refused(self, verb, *args, says=(), code="rollout_stopped", **options):
        return self.server.refused(code, "migrate", verb, self.name, *args, says=says, **options)

    def status(self):
        return self.migrate("status")

    def newest(self):
        """The newest rollout as status lists it."""
        return self.status()["rollouts"][0]

    def newest_or_none(self):
        return next(iter(self.status()["rollouts"]), None)

    def versions(self):
        """{slug: version} by the registry."""
        return {slug: t["version"] for slug, t in crash_state.tenants(self.server).items()
                if t["blueprint"] == self.name}

    def schema(self, slug):
        return self.server.tenantry("tenant", "show", slug)["schema"]

    def columns(self):
        """{slug: the version that the catalogue shows}: columns extra_N, and 1."""
        found = self.server.psql(
            "SELECT t.slug, 1 + count(a.attname) FROM tenantry.tenants t JOIN tenantry.places p ON p.id = t.place_id"
            " JOIN pg_namespace n ON n.nspname = p.schema_name"
            " JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = 'boxes'"
            " LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname ~ '^extra_' AND NOT a.attisdropped"
            " WHERE t.blueprint = '%s' GROUP BY t.slug" % self.name, self.superuser)
        return {slug: int(version) for slug, version in (line.split("|") for line in found.split())}

    def check_columns(self):
        """Each tenant is at exactly the version that the registry and the ledger say."""
        columns = self.columns()
        for slug, version in self.versions().items():
            assert columns[slug] == version, (slug, version, columns[slug])

    def sql(self, slug, sql):
        """As the server's superuser, in the tenant's schema."""
        return self.server.psql("SELECT p.schema_name AS place FROM tenantry.tenants t JOIN tenantry.places p"
                                " ON p.id = t.place_id WHERE t.slug = '%s' \\gset\nSET search_path = :\"place\";\n" % slug
                                + sql, self.superuser)

    @property
    def superuser(self):
        return crash_state.admin_conninfo(self.server)

    def quarantine(self):
        return {row["tenant"]: row for row in self.status()["quarantine"]}


def in_order(made):
    """Slugs as a rollout takes them."""
    return made.server.psql("SELECT t.slug FROM tenantry.tenants t JOIN tenantry.places p ON p.id = t.place_id"
                            " WHERE p.blueprint = '%s' ORDER BY p.id" % made.name).split()


def wait_until(holds, what):
    end = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(POLL_S)


def wait_until_stopped(child):
    """Until the program stopped itself at a fault point (TENANTRY_FAULT_STOP)."""
    def is_stopped():
        with open("/proc/%d/stat" % child.pid, encoding="ascii", errors="replace") as f:
            return f.read().rpartition(")")[2].split()[0] == "T"
    wait_until(is_stopped, "the program does not reach its fault point")


def start_and_hold(made, *args, point="rollout.place.taken", env=None):
    """A rollout in another process that stands still in the middle of its first place."""
    harness.require_faults()
    child = made.server.spawn("migrate", "up", made.name, *args, "--json",
                              env={"TENANTRY_FAULT_AT": point, "TENANTRY_FAULT_STOP": "1", **(env or {})})
    wait_until_stopped(child)
    return child, str(made.newest()["rollout"])


def ended(child):
    """What a spawned program answered: (status, standard output, standard error)."""
    out, err = child.communicate(timeout=harness.COMMAND_TIMEOUT_S)
    return child.returncode, out, err


def check(server):
    """Everything that holds when nothing is interrupted; the shared tables may be at an older version."""
    broken = crash_state.broken_rules(crash_state.admin_conninfo(server), {
        **crash_state.RULES, "an interrupted job": crash_state.RULES_AT_REST["an interrupted job"]})
    assert not broken, "\n".join(broken)
