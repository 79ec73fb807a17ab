#!/usr/bin/env python3
"""Prepared transactions, where PostgreSQL allows any: they outlive the sessions of a tenant, with their locks and rows."""
import functools
import os
import re

import harness
from harness import Session, refused_sql
from tenant_kit import in_both_tiers, stem_of


@functools.lru_cache(maxsize=None)
def server_with_prepared():
    server = harness.share(harness.Server())
    server.tenantry("down")
    with open(os.path.join(server.data_dir, "postgresql.local.conf"), "a", encoding="utf-8") as f:
        f.write("max_prepared_transactions = 30\n")
    server.up()
    return server


in_both = functools.partial(in_both_tiers, server=server_with_prepared)


def quoted(text):
    return "'%s'" % text.replace("'", "''")


def prepare(server, uri, sql, *gids):
    for gid in gids:
        server.psql("BEGIN; %s PREPARE TRANSACTION %s;" % (sql, quoted(gid)), uri)


def ghost_of(slug):
    """A test's own: one that fails leaves it to the server that all share."""
    return "ghost of " + slug[:40]


def prepare_locked_out(server, tenant, gid):
    """As an application that prepared while an older program archived it: its login is none any more."""
    server.psql("SET SESSION AUTHORIZATION %s; BEGIN; PREPARE TRANSACTION %s;" % (stem_of(tenant) + "_app", quoted(gid)),
                server.superuser)


def do_as_told(server, error):
    """What the hint says, as a superuser who copies it; the job to resume, or None."""
    found = re.search(r'in database "tenantry": (.+); then(?:: tenantry job resume (\d+)| try again)$', error["hint"])
    assert found, error
    server.psql(found.group(1) + ("" if found.group(1).endswith("gexec") else ";"), server.superuser)
    return found.group(2)


def state_of(server, slug):
    return server.tenantry("tenant", "show", slug)["state"]


@in_both
def test_a_suspend_says_what_the_tenant_has_prepared_and_goes_on_without_it(server, slug, blueprint, insert, count, _):
    tenant = server.create(slug, blueprint)
    prepare(server, tenant["app"], insert, ghost_of(slug))
    with Session(tenant["app"]) as session:
        error = server.refused("prepared_transactions", "tenant", "suspend", slug,
                               says=['"%s" (role "%s_app")' % (ghost_of(slug), stem_of(tenant))])
        assert "terminating connection" in session.ask("SELECT 1;")
    assert state_of(server, slug) == "suspended", "all that can be done is done"
    refused_sql(tenant["app"], "SELECT 1", "not permitted to log in")
    job = do_as_told(server, error)
    server.tenantry("job", "resume", job)
    server.tenantry("tenant", "resume", slug)
    assert server.psql(count, tenant["app"]) == "0"


@in_both
def test_an_archive_stops_before_the_end_while_something_is_prepared(server, slug, blueprint, insert, *_):
    tenant = server.create(slug, blueprint)
    prepare(server, tenant["app"], insert, ghost_of(slug))
    error = server.refused("prepared_transactions", "tenant", "archive", slug, "--drain-timeout", "0s",
                           says=['"%s"' % ghost_of(slug)])
    assert state_of(server, slug) == "draining"
    job = do_as_told(server, error)
    server.tenantry("job", "resume", job)
    assert state_of(server, slug) == "archived"


@in_both
def test_a_purge_of_a_tenant_with_a_prepared_transaction_is_refused_whole(server, slug, blueprint, *_):
    tenant = server.create(slug, blueprint)
    server.tenantry("tenant", "archive", slug, "--drain-timeout", "0s")
    prepare_locked_out(server, tenant, ghost_of(slug))
    error = server.refused("prepared_transactions", "tenant", "purge", slug, "--yes",
                           says=['"%s"' % ghost_of(slug)])
    assert state_of(server, slug) == "archived"
    assert do_as_told(server, error) is None
    server.tenantry("tenant", "purge", slug, "--yes")


def test_what_was_prepared_as_the_group_of_a_shared_place_counts_as_anybodys():
    """Every tenant of the place may commit it, after the one that wrote it was purged too."""
    server = server_with_prepared()
    tenant, neighbour = server.create("in-group", "saas"), server.create("in-group-too", "saas")
    group = server.psql("SELECT app_role FROM tenantry.places WHERE blueprint = 'saas' AND tier = 'row'")
    prepare(server, tenant["app"], "INSERT INTO users (email) VALUES ('a@example.org'); SET ROLE %s;" % group, "shared ghost")
    error = server.refused("prepared_transactions", "tenant", "suspend", "in-group", says=['"shared ghost" (role "%s")' % group])
    server.psql("SET ROLE %s; ROLLBACK PREPARED 'shared ghost';" % group, neighbour["app"])
    server.tenantry("job", "resume", re.search(r"job resume (\d+)$", error["hint"]).group(1))


@in_both
def test_a_job_whose_tenant_was_resumed_leaves_alone_what_it_prepared(server, slug, blueprint, insert, count, _):
    tenant = server.create(slug, blueprint)
    prepare(server, tenant["app"], insert, ghost_of(slug))
    error = server.refused("prepared_transactions", "tenant", "suspend", slug)
    server.tenantry("tenant", "resume", slug)
    server.tenantry("job", "resume", re.search(r"job resume (\d+)$", error["hint"]).group(1))
    server.psql("COMMIT PREPARED '%s';" % ghost_of(slug), tenant["app"])
    assert server.psql(count, tenant["app"]) == "1"


def test_hostile_identifiers_are_shown_safely_and_the_hint_ends_what_it_names():
    server = server_with_prepared()
    tenant = server.create("hostile", "saas")
    gids = ["a'; DROP ROLE x; --", "back\\slash' \\gexec", "\x1b[31mred\nhint: nothing is wrong", "x" * 199, "\\" * 199, "\u202egro.elpmaxe",
            "last"]
    prepare(server, tenant["app"], "", *gids)
    result = server.tenantry("tenant", "suspend", "hostile", json=False, expect=None)
    assert result.status == 75 and "and 4 more" in result.err and result.err.count("\nhint:") == 1, result.text()
    assert "\x1b" not in result.err and r"\x1b[31mred\x0ahint" in result.err, result.text()
    job = re.search(r"job resume (\d+)$", result.err.rstrip()).group(1)
    for left in range(len(gids) - 1, -1, -1):
        error = server.refused("prepared_transactions", "job", "resume", job)
        do_as_told(server, error)
        assert server.psql("SELECT count(*) FROM pg_prepared_xacts WHERE owner ~ '%s'" % stem_of(tenant)) == str(left), error
    server.tenantry("job", "resume", job)


def test_a_purge_names_the_prepared_transaction_that_holds_it_up():
    """The lock of one has the number of its session until the server was restarted, and none afterwards."""
    server = server_with_prepared()
    server.create("held-up", "saas")
    holder = server.create("holder", "saas")
    server.tenantry("tenant", "archive", "held-up", "--drain-timeout", "0s")
    prepare(server, holder["app"], "SAVEPOINT a; INSERT INTO users (email) VALUES ('b@example.org'); LOCK TABLE users;", "lock")
    purge = ("tenant", "purge", "held-up", "--yes", "--lock-timeout", "100ms", "--retries", "0")
    named = 'prepared transactions with locks there: "lock" (tenant "holder")'
    server.refused("pg_locked", *purge, says=[named])
    server.tenantry("down")
    server.up()
    error = server.refused("pg_locked", *purge, says=[named])
    assert "tenants with locks" not in error["message"], error
    assert do_as_told(server, error) is None
    server.tenantry(*purge)


def test_a_suspend_that_a_prepared_change_of_the_role_holds_up_names_it():
    server = server_with_prepared()
    tenant = server.create("altered", "saas")
    prepare(server, tenant["app"], "ALTER ROLE CURRENT_USER PASSWORD 'another';", "changed")
    error = server.refused("pg_locked", "tenant", "suspend", "altered", "--retries", "0",
                           says=['prepared transactions that may be in the way: "changed"'])
    assert do_as_told(server, error) is None
    assert server.tenantry("tenant", "suspend", "altered")["state"] == "suspended"


if __name__ == "__main__":
    harness.main()
