#!/usr/bin/env python3
"""Suspended tenants in both tiers: sessions that would outlive the suspend, tenants that fend it off, and one that is killed."""
import contextlib
import os
import signal
import threading

import harness
from harness import Session, refused_sql, shared_server
from tenant_kit import in_both_tiers, stem_of
from test_guard import pack


@contextlib.contextmanager
def sleeping_login(server, tenant, sql):
    """A session that has passed the check of LOGIN and sleeps, in no list of sessions yet. At the end of the block it wakes
    and runs the SQL; the list that this gives has its result then."""
    results = []
    role = tenant["connections"][0]["role"]
    login = threading.Thread(target=lambda: results.append(
        server.psql(sql, tenant["app"], expect=None, env={"PGOPTIONS": "-c post_auth_delay=100"})))
    # What holds the lock of a database and has no row of pg_stat_activity is past the check, and the role is in its title.
    hidden = ("SELECT l.pid FROM pg_locks l WHERE l.classid = 'pg_database'::regclass"
              " AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.pid = l.pid)")
    login.start()
    pids = []
    try:
        while not pids:
            assert login.is_alive(), "the session did not sleep"
            pids = [int(pid) for pid in server.psql(hidden, server.superuser).split() if role in title_of(pid)]
        yield results
    finally:
        while login.is_alive():
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGUSR1)  # which wakes it and means nothing to it
            login.join(harness.POLL_S)


def title_of(pid):
    try:
        with open("/proc/%s/cmdline" % pid, encoding="utf-8", errors="replace") as f:
            return f.read()
    except OSError:
        return ""


def assert_as_it_should_be(server, slug):
    """Neither the rules of isolation nor what the place should be like find anything."""
    found = server.tenantry("isolation", "verify", slug, "--rules-only", expect=None).json()["findings"]
    assert found == [], found
    found = server.tenantry("migrate", "verify", "--tenant", slug, expect=None).json()
    assert found["differences"] == [], found


def open_job(server, slug):
    return server.psql("SELECT id FROM tenantry.jobs WHERE subject = '%s' AND state = 'running'" % slug)


@in_both_tiers
def test_a_session_that_outlives_a_suspend_can_do_nothing(server, slug, blueprint, insert, count, _):
    tenant = server.create(slug, blueprint)
    server.psql(insert, tenant["app"])
    with sleeping_login(server, tenant, "%s %s" % (count, insert)) as results:
        assert server.tenantry("tenant", "suspend", slug)["state"] == "suspended"
    assert results[0].status != 0 and results[0].out.strip() in ("", "0"), results[0].text()
    server.tenantry("tenant", "resume", slug)
    assert server.psql(count, tenant["app"]) == "1"


@in_both_tiers
def test_a_session_that_sleeps_through_a_suspend_is_gone_after_a_resume(server, slug, blueprint, _i, count, _):
    tenant = server.create(slug, blueprint)
    neighbour = server.create("other-" + slug[:40].rstrip("-"), blueprint)
    with sleeping_login(server, neighbour, count) as others, sleeping_login(server, tenant, count) as results:
        server.tenantry("tenant", "suspend", slug)
        server.tenantry("tenant", "resume", slug)
    assert results[0].status != 0 and "terminating connection" in results[0].err, results[0].text()
    assert others[0].out.strip() == "0", others[0].text()
    assert server.psql(count, tenant["app"]) == "0"


@in_both_tiers
def test_suspend_takes_the_rights_and_resume_leaves_the_place_as_it_was(server, slug, blueprint, insert, count, _):
    tenant = server.create(slug, blueprint)
    server.psql(insert, tenant["app"])
    schema = server.tenantry("tenant", "show", slug)["schema"]
    rights = ("SELECT nspacl FROM pg_namespace WHERE nspname = '%s'; SELECT role_name FROM tenancy.role_tenants"
              " WHERE tenant_id = '%s' ORDER BY 1" % (schema, tenant["id"]))
    before = server.psql(rights, server.superuser)
    server.tenantry("tenant", "suspend", slug)
    assert server.psql(rights, server.superuser) != before
    assert_as_it_should_be(server, slug)
    role = tenant["connections"][0]["role"]
    server.psql("ALTER ROLE %s LOGIN" % role, server.superuser)
    for sql in (count, insert):
        result = server.psql(sql, tenant["app"], expect=None)
        assert result.out.strip() in ("", "0") and (sql == count or result.status != 0), result.text()
    server.tenantry("tenant", "resume", slug)
    assert server.psql(rights, server.superuser) == before
    assert server.psql(count, tenant["app"]) == server.psql(count, tenant["readonly"]) == "1"


def test_a_suspended_tenant_is_moved_by_a_rollout_and_stays_locked():
    server = shared_server()
    for tier in ("schema", "row"):
        column = "tenant_id uuid NOT NULL DEFAULT tenancy.current_tenant(), a text"
        with pack("moved" + tier, "CREATE TABLE t (%s);\n" % column, tier) as folder:
            server.tenantry("blueprint", "add", folder)
            tenant = server.create("moved-" + tier, "moved" + tier)
            server.tenantry("tenant", "suspend", "moved-" + tier)
            with open(os.path.join(folder, "migrations", "V0002__next.sql"), "w", encoding="utf-8") as f:
                f.write("CREATE TABLE next (%s);\n" % column)
            server.tenantry("blueprint", "add", folder)
        server.tenantry("migrate", "up", "moved" + tier)  # which "blueprint add" did already for shared tables
        assert_as_it_should_be(server, "moved-" + tier)
        role = tenant["connections"][0]["role"]
        server.psql("ALTER ROLE %s LOGIN" % role, server.superuser)
        assert server.psql("INSERT INTO next (a) VALUES ('x')", tenant["app"], expect=None).status != 0, tier
        server.tenantry("tenant", "resume", "moved-" + tier)
        assert server.psql("INSERT INTO next (a) VALUES ('x') RETURNING a", tenant["app"]) == "x"


def test_a_suspend_does_not_wait_for_a_rollout_of_the_place():
    server = shared_server()
    server.create("halfway", "trading")
    owner = server.tenantry("tenant", "show", "halfway")["roles"]["owner"]
    with Session(server.conninfo) as rollout:
        rollout.ask("BEGIN; SELECT FROM tenantry.places WHERE owner_role = '%s' FOR NO KEY UPDATE;" % owner)
        assert rollout.ask("SELECT tenantry.run_as('%s', true, 'pg_catalog', ARRAY[['here', 'SELECT 1']]);" % owner) == ""
        server.tenantry("tenant", "suspend", "halfway", "--lock-timeout", "1s")
        assert rollout.ask("COMMIT;") == ""
    assert server.tenantry("tenant", "resume", "halfway")["state"] == "active"


# Changes its own role and commits when somebody waits for that, who then finds the role changed; and again.
DEFENCE = """SET statement_timeout = 0;
DO $$ BEGIN
    LOOP
        ALTER ROLE CURRENT_USER PASSWORD NULL;
        WHILE NOT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND transactionid = pg_current_xact_id()::xid) LOOP
            PERFORM pg_sleep(0.005);
        END LOOP;
        COMMIT;
    END LOOP;
END $$"""


@contextlib.contextmanager
def defender(server, uri, role):
    """A session that keeps others from altering its role, but never for as long as they wait for a lock."""
    mine = "FROM pg_stat_activity WHERE usename = '%s'" % role
    session = threading.Thread(target=lambda: server.psql(DEFENCE, uri, expect=None))
    session.start()
    try:
        while server.psql("SELECT count(*) %s AND wait_event = 'PgSleep'" % mine, server.superuser) != "1":
            assert session.is_alive(), "it does not change its role"
        yield
    finally:
        server.psql("SELECT pg_terminate_backend(pid) " + mine, server.superuser)
        session.join()


@in_both_tiers
def test_a_suspend_gets_past_a_tenant_that_changes_its_own_role(server, slug, blueprint, *_):
    tenant = server.create(slug, blueprint)
    with defender(server, tenant["app"], stem_of(tenant) + "_app"):
        assert server.tenantry("tenant", "suspend", slug)["state"] == "suspended"


@in_both_tiers
def test_an_archive_gets_past_a_tenant_that_changes_its_own_role(server, slug, blueprint, *_):
    tenant = server.create(slug, blueprint)
    with defender(server, tenant["app"], stem_of(tenant) + "_app"):
        assert server.tenantry("tenant", "archive", slug, "--drain-timeout", "0s")["state"] == "archived"


@in_both_tiers
def test_a_rotate_that_a_tenant_fends_off_works_while_it_is_suspended(server, slug, blueprint, _i, count, _):
    tenant = server.create(slug, blueprint)
    with defender(server, tenant["app"], stem_of(tenant) + "_app"):
        error = server.refused("conflict", "tenant", "rotate", slug, "--retries", "0")
        assert "tenant suspend " + slug in error["hint"], error
        server.tenantry("tenant", "suspend", slug)
    server.tenantry("tenant", "rotate", slug)
    server.tenantry("tenant", "resume", slug)
    refused_sql(tenant["app"], "SELECT 1", "authentication failed")
    for connection in server.tenantry("tenant", "credentials", slug)["connections"]:
        assert server.psql(count, connection["uri"]) == "0"


def kill_suspend(server, slug):
    """A suspend that dies before it ends any session; the job."""
    harness.require_faults()
    server.tenantry("tenant", "suspend", slug, expect=-signal.SIGKILL,
                    env={"TENANTRY_FAULT_AT": "tenant.suspend.lock.after_commit"})
    return open_job(server, slug)


@in_both_tiers
def test_a_suspend_that_is_finished_after_a_resume_ends_no_session(server, slug, blueprint, _i, count, _):
    tenant = server.create(slug, blueprint)
    job = kill_suspend(server, slug)
    server.tenantry("tenant", "resume", slug)
    with Session(tenant["app"]) as session:
        server.tenantry("job", "resume", job)
        assert session.ask(count) == "0"
    assert server.tenantry("tenant", "show", slug)["state"] == "active"


@in_both_tiers
def test_a_resume_in_the_middle_of_a_suspend_keeps_its_sessions(server, slug, blueprint, *_):
    tenant = server.create(slug, blueprint)
    row = "tenantry.tenants WHERE slug = '%s'" % slug
    with Session(tenant["app"]) as session, Session(server.conninfo) as other:
        job = kill_suspend(server, slug)
        other.ask("BEGIN; SELECT FROM %s FOR UPDATE;" % row)
        suspend = server.spawn("job", "resume", job)
        while server.psql("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'") != "1":
            assert suspend.poll() is None, suspend.communicate()
        other.ask("UPDATE tenantry.tenants SET state = 'active' WHERE slug = '%s'; COMMIT;" % slug)
        assert suspend.wait(harness.COMMAND_TIMEOUT_S) == 0, suspend.communicate()
        assert session.ask("SELECT 1;") == "1"
    server.psql("UPDATE tenantry.tenants SET state = 'suspended' WHERE slug = '%s'" % slug)
    server.tenantry("tenant", "resume", slug)


@in_both_tiers
def test_a_suspend_that_was_killed_is_finished(server, slug, blueprint, *_):
    tenant = server.create(slug, blueprint)
    with Session(tenant["app"]) as session:
        server.tenantry("job", "resume", kill_suspend(server, slug))
        assert "terminating connection" in session.ask("SELECT 1;")


def interrupted_verb(server, verb, slug, fault, *more):
    """Kills an operation at a fault point; the end of the hint that names its job."""
    server.tenantry("tenant", verb, slug, *more, expect=-signal.SIGKILL, env={"TENANTRY_FAULT_AT": fault})
    return "job resume " + open_job(server, slug)


@in_both_tiers
def test_what_a_state_forbids_for_an_open_job_names_that_job(server, slug, blueprint, *_):
    harness.require_faults()
    server.create(slug, blueprint)
    hint = interrupted_verb(server, "suspend", slug, "tenant.suspend.lock.after_commit")
    error = server.refused("tenant_state", "tenant", "suspend", slug, says=("is suspended already",))
    assert error["hint"].endswith(hint), error
    server.tenantry("job", "resume")
    error = server.refused("tenant_state", "tenant", "suspend", slug, says=("is suspended already",))
    assert error["hint"] is None, error
    hint = interrupted_verb(server, "archive", slug, "tenant.archive.wait.begin", "--drain-timeout", "0s")
    for verb, more in (("archive", ()), ("suspend", ()), ("resume", ()), ("purge", ("--yes",))):
        error = server.refused("tenant_state", "tenant", verb, slug, *more, says=("is draining",))
        assert error["hint"].endswith(hint), (verb, error)
    server.tenantry("job", "resume")
    server.tenantry("tenant", "purge", slug, "--yes")


def test_what_is_refused_for_a_create_that_was_killed_names_its_job():
    harness.require_faults()
    server = shared_server()
    server.tenantry("tenant", "create", "half-made", "--blueprint", "saas", expect=-signal.SIGKILL,
                    env={"TENANTRY_FAULT_AT": "tenant.create.ground.begin", "TENANTRY_FAULT_STEPWISE": "1"})
    job = open_job(server, "half-made")
    for verb in ("suspend", "rotate", "credentials", "archive"):
        error = server.refused("tenant_state", "tenant", verb, "half-made")
        assert error["hint"].endswith("job cancel " + job), (verb, error)
    server.tenantry("job", "cancel", job)


@in_both_tiers
def test_a_suspended_tenant_is_no_finding_on_its_way_to_archived(server, slug, blueprint, *_):
    server.create(slug, blueprint)
    server.tenantry("tenant", "suspend", slug)
    harness.require_faults()
    server.tenantry("tenant", "archive", slug, "--drain-timeout", "0s", expect=-signal.SIGKILL,
                    env={"TENANTRY_FAULT_AT": "tenant.archive.wait.begin"})
    assert server.tenantry("tenant", "show", slug)["state"] == "draining"
    assert_as_it_should_be(server, slug)
    server.tenantry("job", "resume", open_job(server, slug))
    assert_as_it_should_be(server, slug)


if __name__ == "__main__":
    harness.main()
