#!/usr/bin/env python3
"""The isolation probes: for each one a tenant that was broken on purpose, which it must report, and its clean twin,
which it must not; nothing is left behind, and nothing of a neighbour is shown."""
import functools
import os

import harness
from harness import shared_server

PROBE = os.path.abspath(os.environ.get("PROBE_BINARY", "build/tests/integration/probe_main"))
SECRET = "kanarienvogel"  # a value of the neighbour's; it must not be seen anywhere


@functools.lru_cache(maxsize=None)
def tenants():
    """Two tenants of each pack that has the tier, with a row of the second that can be recognised."""
    server = shared_server()
    made = {}
    for blueprint, tier in (("trading", "schema"), ("commerce", "schema"), ("saas", "row"), ("fortress", "row")):
        for number in "12":
            tenant = server.create(blueprint + number, blueprint, "--tier", tier)
            tenant["app_role"], tenant["readonly_role"] = (c["role"] for c in tenant["connections"])
            tenant["schema"] = server.tenantry("tenant", "show", blueprint + number)["schema"]
            made[blueprint + number] = tenant
    server.psql("INSERT INTO users (email) VALUES ('%s@example.org')" % SECRET, made["saas2"]["app"])
    server.psql("INSERT INTO portfolios (name) VALUES ('%s')" % SECRET, made["trading2"]["app"])
    return made


def probe(*options, server=None):
    server = server or shared_server()
    key = os.path.join(server.data_dir, "master.key")
    result = harness.run([PROBE, server.conninfo, key, *options])
    assert SECRET not in result.out + result.err
    return result.json()


def found(tenant, *options):
    """{(probe, object)} of what this tenant could do to any neighbour."""
    answer = probe("tenant=" + tenants()[tenant]["id"], "all=1", *options)
    return {(f["check"], f["object"]): f for f in answer["findings"]}


# Name: who probes, what breaks (as superuser), what mends, the probe and the object that must be in the answer.
# {a} and {b} are the two tenants of the blueprint; {sa}, {sb} their schemas; {ra}, {rb} roles; {ro} a's read-only role.
BROKEN = {
    "a grant on a table": ("trading", "GRANT USAGE ON SCHEMA {sb} TO {ra}; GRANT SELECT ON {sb}.orders TO {ra}",
                           "REVOKE ALL ON SCHEMA {sb} FROM {ra}; REVOKE ALL ON {sb}.orders FROM {ra}",
                           ("probe_read", "table {sb}.orders")),
}
