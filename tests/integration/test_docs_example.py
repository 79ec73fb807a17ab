#!/usr/bin/env python3
"""The example pack of docs/blueprints.md, added and used in both tiers, and other answers that documents show."""
import contextlib
import json
import os
import re

import harness

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
DOCUMENT = os.path.join(ROOT, "docs", "blueprints.md")
FILES = ("blueprint.yaml", "migrations/V0001__notes.sql")


def text_of(name):
    with open(DOCUMENT, encoding="utf-8") as f:
        found = re.search(r"\n`%s`:\n\n```\n(.*?)```\n" % re.escape(name), f.read(), re.DOTALL)
    assert found, "docs/blueprints.md shows no %s" % name
    return found.group(1)


@contextlib.contextmanager
def platform():
    """A server with the pack and a tenant of each tier; gives it and their connection strings."""
    with harness.Server() as server, harness.temporary_folder() as folder:
        os.mkdir(os.path.join(folder, "migrations"))
        for name in FILES:
            with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
                f.write(re.sub(r"^(seed|demo): .*\n", "", text_of(name), flags=re.MULTILINE))
        server.up()
        server.tenantry("blueprint", "add", folder)
        logins = {}
        for tier in ("schema", "row"):
            made = server.tenantry("tenant", "create", "in-" + tier, "--blueprint", "notes", "--tier", tier)
            logins[tier] = made["connections"][0]["uri"]
            harness.psql(logins[tier], "INSERT INTO notes (title) VALUES ('a');"
                                       "INSERT INTO note_history (note_id, what) SELECT id, 'made' FROM notes")
        yield server, logins


def current_partition(login):
    return harness.psql(login, "SELECT tableoid::regclass FROM note_history")


def assert_refused(login, sql):
    result = harness.psql(login, sql, expect=3)
    assert "permission denied" in result.err, result.text()


def test_an_append_only_table_cannot_be_changed_through_its_partitions():
    with platform() as (server, logins):
        for tier in ("schema", "row"):
            part = current_partition(logins[tier])
            for table in ("note_history", part, "note_history_default"):
                assert_refused(logins[tier], "UPDATE %s SET what = 'x'" % table)
                assert_refused(logins[tier], "DELETE FROM %s" % table)


def test_a_detached_partition_gives_the_application_no_new_right():
    with platform() as (server, logins):
        for tier, whose in (("schema", ["--tenant", "in-schema"]), ("row", ["--blueprint", "notes"])):
            schema = server.tenantry("partition", "list", *whose)["schema"]
            part = schema + "." + server.old_partition(schema, "note_history")
            server.tenantry("partition", "ensure")
            answer = server.tenantry("partition", "detach", *whose, "--table", "note_history", "--before", "2020-02-01")
            assert answer["detached"] == 1, answer
            server.tenantry("partition", "ensure")
            assert_refused(logins[tier], "UPDATE %s SET what = 'x'" % part)
            assert_refused(logins[tier], "DELETE FROM %s" % part)


def test_shared_tables_are_read_only_in_the_row_tier():
    with platform() as (server, logins):
        assert harness.psql(logins["row"], "SELECT count(*) FROM languages") == "2"
        assert_refused(logins["row"], "UPDATE languages SET name = 'x'")


def test_the_status_that_is_shown_is_what_the_program_prints():
    with open(os.path.join(ROOT, "docs", "operations.md"), encoding="utf-8") as f:
        shown = json.loads(re.search(r"\n\$ tenantry status --json\n(.*?)```", f.read(), re.DOTALL).group(1))
    with harness.Server() as server:
        server.up()
        server.create("acme", "trading")
        status = server.tenantry("status")
    assert list(shown) == list(status), status
    for name in ("control_version", "blueprints"):
        assert shown[name] == status[name], status


def test_the_paths_that_packs_show_have_the_schema_of_extensions():
    with harness.Server() as server:
        server.up()
        server.create("acme", "trading")
        server.create("beta", "saas")
        there = server.psql("SELECT string_agg(nspname, ' ') FROM pg_namespace").split()
    for pack in sorted(os.listdir(os.path.join(ROOT, "packs"))):
        readme = os.path.join(ROOT, "packs", pack, "README.md")
        if os.path.exists(readme):
            with open(readme, encoding="utf-8") as f:
                for path in re.findall(r"^SET search_path = ([^;]*);", f.read(), re.MULTILINE):
                    assert all(name in there for name in path.split(", ")[1:]), (pack, path)


if __name__ == "__main__":
    harness.main()
