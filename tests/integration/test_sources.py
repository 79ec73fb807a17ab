#!/usr/bin/env python3
"""Migration folders of Flyway, Diesel, Prisma, dbmate and golang-migrate, added as they are and run in tenants' places."""
import contextlib
import os

import harness
from harness import shared_server

MANIFEST = """name: %(name)s
title: From another tool
tiers: [schema]
plans:
  basic: {title: Basic, default: true, limits: {max_connections: 10}}
extensions: {wanted: [citext]}
migrations: {layout: %(layout)s, path: db/migration%(keys)s}
"""
USERS = """CREATE EXTENSION IF NOT EXISTS citext;
CREATE TYPE public.mood AS ENUM ('calm');
CREATE TABLE public.users (id bigserial PRIMARY KEY, email public.citext NOT NULL UNIQUE, mood public.mood);
"""
NOTES = """BEGIN;
ALTER TYPE public.mood ADD VALUE IF NOT EXISTS 'keen';
CREATE TABLE notes (id uuid PRIMARY KEY, user_id bigint NOT NULL REFERENCES public.users (id), body text);
CREATE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    -- a semicolon; and a 'quote
    UPDATE public.users SET mood = 'keen' WHERE id = NEW.user_id;
    RETURN NEW;
END
$body$;
CREATE TRIGGER touched AFTER INSERT ON public.notes FOR EACH ROW EXECUTE FUNCTION public.touch();
DO $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM information_schema.tables WHERE table_schema = 'public' AND table_name = 'notes') THEN
        RAISE EXCEPTION 'notes are not there';
    END IF;
END
$$;
COMMIT;
"""
DROP_NOTES = "DROP TABLE public.notes;\nDROP FUNCTION public.touch();\n"
DROP_USERS = "DROP TABLE public.users;\nDROP TYPE public.mood;\nDROP EXTENSION IF EXISTS citext;\n"
VIEW = "CREATE OR REPLACE VIEW people AS SELECT email FROM public.users;\n"
# The same two migrations in each layout; what they are called; whether they can be undone.
LAYOUTS = {
    "flyway": ({"V1__users.sql": USERS, "V1.1__notes.sql": NOTES, "U1.1__notes.sql": DROP_NOTES},
               ["V1__users", "V1.1__notes"], True),
    "diesel": ({"00000000000000_diesel_initial_setup/up.sql": USERS,
                "00000000000000_diesel_initial_setup/down.sql": DROP_USERS,
                "2024-01-02-030405_notes/up.sql": NOTES, "2024-01-02-030405_notes/down.sql": DROP_NOTES,
                "2024-01-02-030405_notes/metadata.toml": "run_in_transaction = true\n"},
               ["00000000000000_diesel_initial_setup", "2024-01-02-030405_notes"], True),
    "prisma": ({"20240101000000_users/migration.sql": USERS, "20240102000000_notes/migration.sql": NOTES,
                "migration_lock.toml": "provider = \"postgresql\"\n"},
               ["20240101000000_users", "20240102000000_notes"], False),
    "dbmate": ({"20240101_users.sql": "-- migrate:up\n%s-- migrate:down\n%s" % (USERS, DROP_USERS),
                "20240102_notes.sql": "-- migrate:up\n%s\n-- migrate:down\n%s" % (NOTES, DROP_NOTES)},
               ["20240101_users", "20240102_notes"], True),
    "golang-migrate": ({"000009_users.up.sql": USERS, "000009_users.down.sql": DROP_USERS,
                        "000010_notes.up.sql": NOTES, "000010_notes.down.sql": DROP_NOTES},
                       ["000009_users", "000010_notes"], True),
}
USE = (
    "INSERT INTO users (email) VALUES ('A@x.org'); INSERT INTO notes VALUES (gen_random_uuid(), 1, 'hello');"
    "SELECT mood FROM users WHERE email = 'a@X.org'"
)


def write(folder, files):
    for path, text in files.items():
        full = os.path.join(folder, "db/migration", path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as f:
            f.write(text)


@contextlib.contextmanager
def project(name, layout, files, keys=""):
    """A folder with a manifest that points at the migrations of another tool."""
    with harness.temporary_folder() as folder:
        with open(os.path.join(folder, "blueprint.yaml"), "w", encoding="utf-8") as f:
            f.write(MANIFEST % {"name": name, "layout": layout, "keys": keys})
        write(folder, files)
        yield folder


def blueprint_name(layout):
    return layout.replace("-", "_")


def add(folder):
    return shared_server().tenantry("blueprint", "add", folder)


def migrations_of(name):
    return shared_server().tenantry("blueprint", "show", name)["migrations"]


def test_each_layout_makes_tenants_as_the_tool_would():
    server = shared_server()
    for layout, (files, names, has_undo) in LAYOUTS.items():
        name = blueprint_name(layout)
        with project(name, layout, files) as folder:
            assert add(folder)["version"] == 2, layout
            assert add(folder)["change"] == "none", layout
        shown = migrations_of(name)
        assert [(m["migration"], m["name"]) for m in shown] == [(1, names[0]), (2, names[1])], shown
        assert shown[1]["has_down"] is has_undo, (layout, shown)
        tenant = server.create("by-" + layout, name)
        assert server.psql(USE, tenant["app"]) == "keen", layout
        assert server.psql("SELECT to_regclass('public.users') IS NULL", server.superuser) == "t"


def test_tenants_move_up_and_down_by_the_tools_own_scripts():
    server = shared_server()
    for layout, (files, _names, has_undo) in LAYOUTS.items():
        name = "moved_" + blueprint_name(layout)
        first = {path: text for path, text in files.items() if "notes" not in path}
        with project(name, layout, first) as folder:
            assert add(folder)["version"] == 1, layout
            tenant = server.create("moved-" + layout, name)
            write(folder, files)
            assert add(folder)["version"] == 2, layout
        server.tenantry("migrate", "up", name)
        assert server.psql(USE, tenant["app"]) == "keen", layout
        if has_undo:
            server.tenantry("migrate", "down", name, "--to", "1")
            assert server.psql("SELECT to_regclass('notes') IS NULL", tenant["app"]) == "t", layout
            server.tenantry("migrate", "up", name)
        else:
            server.refused("no_way_back", "migrate", "down", name, "--to", "1", says=["has no down script", "migration.sql"])


def test_a_repeatable_migration_is_run_again_when_it_has_changed():
    server = shared_server()
    with project("repeating", "flyway", {"V1__users.sql": USERS, "R__people.sql": VIEW}) as folder:
        assert add(folder)["version"] == 2
        tenant = server.create("repeated", "repeating")
        write(folder, {"R__people.sql": VIEW.replace("email", "email, mood"), "V2__notes.sql": NOTES})
        assert add(folder)["version"] == 4
        assert [m["name"] for m in migrations_of("repeating")] == ["V1__users", "R__people", "V2__notes", "R__people"]
        assert add(folder)["change"] == "none"
    server.tenantry("migrate", "up", "repeating")
    assert server.psql("SELECT email, mood FROM people", tenant["app"]) == ""
    newer = server.create("repeated-later", "repeating")
    assert server.psql("SELECT email, mood FROM people", newer["app"]) == ""


def remove(folder, *paths):
    for path in paths:
        full = os.path.join(folder, "db/migration", path)
        os.remove(full)
        with contextlib.suppress(OSError):
            os.rmdir(os.path.dirname(full))


def test_what_is_recorded_cannot_change_go_or_get_a_predecessor():
    late = {
        "flyway": ("V1.0.5__late.sql", "V1__users.sql", "Flyway, outOfOrder=false"),
        "diesel": ("2023-01-01_late/up.sql", "00000000000000_diesel_initial_setup/up.sql", "Diesel runs migrations"),
        "prisma": ("20240101120000_late/migration.sql", "20240101000000_users/migration.sql", "Prisma runs migrations"),
        "dbmate": ("20240101120000_late.sql", "20240101_users.sql", "dbmate --strict"),
        "golang-migrate": ("8_late.up.sql", "000009_users.up.sql", "golang-migrate never runs"),
    }
    for layout, (path, first, rule) in late.items():
        files = LAYOUTS[layout][0]
        name = "kept_" + blueprint_name(layout)
        with project(name, layout, files) as folder:
            add(folder)

            def refuse(*says, folder=folder):
                shared_server().refused("blueprint_exists", "blueprint", "add", folder, says=says)

            text = "SELECT 1;\n"
            write(folder, {path: "-- migrate:up\n%s-- migrate:down\n" % text if layout == "dbmate" else text})
            refuse(path, rule)
            remove(folder, path)
            write(folder, {first: files[first].replace("bigserial", "serial")})
            refuse(first, "SHA-256")
            write(folder, {first: files[first]})
            assert add(folder)["change"] == "none", layout
            remove(folder, *[path for path in files if "notes" in path])
            refuse("notes", "is gone now")


def test_a_bad_folder_is_refused_with_its_file_and_rule():
    for layout, files, says in (
        ("flyway", {"V1__a.sql": "SELECT 1;", "V01__b.sql": "SELECT 1;"}, ["V1__a.sql", "the same version as V01__b.sql"]),
        ("flyway", {"first.sql": "SELECT 1;"}, ["first.sql: not the name of a migration", "Flyway wants V1__what.sql"]),
        ("diesel", {"2024_a/down.sql": "SELECT 1;"}, ["2024_a: Diesel wants an up.sql in it"]),
        ("prisma", {"2024_a/notes.md": "x"}, ["2024_a: Prisma wants a migration.sql in it"]),
        ("dbmate", {"2024_a.sql": "-- migrate:up\nSELECT 1;\n"}, ["2024_a.sql: dbmate wants a block \"-- migrate:down\""]),
        ("golang-migrate", {"1_a.down.sql": "SELECT 1;"}, ["1_a.down.sql: there is no .up.sql of its version"]),
        ("golang-migrate", {"1_a.up.sql": "SELECT 1;\n\\i other.sql\n"}, ["1_a.up.sql:2: \"\\i\" is a command of psql"]),
        ("golang-migrate", {"1_a.up.sql": "CREATE TABLE a ();\nREINDEX DATABASE CONCURRENTLY a;\n"},
         ["1_a.up.sql:2: cannot run in a transaction (not_transactional)"]),
        ("golang-migrate", {"1_a.up.sql": "SELECT 1;\nSELECT * FROM public.plans;\n"},
         ["1_a.up.sql:2: \"public.plans\": no migration here makes it"]),
        ("flyway", {"V1__a.sql": "CREATE TABLE a ();\nDO $$ BEGIN EXECUTE 'DROP TABLE public.' || quote_ident('a'); END $$;"},
         ["V1__a.sql:2: permission denied for schema public", "migrations have the rights of the role that owns the place",
          "puts together when it runs", "write it without"]),
    ):
        with project("bad", layout, files) as folder:
            shared_server().refused("blueprint_invalid", "blueprint", "add", folder, says=says)
    for layout, file, wanted in (("diesel", "2024_a/up.sql", "an up.sql"), ("prisma", "2024_a/migration.sql", "a migration.sql")):
        for empty in ("2025_y", "2023_x/more"):
            with project("hollow", layout, {file: "SELECT 1;"}) as folder:
                os.makedirs(os.path.join(folder, "db/migration", empty))
                shared_server().refused("blueprint_invalid", "blueprint", "add", folder,
                                        says=["db/migration/%s: " % empty.split("/")[0], "wants %s in it" % wanted])
    # A version that is left out is no mistake for any of these tools.
    with project("gaps", "golang-migrate", {"1_a.up.sql": "SELECT 1;", "7_b.up.sql": "SELECT 1;"}) as folder:
        assert add(folder)["version"] == 2


def test_concurrent_indexes_are_made_plainly_when_the_manifest_says_so():
    server = shared_server()
    files = {
        "1_a/up.sql": "CREATE TABLE a (id int);\n",
        "2_b/up.sql": "CREATE INDEX CONCURRENTLY a_id ON a (id);\n",
        "2_b/down.sql": "DROP INDEX CONCURRENTLY a_id;\n",
        "2_b/metadata.toml": "run_in_transaction = false\n",
    }
    with project("plain_indexes", "diesel", files, ", concurrently: plain") as folder:
        add(folder)
    tenant = server.create("indexed", "plain_indexes")
    valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('a_id')"
    assert server.psql(valid, tenant["app"]) == "t"
    server.tenantry("migrate", "down", "plain_indexes", "--to", "1")
    assert server.psql(valid, tenant["app"]) == ""


INDEX = "CREATE INDEX CONCURRENTLY a_id ON public.a (id);\n"
# How each tool is told that a migration runs outside of a transaction; the others need not be.
OUTSIDE = {
    "dbmate": ({"1_a.sql": "-- migrate:up\nCREATE TABLE a (id int);\n-- migrate:down\nDROP TABLE a;\n"},
               {"2_b.sql": "-- migrate:up transaction:false\n%s-- migrate:down transaction:false\nDROP INDEX CONCURRENTLY a_id;\n"
                % INDEX}),
    "diesel": ({"1_a/up.sql": "CREATE TABLE a (id int);\n"},
               {"2_b/up.sql": INDEX, "2_b/metadata.toml": "run_in_transaction = false\n"}),
    "flyway": ({"V1__a.sql": "CREATE TABLE a (id int);\n"},
               {"V2__b.sql": INDEX, "V2__b.sql.conf": "executeInTransaction=false\n"}),
    "golang-migrate": ({"1_a.up.sql": "CREATE TABLE a (id int);\n"}, {"2_b.up.sql": INDEX}),
    "prisma": ({"1_a/migration.sql": "CREATE TABLE a (id int);\n"}, {"2_b/migration.sql": INDEX}),
}


def test_what_each_tool_runs_outside_of_a_transaction_is_a_step_here():
    server = shared_server()
    valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('a_id')"
    for layout, (first, second) in OUTSIDE.items():
        name = "outside_" + layout.partition("-")[0]
        with project(name, layout, first) as folder:
            add(folder)
            tenant = server.create(name.replace("_", "-"), name)
            write(folder, second)
            add(folder)
        server.tenantry("migrate", "up", name)
        assert server.psql(valid, tenant["app"]) == "t", layout
        ledger = server.psql("SELECT s.version, s.step, s.state FROM tenantry.place_steps s JOIN tenantry.places p ON p.id = place_id"
                             " WHERE p.blueprint = '%s'" % name)
        assert ledger == "2|1|done", (layout, ledger)


def test_a_new_place_of_either_tier_may_use_the_values_that_migrations_added_to_an_enum():
    server = shared_server()
    table = (
        "CREATE TABLE moods (tenant_id uuid NOT NULL DEFAULT tenancy.current_tenant(), mood mood, PRIMARY KEY (tenant_id, mood));\n"
    )
    with harness.temporary_folder() as folder:
        os.mkdir(os.path.join(folder, "migrations"))
        for path, text in (
            ("blueprint.yaml", MANIFEST.replace("[schema]", "[schema, row]").replace("migrations:", "#")
             % {"name": "moody", "layout": "", "keys": ""}),
            ("migrations/V1__mood.sql", "CREATE TYPE mood AS ENUM ('calm');\n" + table),
            ("migrations/V2__more.sql", "ALTER TYPE mood ADD VALUE 'keen' BEFORE 'calm';\n"),
            ("migrations/V3__default.sql", "ALTER TABLE moods ALTER mood SET DEFAULT 'keen';\n"),
        ):
            with open(os.path.join(folder, path), "w", encoding="utf-8") as f:
                f.write(text)
        add(folder)
    for tier in ("schema", "row"):
        tenant = server.create("moody-" + tier, "moody", "--tier", tier)
        moods = server.psql("INSERT INTO moods DEFAULT VALUES; SELECT mood, enum_range(mood) FROM moods", tenant["app"])
        assert moods == "keen|{keen,calm}", (tier, moods)


AUDITED = """CREATE TABLE public.audit (what text);
CREATE FUNCTION public.by_public() RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
AS $$INSERT INTO audit VALUES ('by public')$$;
CREATE FUNCTION public.by_name() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$BEGIN INSERT INTO public.audit VALUES ('by name'); END$$;
CREATE FUNCTION public.by_alter() RETURNS void LANGUAGE plpgsql
AS $$BEGIN INSERT INTO public.audit VALUES ('by alter'); END$$;
ALTER FUNCTION public.by_alter() SECURITY DEFINER SET search_path = public, pg_temp;
ALTER FUNCTION public.by_alter() SET search_path = '';
"""


def test_a_function_with_a_path_of_its_own_finds_the_tables_of_its_place():
    server = shared_server()
    with project("audited", "golang-migrate", {"1_a.up.sql": AUDITED}) as folder:
        add(folder)
    tenant = server.create("audited", "audited")
    server.psql("SELECT by_public(), by_name(), by_alter()", tenant["app"])
    assert server.psql("SELECT string_agg(what, ',' ORDER BY what) FROM audit", tenant["app"]) == "by alter,by name,by public"


def test_a_temporary_table_never_takes_a_tenants_own_with_it():
    server = shared_server()
    files = {"1_a.up.sql": "CREATE TABLE kept (id int);\nINSERT INTO kept VALUES (1);\n"}
    with project("temporary", "golang-migrate", files) as folder:
        add(folder)
        tenant = server.create("temporary", "temporary")
        write(folder, {"2_b.up.sql": "CREATE TEMP TABLE IF NOT EXISTS kept (id int);\n"})
        server.refused("blueprint_invalid", "blueprint", "add", folder, says=["2_b.up.sql:1", "\"kept\" already exists"])
        write(folder, {"2_b.up.sql": "CREATE TEMP TABLE IF NOT EXISTS passing AS SELECT id + 1 AS id FROM kept;\n"
                                     "INSERT INTO kept SELECT id FROM passing;\n"})
        add(folder)
    server.tenantry("migrate", "up", "temporary")
    assert server.psql("SELECT sum(id), to_regclass('passing') FROM kept", tenant["app"]) == "3|"


def test_a_look_into_the_catalogue_finds_the_place_and_data_stay_data():
    server = shared_server()
    look = ("CREATE TABLE links (schema_name text DEFAULT 'none');\nINSERT INTO links VALUES ('none');\n"
            "UPDATE links SET schema_name = 'public';\nDO $$ BEGIN\n"
            "IF EXISTS (SELECT FROM pg_tables WHERE tablename = 'links' AND schemaname %s) THEN\n"
            "ALTER TABLE links ADD found text DEFAULT 'public';\nEND IF; END $$;\n")
    with project("looking", "golang-migrate", {"1_a.up.sql": look % "LIKE 'public'"}) as folder:
        server.refused("blueprint_invalid", "blueprint", "add", folder, says=["1_a.up.sql:5", "'public' in a look"])
        write(folder, {"1_a.up.sql": look % "IN ('public')"})
        add(folder)
    tenant = server.create("looking", "looking")
    assert server.psql("SELECT schema_name, found FROM links", tenant["app"]) == "public|public"


def test_a_broken_undo_script_can_be_left_unread():
    files = {"1_a.up.sql": "CREATE TABLE a ();", "1_a.down.sql": "DROP TABLE a\nDROP TABLE b;"}
    with project("one_way", "golang-migrate", files) as folder:
        shared_server().refused("blueprint_invalid", "blueprint", "add", folder,
                                says=["1_a.down.sql:2: syntax error", "undo: none"])
    with project("one_way", "golang-migrate", files, ", undo: none") as folder:
        add(folder)
    assert migrations_of("one_way")[0]["has_down"] is False


if __name__ == "__main__":
    harness.main()
