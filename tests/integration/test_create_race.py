#!/usr/bin/env python3
"""Creates while their blueprint is recorded again: what a create has chosen stays, what it has read is not made of two versions."""
import os

import crash_state
import harness
from test_crash_race import STEPWISE, create_args, finish, go_on, spawn_stopped, wait_for

SMALL = "  small: {title: Small, default: true, limits: {max_connections: 5}}\n"
BIG = "  big: {title: Big, limits: {max_connections: 50}}\n"
NOTES = ("CREATE TABLE notes (tenant_id uuid NOT NULL DEFAULT tenancy.current_tenant(), id bigint NOT NULL, body text,"
         " CONSTRAINT notes_pkey PRIMARY KEY (tenant_id, id));\n")


def record(server, name, tiers="row", plans=SMALL + BIG, version=1, spawned=False):
    """Records the blueprint as it is now."""
    with harness.temporary_folder() as folder:
        os.makedirs(folder + "/migrations")
        texts = {"blueprint.yaml": "name: %s\ntitle: Notes\ntiers: [%s]\nplans:\n%sseed: seed.sql\n" % (name, tiers, plans),
                 "seed.sql": "INSERT INTO notes (id, body) VALUES (1, 'of version %d');\n" % version,
                 "migrations/V0001__notes.sql": NOTES}
        for number in range(2, version + 1):
            texts["migrations/V%04d__more.sql" % number] = "ALTER TABLE notes ADD COLUMN more_%d text;\n" % number
        for path, text in texts.items():
            with open(os.path.join(folder, path), "w", encoding="utf-8") as f:
                f.write(text)
        if not spawned:
            return server.tenantry("blueprint", "add", folder)
        child = server.spawn("blueprint", "add", folder, "--json")
        waits = "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted"
        wait_for(lambda: server.psql(waits) == "t", "the blueprint to wait for the create")
        return child


def stopped(server, name, slug, point, *args, env=None):
    return spawn_stopped(server, (*create_args(slug, name), *args), "tenant.create.%s" % point, env)


def end(child):
    go_on(child)
    finish(child, expect=0)


def test_a_tier_is_chosen_once():
    """The blueprint's default has become the other one: a tenant of the schema tier must not land among those that share."""
    harness.require_faults()
    server = crash_state.shared_platform()
    for first, second in (("schema, row", "row, schema"), ("row, schema", "schema, row")):
        name, slug = "tier_" + first[:3], "tier-%s-" % first[:3]
        record(server, name, first)
        child = stopped(server, name, slug + "one", "reserve.after_commit", env=STEPWISE)
        record(server, name, second)
        beside = server.create(slug + "two", name, "--tier", "row")
        end(child)
        shown = server.tenantry("tenant", "show", slug + "one")
        assert shown["tier"] == first.split(",")[0], shown
        assert (shown["schema"] == name) == (shown["tier"] == "row"), shown
        server.tenantry("tenant", "suspend", slug + "one")
        assert server.psql("SELECT body FROM notes", beside["app"]) == "of version 1"
        server.tenantry("tenant", "resume", slug + "one")
        crash_state.check_whole(server)


def test_a_plan_is_chosen_once():
    harness.require_faults()
    server = crash_state.shared_platform()
    record(server, "planned")
    child = stopped(server, "planned", "planned-one", "reserve.after_commit", env=STEPWISE)
    record(server, "planned", plans=SMALL.replace("default: true, ", "") + BIG.replace("Big,", "Big, default: true,"))
    end(child)
    shown = server.tenantry("tenant", "show", "planned-one")
    assert (shown["plan"], shown["differences"]) == ("small", []), shown
    assert server.tenantry("audit", "list", "--tenant", "planned-one")["entries"][0]["detail"]["plan"] == "small"


def test_a_plan_that_is_dropped_meanwhile_is_said():
    harness.require_faults()
    server = crash_state.shared_platform()
    record(server, "dropped")
    server.create("dropped-one", "dropped")
    child = stopped(server, "dropped", "dropped-two", "reserve.begin", "--plan", "big")
    record(server, "dropped", plans=SMALL)
    go_on(child)
    assert finish(child) == (harness.exit_statuses()["input_invalid"], "input_invalid")
    record(server, "dropped")
    child = stopped(server, "dropped", "dropped-three", "ground.begin", "--plan", "big")
    adding = record(server, "dropped", plans=SMALL, spawned=True)
    end(child)
    out, err = adding.communicate(timeout=harness.COMMAND_TIMEOUT_S)
    assert adding.returncode != 0 and "big" in err and "foreign key" not in err, (out, err)
    crash_state.check_whole(server)


def test_a_tenant_is_of_one_version():
    """Its seed, its audit entry and its place, whenever its blueprint is recorded again."""
    harness.require_faults()
    server = crash_state.shared_platform()
    record(server, "versioned")
    server.create("versioned-one", "versioned")
    for version, point in ((2, "reserve.begin"), (3, "ground.begin"), (4, "provision.begin")):
        slug = "versioned-%d" % version
        child = stopped(server, "versioned", slug, point)
        record(server, "versioned", version=version)
        end(child)
        credentials = server.tenantry("tenant", "credentials", slug)["connections"]
        entry = server.tenantry("audit", "list", "--tenant", slug, "--action", "tenant.create")["entries"][0]
        assert entry["detail"]["version"] == version, (point, entry)
        assert server.psql("SELECT body FROM notes", credentials[0]["uri"]) == "of version %d" % version, point
    crash_state.check_whole(server)


if __name__ == "__main__":
    harness.main()
