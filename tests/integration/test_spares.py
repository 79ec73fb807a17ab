#!/usr/bin/env python3
"""Spares: places made ahead of time that a create claims, and the keeper that makes them."""
import functools
import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

import crash_state
import harness

WAIT_S = 300  # of a machine that does much else
POLL_S = 0.2  # each look is a process and a session
KILLED = -9

# Everything that a tenant of the schema tier is, with its stem, id and place taken out, so that two tenants that
# were made the same way give the same text.
FINGERPRINT = r"""
WITH me AS (SELECT t.id, p.schema_name AS stem, n.oid AS nsp, p.owner_role, p.app_role, p.readonly_role, p.id AS place
              FROM tenantry.tenants t JOIN tenantry.places p ON p.id = t.place_id
              JOIN pg_namespace n ON n.nspname = p.schema_name WHERE t.slug = '%s'),
 roles AS (SELECT r.* FROM pg_roles r, me WHERE r.rolname IN (owner_role, app_role, readonly_role)),
 facts AS (
  SELECT 'role' AS what, concat_ws(' ', rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin,
         rolreplication, rolbypassrls, rolconnlimit, rolvaliduntil) AS fact FROM roles
  UNION ALL SELECT 'setting', rolname || ' ' || c FROM roles, unnest(rolconfig) c
  UNION ALL SELECT 'member', concat_ws(' ', g.rolname ~ '^tenantry_tenants', m.rolname, a.admin_option)
    FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid JOIN roles m ON m.oid = a.member
  UNION ALL SELECT 'schema', concat_ws(' ', nspname, nspowner::regrole, nspacl) FROM pg_namespace, me WHERE oid = nsp
  UNION ALL SELECT 'relation', concat_ws(' ', relname, relkind, relowner::regrole, relpersistence, relispartition,
         (SELECT array_agg(x::text ORDER BY x::text) FROM unnest(relacl) x), pg_get_expr(relpartbound, oid))
    FROM pg_class, me WHERE relnamespace = nsp AND relname !~ '^pg_toast'
  UNION ALL SELECT 'column', concat_ws(' ', attrelid::regclass, attnum, attname, atttypid::regtype, attnotnull)
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid, me WHERE c.relnamespace = nsp AND attnum > 0
  UNION ALL SELECT 'constraint', concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint, me WHERE connamespace = nsp
  UNION ALL SELECT 'index', pg_get_indexdef(indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid, me
    WHERE c.relnamespace = nsp
  UNION ALL SELECT 'function', pg_get_functiondef(oid) || coalesce(proacl::text, '') FROM pg_proc, me
    WHERE pronamespace = nsp
  UNION ALL SELECT 'default right', concat_ws(' ', d.defaclrole::regrole, d.defaclobjtype, d.defaclnamespace = nsp,
         d.defaclacl) FROM pg_default_acl d JOIN roles r ON r.oid = d.defaclrole, me
  UNION ALL SELECT 'registered', concat_ws(' ', r.name, r.kind) FROM tenantry.roles r, me WHERE r.tenant_id = me.id
  UNION ALL SELECT 'mapped', m.role_name FROM tenancy.role_tenants m, me WHERE m.tenant_id = me.id
  UNION ALL SELECT 'credential', c.role_name || ' ' || c.key_id FROM tenantry.credentials c, me WHERE c.tenant_id = me.id
  UNION ALL SELECT 'migration', concat_ws(' ', m.version, m.name, m.sha256) FROM tenantry.place_migrations m, me
    WHERE m.place_id = me.place
  UNION ALL SELECT 'tenant', concat_ws(' ', t.blueprint, t.plan, t.tier, t.state, p.version) FROM tenantry.tenants t
    JOIN tenantry.places p ON p.id = t.place_id, me WHERE t.id = me.id)
SELECT replace(what || ': ' || fact, (SELECT stem FROM me), 'STEM') FROM facts ORDER BY 1
"""

BLUEPRINT = """name: %(name)s
title: Cards
description: Cards of one tenant.
tiers: [schema]
plans:
  basic:
    title: Basic
    description: The only one
    default: true
    features: [all]
    limits: {max_connections: 10}
    settings: {statement_timeout: 30s}
"""


def admin(server):
    return crash_state.admin_conninfo(server)


def spares(server, blueprint="trading"):
    return server.tenantry("spare", "list", "--blueprint", blueprint)["spares"][0]


def fill(server, count, blueprint="trading"):
    answer = server.tenantry("spare", "fill", blueprint, "--count", str(count))
    assert answer["ready"] >= count, answer


def spare_ids(server):
    return set(server.psql("SELECT tenant_id FROM tenantry.spares").split())


def fingerprint(server, slug):
    return server.psql(FINGERPRINT % slug, admin(server)).split("\n")


def write_cards(folder, name, version):
    """A blueprint of the schema tier with `version` migrations."""
    path = os.path.join(folder, name)
    os.makedirs(os.path.join(path, "migrations"), exist_ok=True)
    with open(os.path.join(path, "blueprint.yaml"), "w", encoding="utf-8") as f:
        f.write(BLUEPRINT % {"name": name})
    texts = ["CREATE TABLE cards (id bigint NOT NULL, CONSTRAINT cards_pkey PRIMARY KEY (id));\n"]
    texts += ["ALTER TABLE cards ADD COLUMN text_%d text;\n" % n for n in range(2, version + 1)]
    for number, text in enumerate(texts, 1):
        with open(os.path.join(path, "migrations", "V%04d__cards.sql" % number), "w", encoding="utf-8") as f:
            f.write(text)
    return path


def are_ready(server, env=None):
    """Whether every blueprint has the spares that are kept of it."""
    return all(row["ready"] == row["target"] for row in server.tenantry("spare", "list", env=env)["spares"])


def wait_until(holds, what):
    end = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(POLL_S)


def check(server):
    crash_state.check_whole(server, at_rest=False, logins=())


def test_a_tenant_from_a_spare_is_the_same_as_one_made_anew():
    server = harness.shared_server()
    for plan in ("basic", "professional"):
        made = server.create("anew-" + plan, "trading", "--plan", plan)
        fill(server, 1)
        waiting = spare_ids(server)
        claimed = server.create("claimed-" + plan, "trading", "--plan", plan)
        assert claimed["id"] in waiting and made["id"] not in waiting
        assert claimed["id"] not in spare_ids(server)
        old, new = fingerprint(server, "anew-" + plan), fingerprint(server, "claimed-" + plan)
        assert old == new, sorted(set(old) ^ set(new))
        assert len(old) > 50
        assert server.psql("SELECT tenancy.current_tenant()", claimed["app"]) == claimed["id"]
        server.psql("INSERT INTO portfolios (user_id, name) VALUES (gen_random_uuid(), 'one')", claimed["app"])
        assert server.psql("SELECT count(*) FROM portfolios", claimed["readonly"]) == "1"
        harness.refused_sql(claimed["readonly"], "DELETE FROM portfolios", "read-only transaction")
    check(server)


def test_a_spare_lets_nobody_in_before_it_is_claimed():
    server = harness.shared_server()
    fill(server, 1)
    may_login = server.psql("SELECT bool_or(r.rolcanlogin) FROM tenantry.spares s JOIN tenantry.places p"
                            " ON p.id = s.place_id JOIN pg_roles r ON r.rolname IN (p.owner_role, p.app_role,"
                            " p.readonly_role)", admin(server))
    assert may_login == "f"


def test_creates_at_once_use_each_spare_once():
    server = harness.shared_server()
    fill(server, 10)
    waiting = spare_ids(server)
    children = [server.spawn("tenant", "create", "rush-%d" % n, "--blueprint", "trading", "--json") for n in range(30)]
    ended = [(child.communicate(timeout=WAIT_S), child.returncode) for child in children]
    assert all(status == 0 for _, status in ended), [out for out, status in ended if status != 0]
    ids = [json.loads(out[0])["id"] for out, _ in ended]
    assert len(set(ids)) == 30
    assert waiting <= set(ids), "a spare was left while a tenant was made anew"
    assert not spare_ids(server)
    found = crash_state.tenants(server, "active")
    assert all("rush-%d" % n in found for n in range(30))
    check(server)


def test_a_spare_of_an_older_version_is_not_claimed():
    server = harness.shared_server()
    folder = os.path.join(server.folder, "old")
    server.tenantry("blueprint", "add", write_cards(folder, "cards", 1))
    fill(server, 2, "cards")
    old = spare_ids(server)
    server.tenantry("blueprint", "add", write_cards(folder, "cards", 2))
    assert (spares(server, "cards")["ready"], spares(server, "cards")["stale"]) == (0, 2)
    made = server.create("second", "cards")
    assert made["id"] not in old and made["version"] == 2
    assert server.tenantry("spare", "drop", "cards", "--stale")["left"] == 0
    assert not spare_ids(server) & old
    check(server)


def test_a_spare_of_another_definition_with_the_same_version_is_not_claimed():
    server = harness.shared_server()
    folder = os.path.join(server.folder, "same")
    path = write_cards(folder, "decks", 1)
    server.tenantry("blueprint", "add", path)
    fill(server, 1, "decks")
    with open(os.path.join(path, "blueprint.yaml"), "a", encoding="utf-8") as f:
        f.write("append_only: [cards]\n")
    server.tenantry("blueprint", "add", path)
    assert spares(server, "decks")["stale"] == 1
    made = server.create("narrow", "decks")
    harness.refused_sql(made["app"], "DELETE FROM cards", "permission denied")
    server.tenantry("spare", "drop", "decks", "--stale")


def test_a_spare_without_todays_partitions_is_not_claimed_until_they_are_made():
    server = harness.shared_server()
    fill(server, 1)
    waiting = spare_ids(server)
    server.psql("UPDATE tenantry.spares SET fresh_until = now() - interval '1 minute'", admin(server))
    assert spares(server)["ready"] == 0 and spares(server)["stale"] == len(waiting)
    assert server.create("today", "trading")["id"] not in waiting
    server.tenantry("partition", "ensure")
    assert spares(server)["ready"] == len(waiting)
    assert server.create("tomorrow", "trading")["id"] in waiting


def test_a_spare_whose_seed_asks_for_the_time_is_claimed_on_its_day_only():
    server = harness.shared_server()
    for name, value in (("timed", "extract(epoch FROM now() + interval '14 days')"), ("timeless", "1")):
        with harness.temporary_folder() as folder:
            path = write_cards(folder, name, 1)
            with open(os.path.join(path, "blueprint.yaml"), "a", encoding="utf-8") as f:
                f.write("seed: seed.sql\n")
            with open(os.path.join(path, "seed.sql"), "w", encoding="utf-8") as f:
                f.write("INSERT INTO cards VALUES (%s);\n" % value)
            server.tenantry("blueprint", "add", path)
        fill(server, 1, name)
    assert server.psql("SELECT blueprint, fresh_until = date_trunc('day', created_at, 'UTC') + interval '1 day', fresh_until = 'infinity'"
                       " FROM tenantry.spares WHERE blueprint LIKE 'time%' ORDER BY 1 DESC").split() == ["timeless|f|t", "timed|t|f"]
    waiting = spare_ids(server)
    server.psql("UPDATE tenantry.spares SET fresh_until = fresh_until - interval '1 day' WHERE blueprint = 'timed'")
    server.tenantry("partition", "ensure")
    assert spares(server, "timed")["stale"] == 1, server.psql("SELECT tenant_id, blueprint, fresh_until, created_at FROM tenantry.spares")
    assert server.create("on-time", "timed")["id"] not in waiting
    server.tenantry("spare", "drop", "timed", "--stale")
    assert spares(server, "timed")["stale"] == 0
    server.tenantry("spare", "drop", "timeless", "--all")


def test_a_spare_of_which_somebody_dropped_a_part_is_passed_over():
    with harness.Server() as server:
        server.up()
        for number, broken in enumerate((
                "DROP SCHEMA {schema} CASCADE",
                "DROP SCHEMA {schema} CASCADE; DROP OWNED BY {owner} CASCADE; DROP ROLE {owner}",
                "DROP OWNED BY {app} CASCADE; DROP ROLE {app}")):
            fill(server, 2)
            words = json.loads(server.psql(
                "SELECT json_build_object('id', s.tenant_id, 'schema', p.schema_name, 'owner', p.owner_role, 'app', p.app_role)"
                " FROM tenantry.spares s JOIN tenantry.places p ON p.id = s.place_id ORDER BY s.created_at LIMIT 1"))
            server.psql(broken.format(**words), admin(server))
            whole = spare_ids(server) - {words["id"]}
            made = server.create("whole-%d" % number, "trading")
            assert {made["id"]} == whole
            server.psql("INSERT INTO portfolios (user_id, name) VALUES (gen_random_uuid(), 'one')", made["app"])
            assert (spares(server)["ready"], spares(server)["stale"]) == (0, 1)
            assert server.tenantry("spare", "drop", "--stale")["left"] == 0
            assert not spare_ids(server)
            crash_state.check_whole(server, logins=())


def test_a_create_whose_spare_breaks_under_it_can_be_cancelled():
    harness.require_faults()
    with harness.Server() as server:
        server.up()
        fill(server, 1)
        server.tenantry("tenant", "create", "broken", "--blueprint", "trading",
                        env={"TENANTRY_FAULT_AT": "tenant.create.reserve.after_commit", "TENANTRY_FAULT_STEPWISE": "1"},
                        expect=KILLED)
        crash_state.wait_until_quiet(server)
        schema = server.psql("SELECT p.schema_name FROM tenantry.spares s JOIN tenantry.places p ON p.id = s.place_id")
        server.psql("DROP OWNED BY {0}_app CASCADE; DROP ROLE {0}_app".format(schema), admin(server))
        server.tenantry("job", "cancel", str(crash_state.interrupted(server)[0]["id"]))
        server.create("broken", "trading")
        crash_state.check_whole(server)


def test_a_spare_of_other_optional_extensions_is_not_claimed():
    server = harness.shared_server()
    folder = write_cards(server.folder, "choosy", 1)
    with open(folder + "/blueprint.yaml", "a", encoding="utf-8") as f:
        f.write("extensions: {optional: [no_such_extension, tsm_system_rows, citext]}\n")
    server.tenantry("blueprint", "add", folder)
    fill(server, 1, "choosy")
    assert server.psql("SELECT extensions FROM tenantry.spares WHERE blueprint = 'choosy'") == "{citext,tsm_system_rows}"
    # As if it had been made before the server offered one of them.
    server.psql("UPDATE tenantry.spares SET extensions = '{citext}' WHERE blueprint = 'choosy'", admin(server))
    row = spares(server, "choosy")
    assert (row["ready"], row["stale"]) == (0, 1), row
    old = server.psql("SELECT tenant_id FROM tenantry.spares WHERE blueprint = 'choosy'")
    assert server.create("choosy-one", "choosy")["id"] != old
    server.tenantry("spare", "drop", "choosy", "--stale")
    assert server.psql("SELECT count(*) FROM tenantry.spares WHERE blueprint = 'choosy'") == "0"
    fill(server, 1, "choosy")
    new = server.psql("SELECT tenant_id FROM tenantry.spares WHERE blueprint = 'choosy'")
    assert server.create("choosy-two", "choosy")["id"] == new


def test_key_rotation_seals_spares_again():
    server = harness.shared_server()
    fill(server, 2)
    before = spare_ids(server)
    key = server.tenantry("key", "rotate")["key"]
    assert server.psql("SELECT DISTINCT key_id FROM tenantry.spares") == key
    made = server.create("after-rotation", "trading")
    assert made["id"] in before
    assert server.psql("SELECT 1", made["app"]) == "1" and server.psql("SELECT 1", made["readonly"]) == "1"
    check(server)


def test_a_spare_that_a_rotation_has_not_reached_is_sealed_again_when_it_is_taken():
    """The old key is retired but not gone yet when a create takes a spare that is sealed with it."""
    harness.require_faults()
    with harness.Server() as server:
        server.up()
        fill(server, 1)
        server.tenantry("key", "rotate", env={"TENANTRY_FAULT_AT": "key.rotate.activate.after_commit"}, expect=KILLED)
        crash_state.wait_until_quiet(server)
        made = server.create("between", "trading")
        server.tenantry("job", "resume")
        shown = {c["login"]: c["uri"] for c in server.tenantry("tenant", "credentials", "between")["connections"]}
        assert shown == {"app": made["app"], "readonly": made["readonly"]}
        crash_state.check_whole(server)


def test_a_tenant_from_a_spare_can_be_purged():
    server = harness.shared_server()
    fill(server, 1)
    server.create("passing", "trading")
    for args in (("suspend",), ("resume",), ("rotate",), ("archive", "--drain-timeout", "0s"), ("purge", "--yes")):
        server.tenantry("tenant", args[0], "passing", *args[1:])
    check(server)


def test_a_cancelled_create_drops_the_spare_that_it_claimed():
    harness.require_faults()
    with harness.Server() as server:
        server.up()
        fill(server, 2)
        waiting = spare_ids(server)
        server.tenantry("tenant", "create", "undone", "--blueprint", "trading",
                        env={"TENANTRY_FAULT_AT": "tenant.create.reserve.after_commit", "TENANTRY_FAULT_STEPWISE": "1"},
                        expect=KILLED)
        crash_state.wait_until_quiet(server)
        assert spares(server)["claimed"] == 1 and spares(server)["ready"] == 1
        crash_state.check_whole(server, at_rest=False)
        assert server.tenantry("spare", "drop", "--all")["left"] == 0, "a claimed one is not dropped"
        assert spares(server)["claimed"] == 1
        server.tenantry("job", "cancel", str(crash_state.interrupted(server)[0]["id"]))
        assert not spare_ids(server)
        assert server.create("undone", "trading")["id"] not in waiting
        crash_state.check_whole(server)


def test_a_resumed_create_takes_the_spare_that_it_claimed():
    harness.require_faults()
    with harness.Server() as server:
        server.up()
        for point in ("tenant.create.reserve.after_commit", "tenant.create.ground.after_commit",
                      "tenant.provision.sent", "tenant.provision.made", "tenant.create.provision.before_commit"):
            fill(server, 1)
            waiting = spare_ids(server)
            slug = "gone-on-" + point.replace(".", "-").replace("_", "-")
            server.tenantry("tenant", "create", slug, "--blueprint", "trading",
                            env={"TENANTRY_FAULT_AT": point, "TENANTRY_FAULT_STEPWISE": "1"}, expect=KILLED)
            crash_state.wait_until_quiet(server)
            server.tenantry("job", "resume")
            assert {crash_state.tenants(server)[slug]["id"]} == waiting
            crash_state.check_whole(server)


def test_a_create_that_finds_the_slug_taken_leaves_the_spare():
    server = harness.shared_server()
    server.create("first-come", "trading")
    fill(server, 1)
    waiting = spare_ids(server)
    server.refused("slug_taken", "tenant", "create", "first-come", "--blueprint", "trading")
    assert spare_ids(server) == waiting and spares(server)["claimed"] == 0


def test_spares_are_refused_where_they_make_no_sense():
    server = harness.shared_server()
    server.refused("input_invalid", "spare", "fill", "saas", says=("has no tier \"schema\"",))
    server.refused("input_invalid", "spare", "list", "--blueprint", "saas", says=("has no tier \"schema\"",))
    server.refused("blueprint_missing", "spare", "fill", "tradin", says=("trading",))
    server.refused("blueprint_missing", "spare", "drop", "nothing", "--all")
    server.refused("input_invalid", "spare", "drop", says=("either --stale or --all",))
    server.refused("input_invalid", "spare", "drop", "--stale", "--all", says=("either --stale or --all",))
    server.refused("input_invalid", "spare", "fill", "trading", "--count", "0", says=("count",))


def test_a_spare_whose_drop_a_tenant_holds_up_says_which():
    with harness.Server() as server:
        server.up()
        fill(server, 1)
        owner = server.psql("SELECT p.owner_role FROM tenantry.spares s JOIN tenantry.places p ON p.id = s.place_id")
        tenant = server.create("hanger-on", "saas", "--tier", "row")
        drop = ("spare", "drop", "trading", "--all", "--lock-timeout", "100ms", "--retries", "0")
        with harness.Session(tenant["app"]) as session:
            assert session.ask("BEGIN; ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO %s;" % owner) == ""
            server.refused("pg_locked", *drop, says=('tenants with locks there: "hanger-on"',))
            server.tenantry("tenant", "suspend", "hanger-on")
        server.tenantry(*drop)
        assert spare_ids(server) == set()
        check(server)


def test_two_fillers_make_what_was_asked_for_and_no_more():
    server = harness.shared_server()
    server.tenantry("spare", "drop", "--all")
    results = []
    threads = [threading.Thread(target=lambda: results.append(server.tenantry("spare", "fill", "trading", "--count", "4")))
               for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [r["ready"] for r in results] == [4, 4]
    assert spares(server)["ready"] == 4


# --- the keeper

def kept(env=None):
    return harness.Server({"TENANTRY_SPARES": "2", **(env or {})})


@functools.lru_cache(maxsize=None)
def kept_server():
    """One for all tests of the keeper, since to fill it takes longer than most of them. Its keeper may have ended: "up" starts
    another."""
    return harness.share(kept())


def without_keeper():
    """The same, for a keeper that the test starts itself."""
    server = kept_server()
    server.tenantry("up", env={"TENANTRY_SPARES": "0"})
    wait_until(lambda: keeper(server) is None, "the keeper does not end")
    return server


def keeper(server):
    return server.tenantry("status")["keeper"]


def is_full(server, count=2, blueprint="trading"):
    return lambda: spares(server, blueprint)["ready"] >= count


def test_a_killed_keeper_leaves_whole_spares_and_up_starts_another():
    server = kept_server()
    first = server.up()["keeper"]  # it has begun to fill, when this is the first test
    os.kill(first, signal.SIGKILL)
    harness.wait_for_exit(first)
    assert keeper(server) is None
    crash_state.wait_until_quiet(server)
    check(server)
    second = server.up()["keeper"]
    assert second not in (None, first) and keeper(server) == second
    wait_until(is_full(server), "no spares")


def test_up_starts_a_keeper_that_fills_and_down_ends_it():
    server = kept_server()
    pid = server.up()["keeper"]
    assert pid and harness.is_running(pid) and keeper(server) == pid
    wait_until(is_full(server), "no spares")
    assert server.tenantry("status")["spares"]["trading"] == 2
    server.create("first", "trading")
    wait_until(is_full(server), "no new spare")
    server.tenantry("down")
    assert not harness.is_running(pid)
    assert keeper(server) is None


def test_a_keeper_reads_no_configuration_file_that_up_did_not_read():
    home = pwd.getpwuid(os.getuid()).pw_dir
    if os.getuid() != 0 or not os.path.isdir(home) or harness.BINARY.startswith(os.path.join(home, "")):
        harness.skip("only root can put another folder in the place of its home")
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode != 0:
        harness.skip("no mount of its own may be made here")
    with kept() as server:
        usual = os.path.join(server.folder, ".config", "tenantry")
        os.makedirs(usual)
        with open(os.path.join(usual, "tenantry.yaml"), "w", encoding="utf-8") as f:
            f.write("database-url: postgresql://nobody@/nothing?host=/nonexistent\n")
        # What "up" does not see, since HOME is another one; the keeper has none.
        up = harness.run(["unshare", "--mount", "sh", "-c", 'mount --bind "$1" "$2" && exec "$3" up --json', "sh",
                          server.folder, home, harness.BINARY], server.env)
        pid = up.json()["keeper"]
        assert pid is not None and keeper(server) == pid, up.text()
        server.tenantry("down")
        assert not harness.is_running(pid)


def test_a_keeper_that_ends_with_its_server_has_one():
    env = {"TENANTRY_DATABASE_URL": "postgresql://nobody@/nothing?host=/nonexistent"}
    harness.check_refusal(harness.tenantry("spare", "keep", "--with-server", env=env, expect=None, timeout=20), "usage",
                          "--with-server", "external")


def test_five_ups_at_once_leave_one_keeper_and_miss_none():
    server = kept_server()
    ups = [server.spawn("up", "--json") for _ in range(5)]
    told = []
    for up in ups:
        out, err = up.communicate(timeout=harness.COMMAND_TIMEOUT_S)
        assert up.returncode == 0 and err == "", (up.returncode, out, err)
        told.append(json.loads(out)["keeper"])
    last = keeper(server)
    assert len(set(told)) == 5 and last in told, told
    assert all(harness.wait_for_exit(pid) for pid in told if pid != last), "the others were ended"


def test_the_keeper_replaces_spares_of_an_older_version():
    server = kept_server()
    server.up()
    server.tenantry("blueprint", "add", write_cards(server.folder, "cards", 1))
    wait_until(is_full(server, 2, "cards"), "no spares")
    old = set(server.psql("SELECT tenant_id FROM tenantry.spares WHERE blueprint = 'cards'").split())
    server.tenantry("blueprint", "add", write_cards(server.folder, "cards", 2))
    wait_until(is_full(server, 2, "cards"), "no new spares")
    wait_until(lambda: spares(server, "cards")["stale"] == 0, "old spares stay")
    assert not old & spare_ids(server)
    server.tenantry("down")
    server.up()
    check(server)


def make_older(server, ids):
    server.psql("UPDATE tenantry.spares SET created_at = created_at - interval '61 minutes' WHERE tenant_id IN ('%s')"
                % "', '".join(ids), admin(server))


def test_the_keeper_drops_old_spares_above_its_number():
    with kept({"TENANTRY_SPARES": "1"}) as server:
        server.up()
        wait_until(lambda: are_ready(server), "no spares")
        first = spare_ids(server)
        fill(server, 4)
        young = spare_ids(server) - first
        trading = set(server.psql("SELECT tenant_id FROM tenantry.spares WHERE blueprint = 'trading'").split())
        old = trading & first
        assert (len(old), len(trading)) == (1, 4)
        make_older(server, old)
        wait_until(lambda: not old & spare_ids(server), "the old one stays")
        assert young <= spare_ids(server), "a young one was dropped"
        # Two that were created within the hour, though not just now: as many are kept, and no more are made.
        for n in range(2):
            server.create("lately-%d" % n, "trading")
        server.psql("UPDATE tenantry.tenants SET created_at = created_at - interval '30 minutes'", admin(server))
        fill(server, 4)
        make_older(server, spare_ids(server))
        wait_until(lambda: (spares(server)["ready"], spares(server)["target"]) == (2, 1), "two are to stay")
        make_older(server, spare_ids(server))
        server.psql("UPDATE tenantry.tenants SET created_at = created_at - interval '1 hour'", admin(server))
        wait_until(lambda: spares(server)["ready"] == 1, "more than one stays")


def test_a_create_that_was_killed_holds_no_spare_up():
    harness.require_faults()
    with open(os.path.join(os.path.dirname(__file__), "../../src/store/statements.def"), encoding="utf-8") as f:
        text = re.search(r"STATEMENT\(SPARE_BUSY,.*?\*/\n(.*?)\)\nSTATEMENT", f.read(), re.S).group(1)
    busy = "".join(re.findall(r'^ *"(.*)"$', text, re.M))
    server = harness.shared_server()
    create = ("tenant", "create", "held-up", "--blueprint", "trading")
    assert server.psql(busy) == "f"
    stopped = server.spawn(*create, env={"TENANTRY_FAULT_AT": "tenant.provision.made", "TENANTRY_FAULT_STOP": "1",
                                         "TENANTRY_FAULT_STEPWISE": "1"})
    wait_until(lambda: server.psql("SELECT count(*) FROM tenantry.jobs WHERE state = 'running' AND subject = 'held-up'") == "1",
               "the create does not begin")
    assert server.psql(busy) == "t"
    stopped.kill()
    stopped.wait()
    wait_until(lambda: server.psql(busy) == "f", "a killed create counts")
    job = server.psql("SELECT id FROM tenantry.jobs WHERE state = 'running' AND subject = 'held-up'")
    server.tenantry("job", "resume", job)


def test_the_keeper_makes_the_partitions_that_are_due():
    server = kept_server()
    server.tenantry("down")
    server.up()  # a keeper looks for what is due when it begins, and then every minute
    wait_until(lambda: are_ready(server), "no spares")
    ids = spare_ids(server)
    schemas = server.psql("SELECT p.schema_name FROM tenantry.spares s JOIN tenantry.places p ON p.id = s.place_id")
    count = "SELECT count(*) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE c.relnamespace IN (%s)" % (
        ", ".join("'%s'::regnamespace" % name for name in schemas.split()))
    before = int(server.psql(count))
    server.psql("UPDATE tenantry.spares SET fresh_until = now() + interval '1 hour'", admin(server))
    wait_until(lambda: server.psql("SELECT min(fresh_until) > now() + interval '12 hours' FROM tenantry.spares") == "t",
               "no partitions")
    assert spare_ids(server) == ids and int(server.psql(count)) > before


def test_an_external_database_is_kept_by_a_keeper_of_its_own():
    server = harness.shared_server()
    server.psql("CREATE ROLE outside LOGIN CREATEROLE PASSWORD 'known'; CREATE DATABASE outside OWNER outside",
                admin(server))
    host, port = re.search(r"host='([^']+)' port=(\d+)", server.conninfo).groups()
    folder = os.path.join(server.folder, "outside")
    env = {"TENANTRY_DATABASE_URL": "postgresql://outside:known@/outside?host=%s&port=%s" % (host, port),
           "TENANTRY_DATA_DIR": folder, "TENANTRY_SPARES": "1"}
    assert server.tenantry("up", env=env)["keeper"] is None
    child = server.spawn("spare", "keep", "--json", env=env)
    wait_until(lambda: are_ready(server, env), "no spares")
    child.send_signal(signal.SIGINT)
    out, _ = child.communicate(timeout=WAIT_S)
    ready = sum(row["ready"] for row in server.tenantry("spare", "list", env=env)["spares"])
    assert child.returncode == 0 and json.loads(out)["made"] == ready > 0, out
    assert os.listdir(folder) == ["master.key"], os.listdir(folder)
    made = server.tenantry("tenant", "create", "there", "--blueprint", "trading", env=env)
    assert server.psql("SELECT current_user", made["connections"][0]["uri"]) == made["connections"][0]["role"]


def test_the_keeper_survives_a_crash_of_the_server():
    server = kept_server()
    pid = server.up()["keeper"]
    wait_until(is_full(server), "no spares")
    writer = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'"
    victim = int(server.psql(writer, admin(server)))
    os.kill(victim, signal.SIGKILL)  # the postmaster ends all sessions and recovers

    def is_back():  # and has noticed before that one was gone
        found = server.psql(writer, admin(server), expect=None).out.strip()
        return found.isdigit() and int(found) != victim

    wait_until(is_back, "the server does not come back")
    server.create("after-crash", "trading")
    wait_until(is_full(server), "no spares after the crash")
    assert keeper(server) == pid


def test_no_keeper_runs_when_no_spares_are_wanted():
    server = kept_server()
    first = server.up()["keeper"]
    assert server.tenantry("up", env={"TENANTRY_SPARES": "0"})["keeper"] is None
    # It ends what it is at: a spare that is half made is rolled back first.
    wait_until(lambda: not harness.is_running(first), "the keeper does not end")
    assert keeper(server) is None


POSE = """
import fcntl, os, sys
file = open(sys.argv[1], "rb")
os.setgroups([])
os.setuid(int(sys.argv[2]))
fcntl.lockf(file, fcntl.LOCK_SH)
print("locked", flush=True)
sys.stdin.read()
"""


def test_another_user_who_locks_the_keepers_file_is_no_keeper():
    server = without_keeper()
    path = os.path.join(server.data_dir, "keeper.pid")
    os.chmod(path, 0o644)  # as older versions made it
    server.up()
    assert os.stat(path).st_mode & 0o777 == 0o600
    if os.getuid() != 0:
        harness.skip("only root can be somebody else")
    server = without_keeper()
    poser = subprocess.Popen([sys.executable, "-c", POSE, path, str(pwd.getpwnam("nobody").pw_uid)],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert poser.stdout.readline() == "locked\n"
        assert keeper(server) is None
        error = server.refused("conflict", "spare", "keep")
        assert str(poser.pid) in error["message"], error
        server.tenantry("down")
        assert poser.poll() is None, "a process that is no keeper was stopped"
    finally:
        poser.kill()
        poser.communicate()
    server.up()


def test_one_keeper_per_data_directory():
    server = kept_server()
    pid = server.up()["keeper"]
    error = server.refused("conflict", "spare", "keep")
    assert str(pid) in error["message"], error


def test_a_keeper_in_the_foreground_ends_with_sigterm():
    server = without_keeper()
    server.tenantry("spare", "drop", "trading", "--all")
    before = len(spare_ids(server))
    child = server.spawn("spare", "keep", "--json")
    wait_until(is_full(server), "no spares")
    assert keeper(server) == child.pid
    child.send_signal(signal.SIGTERM)
    out, _ = child.communicate(timeout=WAIT_S)
    assert child.returncode == 0 and json.loads(out)["made"] == len(spare_ids(server)) - before >= 2, out


def test_a_keeper_ends_when_its_server_was_stopped_by_other_means():
    server = kept_server()
    pid = server.up()["keeper"]
    wait_until(is_full(server), "no spares")
    os.kill(server.server_pid(), signal.SIGINT)  # as pg_ctl stop does
    wait_until(lambda: not harness.is_running(pid), "the keeper stays")


def test_the_owner_stops_his_server_though_root_started_its_keeper():
    owner = ["runuser", "-u", "postgres", "--", harness.BINARY]
    if os.getuid() != 0 or subprocess.run([*owner, "version"], capture_output=True, check=False).returncode != 0:
        harness.skip("only root can be somebody else, who must reach the program")
    with kept({"TENANTRY_SPARES": "1"}) as server:
        shutil.chown(server.folder, "postgres")
        harness.run([*owner, "up"], server.env)
        harness.run([*owner, "down"], server.env)
        pid = server.tenantry("up")["keeper"]  # as the data directory's owner, which is the usual --server-user
        down = harness.run([*owner, "down", "--json"], server.env)
        assert down.json() == {"state": "stopped", "was_running": True}, down.text()
        assert "cannot stop the keeper, process %d" % pid in down.err and "ends by itself" in down.err, down.text()
        assert server.server_pid() is None
        wait_until(lambda: not harness.is_running(pid), "the keeper stays")


def test_a_keeper_whose_key_was_rotated_in_the_environment_asks_for_up():
    old, new = "0123456789abcdef" * 4, "fedcba9876543210" * 4
    with kept({"TENANTRY_SPARES": "1", "TENANTRY_MASTER_KEY": old}) as server:
        server.up()
        wait_until(lambda: are_ready(server), "no spares")
        both = {"TENANTRY_MASTER_KEY": old + "\n" + new}
        assert '"tenantry up" again' in server.tenantry("key", "rotate", env=both)["warning"]
        server.env["TENANTRY_MASTER_KEY"] = new
        server.create("rotated", "trading")
        wait_until(lambda: spares(server)["error"], "the keeper has no key and says nothing")
        error = server.tenantry("status")["spare_errors"]["trading"]
        assert error == spares(server)["error"]
        assert "no master key with the id" in error and '"tenantry up" again' in error, error
        server.up()
        wait_until(lambda: are_ready(server), "no spares with the new key")
        assert spares(server)["error"] is None


def test_a_keeper_in_the_foreground_waits_for_its_server_and_says_so():
    server = without_keeper()
    child = server.spawn("spare", "keep")
    wait_until(lambda: keeper(server) == child.pid, "no keeper")
    stopped = server.server_pid()
    os.kill(stopped, signal.SIGINT)
    assert harness.wait_for_exit(stopped)
    told = 0
    while told < 4:  # the keeper that "up" starts has ended by then
        line = child.stderr.readline()
        assert line, "the keeper has ended"
        told += "keeper.retry" in line and "not running" in line
    child.send_signal(signal.SIGTERM)
    child.communicate(timeout=WAIT_S)
    assert child.returncode == 0


def test_a_keeper_whose_data_directory_goes_away_fails():
    server = without_keeper()
    child = server.spawn("spare", "keep", "--json")
    wait_until(lambda: keeper(server) == child.pid, "no keeper")
    os.remove(os.path.join(server.data_dir, "keeper.pid"))
    _, told = child.communicate(timeout=WAIT_S)
    error = json.loads(told.strip().split("\n")[-1])["error"]
    assert error["code"] == "data_dir_unusable" and "removed" in error["message"], told
    assert child.returncode == harness.exit_statuses()["data_dir_unusable"]


def test_a_spare_that_cannot_be_made_is_told_and_tried_again():
    server = kept_server()
    server.up()
    server.tenantry("blueprint", "add", write_cards(server.folder, "stacks", 1))
    wait_until(is_full(server, 2, "stacks"), "no spares")
    # Nobody may make a schema: as a disk that is full, a reason that lies outside of the blueprint.
    server.psql("ALTER DATABASE tenantry OWNER TO postgres; GRANT CONNECT ON DATABASE tenantry TO tenantry",
                admin(server))
    server.create("eater", "stacks")
    wait_until(lambda: spares(server, "stacks")["error"], "nobody tells")
    row = spares(server, "stacks")
    assert "permission denied" in row["error"] and row["retry"], row
    assert "stacks" in server.tenantry("status")["spare_errors"]
    server.psql("ALTER DATABASE tenantry OWNER TO tenantry", admin(server))
    wait_until(is_full(server, 2, "stacks"), "no spares afterwards")
    wait_until(lambda: spares(server, "stacks")["error"] is None, "the error stays")


# Fails in whose database a role of this name is; what it locked for the session before outlives the failure.
SEED_THAT_LOCKS = """SELECT pg_advisory_lock(4711);
DO $$ BEGIN IF to_regrole('spoils_seeds') IS NOT NULL THEN RAISE EXCEPTION 'no seed today'; END IF; END $$;
"""


def test_a_seed_that_fails_leaves_no_lock_with_the_keeper():
    server = kept_server()
    server.up()
    path = write_cards(server.folder, "lockers", 1)
    with open(os.path.join(path, "blueprint.yaml"), "a", encoding="utf-8") as f:
        f.write("seed: seed.sql\n")
    with open(os.path.join(path, "seed.sql"), "w", encoding="utf-8") as f:
        f.write(SEED_THAT_LOCKS)
    server.tenantry("blueprint", "add", path)
    wait_until(is_full(server, 2, "lockers"), "no spares")
    server.psql("CREATE ROLE spoils_seeds", admin(server))
    server.create("locker", "lockers")
    wait_until(lambda: spares(server, "lockers")["error"], "nobody tells")
    # Between two attempts the lock is free.
    server.psql("SET lock_timeout = '30s'; SELECT pg_advisory_lock(4711)", admin(server))
    server.psql("DROP ROLE spoils_seeds", admin(server))
    wait_until(is_full(server, 2, "lockers"), "no spares afterwards")


def test_the_target_follows_demand():
    server = harness.shared_server()
    env = {"TENANTRY_SPARES": "1", "TENANTRY_SPARES_MAX": "3"}
    server.tenantry("blueprint", "add", write_cards(server.folder, "demand", 1))

    def target():
        rows = server.tenantry("spare", "list", "--blueprint", "demand", env=env)["spares"]
        return rows[0]["target"], rows[0]["demand"]

    seen = [target()]
    for n in range(4):
        server.create("demand-%d" % n, "demand")
        seen.append(target())
    assert seen == [(1, 0), (1, 1), (2, 2), (3, 3), (3, 4)], seen
    server.psql("UPDATE tenantry.tenants SET created_at = created_at - interval '11 minutes' WHERE blueprint = 'demand'",
                admin(server))
    assert target() == (1, 0)


# --- crashes

def test_a_filler_killed_anywhere_leaves_whole_spares():
    harness.require_faults()
    with harness.Server() as server:
        server.up()
        for point in ("spare.make.sent", "spare.make.before_commit", "spare.make.after_commit"):
            before = len(spare_ids(server))
            server.tenantry("spare", "fill", "trading", "--count", str(before + 2), env={"TENANTRY_FAULT_AT": point},
                            expect=KILLED)
            crash_state.wait_until_quiet(server)
            assert len(spare_ids(server)) == before + (1 if point.endswith("after_commit") else 0)
            crash_state.check_whole(server, at_rest=False)
            server.tenantry("job", "resume")
            assert len(spare_ids(server)) == before + 2
            crash_state.check_whole(server)


def test_a_drop_killed_anywhere_leaves_whole_spares():
    harness.require_faults()
    with harness.Server() as server:
        server.up()
        for point in ("spare.drop.before_commit", "spare.drop.after_commit"):
            fill(server, 2)
            server.tenantry("spare", "drop", "trading", "--all", env={"TENANTRY_FAULT_AT": point}, expect=KILLED)
            crash_state.wait_until_quiet(server)
            assert len(spare_ids(server)) == (1 if point.endswith("after_commit") else 2)
            crash_state.check_whole(server, at_rest=False)
            server.tenantry("job", "resume")
            assert not spare_ids(server)
            crash_state.check_whole(server)


if __name__ == "__main__":
    harness.main()
