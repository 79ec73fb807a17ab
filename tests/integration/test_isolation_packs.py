#!/usr/bin/env python3
"""Every rule and every probe on all packs in every tier that they offer: no false alarm, whether places are empty or full,
made or taken from spares, on the embedded server and on a PostgreSQL of others with a role that is no superuser."""
import contextlib
import os

import harness
from test_external import Client, postgres

PACKS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "packs")
_stack = contextlib.ExitStack()


def offered(answer):
    """(blueprint, tier) of all that can be made."""
    for blueprint in answer["blueprints"]:
        tiers = blueprint["tiers"]
        for tier in tiers if isinstance(tiers, list) else tiers.split(", "):
            yield blueprint["name"], tier


def demo_of(name):
    with open(os.path.join(PACKS, name, "demo.sql"), encoding="utf-8") as f:
        return f.read()


def check_clean(client, *scope, unchecked=()):
    """Nothing is found, something was tried, and only what is named was left out."""
    result = client.tenantry("isolation", "verify", *scope, "--seed", "7", "--json", json=False, expect=None)
    answer = result.json()
    assert answer["findings"] == [], (scope, answer["findings"])
    assert answer["probes"] > 0 and answer["rules"] > 0, answer
    left_out = sorted({(u["check"], u["reason"]) for u in answer["unchecked"]})
    assert {check for check, _ in left_out} <= set(unchecked), left_out
    assert result.status == 0, result.text()
    return answer


def make_all(client, suffix):
    """A tenant of each pack in each tier: slug and pack."""
    made = []
    for name, tier in offered(client.tenantry("blueprint", "list")):
        slug = "%s-%s-%s" % (name, tier, suffix)
        answer = client.tenantry("tenant", "create", slug, "--blueprint", name, "--tier", tier)
        made.append((slug, name, {c["login"]: c["uri"] for c in answer["connections"]}["app"]))
    return made


SUPERUSER_ONLY = ("hba_trust", "password_weak")


def check_fleet(client, unchecked):
    """Two tenants of each, empty, then one of each with its pack's demo data, with spares beside them."""
    tenants = make_all(client, "one") + make_all(client, "two")
    check_clean(client, unchecked=unchecked)
    for _, name, login in tenants[: len(tenants) // 2]:
        harness.psql(login, demo_of(name))
    for name, tier in offered(client.tenantry("blueprint", "list")):
        if tier == "schema":
            client.tenantry("spare", "fill", name, "--count", "2")
    answer = check_clean(client, "--all-pairs", unchecked=unchecked)
    assert answer["tenants"] >= len(tenants), answer
    for slug, _, _ in tenants:
        check_clean(client, slug, unchecked=unchecked)


def test_all_packs_are_clean_on_the_embedded_server():
    with harness.Server() as server:
        server.up()
        check_fleet(server, SUPERUSER_ONLY)


def test_tenants_from_spares_are_clean():
    with harness.Server() as server:
        server.up()
        for name, tier in offered(server.tenantry("blueprint", "list")):
            if tier == "schema":
                server.tenantry("spare", "fill", name, "--count", "2")
        make_all(server, "one")
        make_all(server, "two")
        left = server.tenantry("spare", "list")["spares"]
        assert all(row["ready"] == 0 for row in left), left
        check_clean(server, unchecked=SUPERUSER_ONLY)


def test_the_demo_is_clean():
    with harness.Server() as server:
        server.up()
        server.tenantry("demo")
        check_clean(server, unchecked=(*SUPERUSER_ONLY, ))


def test_all_packs_are_clean_on_a_server_of_others():
    client = Client()
    client.tenantry("up")
    check_fleet(client, SUPERUSER_ONLY)


if __name__ == "__main__":
    harness.main()
