#!/usr/bin/env python3
"""What a person meets first: messages, exit statuses, answers that must not frighten."""
import json
import os
import re
import shutil

import harness

BAD_MIGRATION = "CREATE TABLE notes (tenant_id uuid NOT NULL, id uuid PRIMARY KEY);\n"
MANIFEST = """name: notes
title: Notes
tiers: [row]
plans:
  only: {title: Only, limits: {max_connections: 5}}
"""
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
# Stands for the program that tools/run.sh runs: the options that it would have, then the command.
OPTIONS_ONLY = """#!/bin/sh
for word; do shift; case "$word" in -*) set -- "$@" "$word";; *) command=$word;; esac; done
"%s" config show --json "$@" && echo "$command"
"""


def test_lint_of_what_cannot_be_read_answers_with_one_finding():
    for name, text, rule in (
        ("blueprint.yaml", "name: [\n", "manifest"),
        ("migrations/V0001__users_and_items.sql", "\nCREATE TABEL x;\n", "syntax"),
    ):
        with harness.temporary_folder() as parent:
            folder = parent + "/saas"
            shutil.copytree(os.path.join(os.path.dirname(__file__), "../../packs/saas"), folder)
            with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
                f.write(text)
            result = harness.tenantry("blueprint", "lint", folder, expect=65)
            answer = result.json()
            assert answer["errors"] == 1 and len(answer["findings"]) == 1, answer
            finding = answer["findings"][0]
            assert (finding["rule"], finding["file"], finding["line"]) == (rule, name, 2), finding
            assert result.error()["error"]["code"] == "blueprint_invalid"


def test_lint_of_a_pack_with_errors_answers_and_fails():
    with harness.temporary_folder() as folder:
        os.mkdir(os.path.join(folder, "migrations"))
        for name, text in (("blueprint.yaml", MANIFEST), ("migrations/V0001__notes.sql", BAD_MIGRATION)):
            with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
                f.write(text)
        result = harness.tenantry("blueprint", "lint", folder, expect=65)
        assert '"errors":1' in result.out, result.text()
        assert result.error()["error"]["message"] == 'blueprint "notes" has 1 error', result.text()


def test_a_tenant_that_is_only_reserved_is_no_finding_of_audit_verify():
    with harness.Server() as server:
        server.up()
        server.psql("INSERT INTO tenantry.tenants (id, slug, name, blueprint, plan, tier, state) VALUES"
                    " (gen_random_uuid(), 'half', 'Half', 'trading', 'basic', 'schema', 'requested')")
        assert server.tenantry("audit", "verify")["is_whole"]


def test_job_show_answers_what_it_declares():
    with harness.Server() as server:
        server.up()
        assert server.tenantry("job", "show", "1")["state"] == "done"


def test_a_role_that_may_not_connect_is_told_so_at_once():
    with harness.Server() as server:
        server.up()
        url = server.conninfo.replace("dbname=tenantry", "dbname=postgres")
        result = server.tenantry("status", "--database-url", url, expect=77)
        grant = 'GRANT CONNECT ON DATABASE "postgres" TO "tenantry" WITH GRANT OPTION'
        assert result.error()["error"]["hint"] == "as the database's owner: " + grant, result.text()
        assert "trying again" not in result.err, result.text()


def make_run(folder, **env):
    """What tools/run.sh, of a tree in the folder, runs: [(command, options that are no defaults)], and what it says itself."""
    for name in ("tools", "build", "home/.config/tenantry"):
        os.makedirs(os.path.join(folder, name))
    shutil.copy(ROOT + "/tools/run.sh", folder + "/tools")
    with open(folder + "/build/tenantry", "w", encoding="utf-8") as f:
        f.write(OPTIONS_ONLY % harness.BINARY)
    os.chmod(folder + "/build/tenantry", 0o755)
    with open(folder + "/home/.config/tenantry/tenantry.yaml", "w", encoding="utf-8") as f:
        f.write("database-url: postgresql://app@127.0.0.1:1/in-the-file\n")
    lines = harness.run([folder + "/tools/run.sh"], {"HOME": folder + "/home", **env}).out.splitlines()
    calls = [(command, {o["name"]: o["value"] for o in json.loads(shown)["options"] if o["from"] not in ("default", "flag --json")})
             for shown, command in zip(lines[:4:2], lines[1:4:2])]
    return calls, lines[4:]


def test_make_run_leaves_the_users_own_database_alone():
    with harness.temporary_folder() as folder:
        options = {"config": "/dev/null", "data-dir": folder + "/a b"}
        calls, said = make_run(folder, TENANTRY_DATABASE_URL="postgresql://app@127.0.0.1:1/app", TENANTRY_SPARES="9",
                               TENANTRY_DATA_DIR=folder + "/a b")
        assert calls == [("up", options), ("demo", options)], calls
        assert len(said) == 1 and said[0].endswith(": unset TENANTRY_DATABASE_URL TENANTRY_SPARES"), said
    with harness.temporary_folder() as folder:
        calls, said = make_run(folder)
        own = "/var/lib/tenantry-demo" if os.geteuid() == 0 else folder + "/home/.local/share/tenantry-demo"
        assert calls == [(command, {"config": "/dev/null", "data-dir": own}) for command in ("up", "demo")], calls
        assert not said, said


def slugs_after(exports, command, **env):
    """What a person sees who types these lines in a new shell."""
    shown = harness.run(["sh", "-e"], env, stdin="\n".join([*exports, command + " --json"])).json()
    return {tenant["slug"] for tenant in shown["tenants"]}


def test_the_commands_that_the_demo_ends_with_mean_its_own_installation():
    with harness.Server() as server:
        conninfo = server.up()["conninfo"]
        config, key = server.folder + "/it's mine.yaml", server.folder + "/key"
        with open(config, "w", encoding="utf-8") as f:
            f.write("data-dir: data\nspares: 0\n")
        shutil.copy(server.data_dir + "/master.key", key)
        with open(server.data_dir + "/server.pass", encoding="utf-8") as f:
            password = next(line.rstrip("\n").split(":")[4] for line in f if ":tenantry:" in line)
        for flags, exported, env in (
            (["--config", config], ["CONFIG"], {}),
            (["--data-dir", server.data_dir], ["DATA_DIR"], {}),
            (["--database-url", conninfo, "--master-key-file", key], ["DATABASE_URL", "MASTER_KEY_FILE"], {}),
            (["--database-url", conninfo + " password=" + password, "--data-dir", server.data_dir],
             ["DATA_DIR", "DATABASE_URL"], {"PGPASSWORD": password}),
        ):
            result = harness.run([harness.BINARY, *flags, "demo", "--json"])
            commands = result.json()["next"]
            exports = [line for line in commands if line.startswith("export ")]
            assert [re.match("export TENANTRY_([A-Z_]+)=", line).group(1) for line in exports] == exported, commands
            assert password not in result.out, "the password is in the answer"
            listing = next(line for line in commands if line.endswith(" tenant list"))
            assert slugs_after(exports, listing, **env) == {"demo-trading", "demo-north", "demo-south"}
            assert any(line.endswith(" down") for line in commands) == ("DATABASE_URL" not in exported), commands


def test_the_demo_runs_again_after_the_suspend_that_it_suggests():
    with harness.Server() as server:
        server.up()
        suspend = next(line for line in server.tenantry("demo")["next"] if " suspend " in line)
        harness.run(["sh", "-e"], server.env, stdin=suspend)
        assert server.tenantry("tenant", "show", "demo-south")["state"] == "suspended"
        again = server.tenantry("demo", json=False)
        assert "tenant demo-south of the demo is suspended: resuming it" in again.err, again.text()
        assert server.tenantry("tenant", "show", "demo-south")["state"] == "active"
        server.tenantry("tenant", "archive", "demo-south", "--drain-timeout", "0s")
        error = server.refused("tenant_state", "demo", says=["demo-south", "archived"])
        assert "tenant purge demo-south" in error["hint"], error
        # Somebody else's tenant of that name stays as it is.
        server.tenantry("tenant", "purge", "demo-south", "--yes")
        server.create("demo-south", "saas")
        server.tenantry("tenant", "suspend", "demo-south")
        server.refused("slug_taken", "demo", says=["was not made by the demo"])
        assert server.tenantry("tenant", "show", "demo-south")["state"] == "suspended"


if __name__ == "__main__":
    harness.main()
