#!/usr/bin/env python3
"""Blueprints that must be refused: with file, line and reason, and with nothing changed."""
import functools
import os

import harness
from harness import shared_server

MANIFEST = """name: {name}
title: Bad input
tiers: [{tiers}]
plans:
  one: {{title: One, default: true, limits: {{max_connections: 10}}}}
  two: {{title: Two, limits: {{max_connections: 20}}}}
"""
KEY = "tenant_id uuid NOT NULL DEFAULT tenancy.current_tenant()"
GOOD = "CREATE TABLE items (%s, id bigint, PRIMARY KEY (tenant_id, id));\n" % KEY
# All that an add could leave behind: roles, schemas, relations, extensions, and every row of the registry.
SNAPSHOT = """
SELECT 'role', rolname, rolcanlogin, rolconfig FROM pg_roles UNION ALL
SELECT 'member', roleid::regrole::text || member::regrole::text, false, NULL FROM pg_auth_members UNION ALL
SELECT 'schema', nspname, false, NULL FROM pg_namespace WHERE nspname NOT LIKE 'pg_temp%' AND nspname NOT LIKE 'pg_toast%' UNION ALL
SELECT 'relation', oid::text, false, NULL FROM pg_class WHERE relnamespace <> 'pg_toast'::regnamespace UNION ALL
SELECT 'extension', extname, false, NULL FROM pg_extension UNION ALL
SELECT 'blueprint', b::text, false, NULL FROM tenantry.blueprints b UNION ALL
SELECT 'version', v.blueprint || v.version || v.checksum || md5(v.definition::text), false, NULL FROM tenantry.blueprint_versions v UNION ALL
SELECT 'plan', p.blueprint || p.name || p.definition, false, NULL FROM tenantry.plans p UNION ALL
SELECT 'place', p::text, false, NULL FROM tenantry.places p UNION ALL
SELECT 'tenant', t::text, false, NULL FROM tenantry.tenants t UNION ALL
SELECT 'map', m::text, false, NULL FROM tenancy.role_tenants m UNION ALL
SELECT 'job', j.id::text || j.state, false, NULL FROM tenantry.jobs j
ORDER BY 1, 2
"""


def write(folder, name="bad", tiers="row, schema", more="", **files):
    """A folder with a blueprint; files by their name, such as V0002__tags=SQL. A file of None is not written."""
    os.makedirs(folder + "/migrations", exist_ok=True)
    content = {"blueprint.yaml": MANIFEST.format(name=name, tiers=tiers) + more}
    for file, text in {"V0001__items": GOOD, **files}.items():
        if text is not None:
            content[("%s.sql" if file in ("seed", "demo") else "migrations/%s.sql") % file] = text
    for path, text in content.items():
        with open(os.path.join(folder, path), "w", encoding="utf-8") as f:
            f.write(text)


def snapshot():
    return shared_server().psql(SNAPSHOT, shared_server().superuser)


def refuse(code, *says, command="add", **parts):
    """Adds a blueprint that must be refused, and looks whether anything changed; the error."""
    with harness.temporary_folder() as folder:
        write(folder, **parts)
        before = snapshot()
        error = shared_server().refused(code, "blueprint", command, folder, says=says)
        assert snapshot() == before, "a refused blueprint left something behind"
    return error


def add(folder, **parts):
    write(folder, **parts)
    return shared_server().tenantry("blueprint", "add", folder)


def test_a_cycle_of_foreign_keys_is_refused_and_a_deferrable_one_is_not():
    keys = GOOD + (
        "CREATE TABLE a (%s, id bigint, b_id bigint, PRIMARY KEY (tenant_id, id));\n"
        "CREATE TABLE b (%s, id bigint, a_id bigint, PRIMARY KEY (tenant_id, id),\n"
        "    FOREIGN KEY (tenant_id, a_id) REFERENCES a (tenant_id, id));\n"
    ) % (KEY, KEY)
    closing = "\nALTER TABLE a ADD FOREIGN KEY (tenant_id, b_id) REFERENCES b (tenant_id, id)%s;\n"
    refuse(
        "blueprint_invalid", "migrations/V0002__more.sql:2: ", "\"a\" -> \"b\" -> \"a\"", "cycle", "DEFERRABLE",
        V0001__items=keys, V0002__more=closing % "",
    )
    with harness.temporary_folder() as folder:
        answer = add(folder, name="cycled", V0001__items=keys, V0002__more=closing % " DEFERRABLE")
    assert answer["change"] == "recorded"


def test_a_migration_that_fails_half_way_is_refused_in_every_tier():
    bad = "CREATE TABLE tags (%s, name text, PRIMARY KEY (tenant_id, name));\n\nALTER TABLE items ADD COLUMN x no_such_type;\n"
    for tiers, tier in (("schema", "schema tier"), ("row", "row tier"), ("row, schema", "row tier")):
        error = refuse(
            "blueprint_invalid", "migrations/V0002__bad.sql:3: ", "no_such_type", "SQLSTATE 42704", tier,
            tiers=tiers, V0002__bad=bad % KEY,
        )
        assert error["sqlstate"] == "42704", error


def test_a_migration_that_fails_on_the_rows_of_tenants_is_not_recorded():
    with harness.temporary_folder() as folder:
        add(folder, name="filled", tiers="row")
        tenant = shared_server().create("filled-one", "filled")
        shared_server().psql("INSERT INTO items (id) VALUES (1)", tenant["app"])
    refuse(
        "blueprint_invalid", "migrations/V0002__bad.sql:1: ", "violated", name="filled", tiers="row",
        V0002__bad="ALTER TABLE items ADD CHECK (id > 1);\n",
    )
    assert shared_server().tenantry("blueprint", "show", "filled")["version"] == 1


def test_a_seed_and_a_demo_that_fail_are_refused():
    for file in ("seed", "demo"):
        for tiers in ("row", "schema"):
            refuse(
                "blueprint_invalid", "%s:2: " % file, "\"nothing\" does not exist", tiers=tiers,
                more="%s: %s.sql\n" % (file, file), **{file: "SELECT 1;\nINSERT INTO nothing VALUES (1);\n"}
            )
    # With the rights of the application, not of the owner.
    refuse("blueprint_invalid", "demo:1: ", "permission denied", more="demo: demo.sql\nappend_only: [items]\n",
           demo="DELETE FROM items;\n")


def test_a_constraint_that_waits_for_the_commit_is_checked_too():
    refuse(
        "blueprint_invalid", "violates foreign key constraint",
        V0001__items=GOOD.replace(", PRIMARY KEY", ", up bigint, PRIMARY KEY").replace(
            "id));", "id), FOREIGN KEY (tenant_id, up) REFERENCES items (tenant_id, id) INITIALLY DEFERRED);"
        ),
        more="seed: seed.sql\n", seed="INSERT INTO items (id, up) VALUES (1, 2);\n",
    )


def test_an_extension_that_the_server_lacks_is_refused_with_its_line():
    error = refuse(
        "extension_missing", "blueprint.yaml:9: key \"extensions.wanted[1]\"", "no_such_extension",
        more="extensions:\n  wanted: [pg_trgm,\n    no_such_extension]\n",
    )
    assert "install" in error["hint"], error


def test_an_extension_of_a_refused_blueprint_is_not_left_behind():
    refuse(
        "blueprint_invalid", "V0002__bad.sql:1: ", more="extensions: {wanted: [citext]}\n",
        V0002__bad="CREATE TABLE n (%s, name citext, PRIMARY KEY (tenant_id, name), CHECK (no_such_column));\n" % KEY,
    )


def test_an_extension_that_only_a_superuser_may_install_is_refused_with_what_to_do():
    refuse("pg_right_missing", "blueprint \"bad\": cannot install its extensions", "as a superuser, run CREATE EXTENSION",
           more="extensions: {wanted: [pageinspect]}\n")


def test_no_extension_is_put_into_a_schema_of_somebody_else():
    server = harness.shared_server()
    server.psql("CREATE SCHEMA IF NOT EXISTS tenantry_ext AUTHORIZATION tenantry; CREATE ROLE stranger;"
                " ALTER SCHEMA tenantry_ext OWNER TO stranger", server.superuser)
    try:
        error = refuse("isolation_violated", "cannot install its extensions: schema \"tenantry_ext\" belongs to role"
                       " \"stranger\", not to \"tenantry\"", more="extensions: {wanted: [citext]}\n")
        assert 'ALTER SCHEMA "tenantry_ext" OWNER TO "tenantry"' in error["hint"], error
    finally:
        server.psql("ALTER SCHEMA tenantry_ext OWNER TO tenantry; DROP ROLE stranger", server.superuser)


def test_two_packs_of_one_name_are_refused():
    for name in ("trading", "saas"):
        refuse("blueprint_exists", "blueprint.yaml:1: key \"name\"", "part of tenantry", name=name)
    with harness.temporary_folder() as first:
        add(first, name="twin")
        refuse(
            "blueprint_exists", "blueprint.yaml:1: key \"name\"", first, "V0001__items.sql", "two blueprints", name="twin",
            V0001__items=GOOD + "-- another\n",
        )
        with harness.temporary_folder() as moved:
            more = {"name": "twin", "V0002__tags": "ALTER TABLE items ADD COLUMN note text;\n"}
            assert add(moved, **more)["version"] == 2, "a folder that was moved is the same pack"


def test_an_unknown_key_is_refused():
    error = refuse("blueprint_invalid", "blueprint.yaml:7: key \"append_onyl\" is not known here", more="append_onyl: [items]\n")
    assert "append_only" in error["hint"], error


def test_personal_data_must_be_there():
    entry = "personal_data:\n  - {table: %s, column: %s, category: contact, reason: r, keep: until closed, mask: hash}\n"
    refuse("blueprint_invalid", "blueprint.yaml:8: key \"personal_data[0].table\"", "nothing", more=entry % ("nothing", "id"))
    refuse("blueprint_invalid", "blueprint.yaml:8: key \"personal_data[0].column\"", "items.mail", more=entry % ("items", "mail"))
    with harness.temporary_folder() as folder:
        add(folder, name="private", more=entry % ("items", "id"))
    shown = shared_server().tenantry("blueprint", "show", "private")["personal_data"]
    assert shown == [
        {"table": "items", "column": "id", "category": "contact", "keep": "until closed", "mask": "hash", "reason": "r"}
    ], shown


def test_a_plan_that_a_tenant_uses_cannot_go():
    with harness.temporary_folder() as folder:
        add(folder, name="planned")
        shared_server().create("planned-two", "planned", "--plan", "two")
        write(folder, name="planned")
        path = folder + "/blueprint.yaml"
        with open(path, encoding="utf-8") as f:
            kept = [line for line in f if not line.startswith("  two:")]
        with open(path, "w", encoding="utf-8") as f:
            f.writelines(kept)
        before = snapshot()
        shared_server().refused("blueprint_exists", "blueprint", "add", folder,
                                says=["blueprint.yaml:5: key \"plans\"", "\"two\"", "tenants use",
                                      "until the last of its tenants is purged"])
        assert snapshot() == before
        shared_server().tenantry("tenant", "archive", "planned-two", "--drain-timeout", "0s")
        shared_server().tenantry("tenant", "purge", "planned-two", "--yes")
        assert shared_server().tenantry("blueprint", "add", folder)["change"] == "recorded"


def test_tables_of_the_row_tier_need_tenant_id_and_their_policies():
    refuse("blueprint_invalid", "migrations/V0002__bad.sql:2: table \"t\"", "tenant_id", V0002__bad="\nCREATE TABLE t (id int);\n")
    for sql in ("DROP POLICY tenant_guard ON items", "ALTER TABLE items NO FORCE ROW LEVEL SECURITY",
                "ALTER TABLE items DISABLE ROW LEVEL SECURITY", "ALTER POLICY tenant_rows ON items RENAME TO x"):
        refuse("blueprint_invalid", "migrations/V0002__bad.sql:2: ", V0002__bad="\n%s;\n" % sql)


def test_a_change_of_rows_that_the_row_tier_would_not_see_is_refused():
    with harness.temporary_folder() as folder:
        add(folder, name="unseen")
        tenants = [shared_server().create("unseen-" + tier, "unseen", "--tier", tier) for tier in ("row", "schema")]
        for tenant in tenants:
            shared_server().psql("INSERT INTO items (id) VALUES (1)", tenant["app"])
        changes = ["UPDATE items SET kind = 'x'", "DELETE FROM items WHERE id = 1",
                   "CREATE TABLE c (%s, id bigint);\nINSERT INTO c SELECT tenant_id, id FROM items" % KEY,
                   "MERGE INTO items USING (VALUES (1)) v (id) ON items.id = v.id WHEN MATCHED THEN DELETE"]
        column = "ALTER TABLE items ADD COLUMN kind text;\n"
        for sql in changes:
            line = 2 + sql.count("\n")
            refuse("blueprint_invalid", "migrations/V0002__kind.sql:%d: \"items\"" % line, "sees none of them",
                   name="unseen", V0002__kind=column + sql + ";\n")
            error = refuse("blueprint_invalid", "migrations/V0002__kind.down.sql:%d: " % (line - 1), "sees none of them",
                           name="unseen", V0002__kind=column, **{"V0002__kind.down": sql + ";\n"})
            assert "ADD COLUMN ... DEFAULT" in error["hint"], error
        # What its hint says does reach the rows of both tiers.
        add(folder, name="unseen", V0002__kind="ALTER TABLE items ADD COLUMN kind text NOT NULL DEFAULT 'general',"
            " ADD COLUMN twice bigint GENERATED ALWAYS AS (id * 2) STORED, ADD COLUMN note text;\n",
            V0003__note="ALTER TABLE items ALTER note TYPE text USING coalesce(note, 'none of ' || id), ALTER note SET NOT NULL;\n")
        shared_server().tenantry("migrate", "up", "unseen")
        for tenant in tenants:
            rows = shared_server().psql("SELECT id, kind, twice, note FROM items", tenant["app"])
            assert rows == "1|general|2|none of 1", (tenant["slug"], rows)
    with harness.temporary_folder() as folder:  # a tenant's own tables are its owner's to change
        add(folder, name="seen", tiers="schema", V0002__kind=column + "UPDATE items SET kind = 'x';\n")


DYNAMIC = "DO $$ BEGIN EXECUTE '%s'; END $$;\n"


def test_a_table_without_tenant_id_that_dynamic_sql_makes_is_refused_with_its_line():
    hidden = "COMMENT ON TABLE items IS 'x';\n\n%s-- the next one is good\n%s" % (
        DYNAMIC % "CREATE TABLE t (id int)", DYNAMIC % ("CREATE TABLE u (%s)" % KEY))
    says = ["migrations/V0002__bad.sql:3: ", "table \"t\"", "tenant_id", "(row_table_without_tenant_id)"]
    for tiers in ("row", "row, schema"):
        error = refuse("blueprint_invalid", *says, tiers=tiers, V0002__bad=hidden, V0003__more=DYNAMIC % "CREATE VIEW v AS SELECT 1")
        assert "shared" in error["hint"], error
    # A later statement takes away what an earlier one made right.
    refuse("blueprint_invalid", "migrations/V0003__drop.sql:1: ", "table \"u\"", tiers="row",
           V0002__u=DYNAMIC % ("CREATE TABLE u (%s)" % KEY), V0003__drop=DYNAMIC % "ALTER TABLE u ALTER tenant_id DROP NOT NULL")
    with harness.temporary_folder() as folder:  # the schema tier needs none
        assert add(folder, name="hidden", tiers="schema", V0002__bad=hidden)["change"] == "recorded"


def test_what_the_row_tier_forbids_is_found_where_dynamic_sql_makes_it():
    tables = "CREATE TABLE p (%s, id bigint, PRIMARY KEY (tenant_id, id));\n" % KEY
    exclusion = "ALTER TABLE p ADD EXCLUDE USING gist (tenant_id WITH %s, id WITH =)"
    gist = "extensions: {wanted: [btree_gist]}\n"
    forbidden = {"row_unique_without_tenant_id": ["CREATE UNIQUE INDEX i ON p (id)", "ALTER TABLE p ADD UNIQUE (id)",
                                                  "CREATE UNIQUE INDEX i ON p (id) INCLUDE (tenant_id)",
                                                  exclusion % "<>"],
                 "row_foreign_key": ["CREATE TABLE q (%s, p_id bigint, other uuid,"
                                     " FOREIGN KEY (other, p_id) REFERENCES p)" % KEY],
                 "row_materialized_view": ["CREATE MATERIALIZED VIEW m AS SELECT id FROM p"],
                 "row_view_without_invoker": ["CREATE VIEW v AS SELECT id FROM p",
                                              "CREATE VIEW v WITH (security_invoker = off) AS SELECT id FROM p"]}
    for rule, statements in forbidden.items():
        for sql in statements:
            refuse("blueprint_invalid", "migrations/V0003__more.sql:2: ", "(%s)" % rule, tiers="row", more=gist, V0002__p=tables,
                   V0003__more="\n" + DYNAMIC % sql + DYNAMIC % ("CREATE TABLE z (%s)" % KEY))
    allowed = ["CREATE UNIQUE INDEX i ON p (id, tenant_id)", exclusion % "=", "CREATE INDEX j ON p (id)",
               "CREATE VIEW v WITH (security_invoker) AS SELECT id FROM p",
               "CREATE TABLE q (%s, p_id bigint, FOREIGN KEY (tenant_id, p_id) REFERENCES p)" % KEY]
    with harness.temporary_folder() as folder:
        assert add(folder, name="allowed", tiers="row", more=gist, V0002__p=tables,
                   V0003__more="".join(DYNAMIC % sql for sql in allowed))["change"] == "recorded"


def test_rights_for_everybody_that_dynamic_sql_gives_are_refused():
    for tiers in ("row", "schema"):
        error = refuse("isolation_violated", "blueprint \"bad\": ", "public_grant_table, table bad.items: PUBLIC has SELECT",
                       tiers=tiers, V0002__grant=DYNAMIC % "GRANT SELECT ON items TO PUBLIC")
        assert error["hint"] == "a tenant of the %s tier was tried; nothing was changed" % tiers, error


def test_a_cycle_of_foreign_keys_through_a_partition_is_refused():
    tables = ("CREATE TABLE a (id bigint PRIMARY KEY, c bigint) PARTITION BY RANGE (id);\n"
              "CREATE TABLE a1 PARTITION OF a FOR VALUES FROM (0) TO (9);\n"
              "CREATE TABLE b (id bigint PRIMARY KEY, a bigint REFERENCES a);\n")
    key = "ALTER TABLE a1 ADD FOREIGN KEY (c) REFERENCES b"
    for sql in (key + ";\n", DYNAMIC % key):
        refuse("blueprint_invalid", "migrations/V0002__key.sql:2: ", "\"a\" -> \"b\" -> \"a\"", "(foreign_key_cycle)",
               tiers="schema", V0001__items=tables, V0002__key="\n" + sql)
    with harness.temporary_folder() as folder:
        assert add(folder, name="waits", tiers="schema", V0001__items=tables,
                   V0002__key=key + " DEFERRABLE;\n")["change"] == "recorded"


def test_a_name_that_postgresql_or_tenantry_keeps_for_itself_is_refused():
    for name in ("pg_x", "tenantry_ext", "public"):
        for command in ("lint", "add"):
            refuse("blueprint_invalid", "blueprint.yaml:1: ", "\"%s\" is a name that " % name, command=command, name=name,
                   tiers="row")


def test_a_blueprint_that_was_recorded_under_such_a_name_gets_a_schema_of_another_name():
    server = shared_server()
    with harness.temporary_folder() as folder:
        add(folder, name="renamed", tiers="row")
    for table, columns in (("blueprints", "name"), ("blueprint_versions", "blueprint"), ("plans", "blueprint")):
        others = server.psql("SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute WHERE attrelid = 'tenantry.%s'::regclass"
                             " AND attnum > 0 AND NOT attisdropped AND attgenerated = '' AND attname <> '%s'" % (table, columns))
        server.psql("INSERT INTO tenantry.%s (%s, %s) SELECT 'tenantry_next', %s FROM tenantry.%s WHERE %s = 'renamed'"
                    % (table, columns, others, others.replace("definition", "replace(definition::text, '\"renamed\"',"
                                                              " '\"tenantry_next\"')::json"), table, columns))
    server.create("opaque", "tenantry_next")
    schema = server.psql("SELECT schema_name FROM tenantry.places WHERE blueprint = 'tenantry_next'")
    assert schema.startswith("shared_"), schema


def test_a_cycle_of_foreign_keys_that_dynamic_sql_makes_is_refused_with_its_line():
    tables = "CREATE TABLE a (id bigint PRIMARY KEY, b_id bigint);\nCREATE TABLE b (id bigint PRIMARY KEY, a_id bigint REFERENCES a);\n"
    key = "ALTER TABLE a ADD CONSTRAINT a_b_fk FOREIGN KEY (b_id) REFERENCES b%s"
    says = ["cycle", "\"a\" -> \"b\" -> \"a\"", "(foreign_key_cycle)"]
    refuse("blueprint_invalid", "migrations/V0003__more.sql:2: ", *says, tiers="schema", V0002__ab=tables,
           V0003__more="\n" + DYNAMIC % (key % "") + DYNAMIC % "CREATE TABLE c (id int)")
    # Made harmless in the first place, and harmful later.
    refuse("blueprint_invalid", "migrations/V0003__more.sql:1: ", *says, tiers="schema",
           V0002__ab=tables + DYNAMIC % (key % " DEFERRABLE"),
           V0003__more=DYNAMIC % "ALTER TABLE a ALTER CONSTRAINT a_b_fk NOT DEFERRABLE")
    with harness.temporary_folder() as folder:  # a key to itself, one of a partitioned table, and a deferrable one
        parts = "CREATE TABLE p (id bigint PRIMARY KEY, up bigint REFERENCES p, a_id bigint REFERENCES a) PARTITION BY HASH (id);"
        more = "%sCREATE TABLE p_0 PARTITION OF p FOR VALUES WITH (modulus 1, remainder 0);" % parts
        answer = add(folder, name="uncycled", tiers="schema", V0002__ab=tables,
                     V0003__more=DYNAMIC % more + DYNAMIC % (key % " DEFERRABLE"))
    assert answer["change"] == "recorded"


def test_a_blueprint_is_shown_in_100_columns():
    for name in ("saas", "trading"):
        shown = shared_server().tenantry("blueprint", "show", name, json=False).out
        tables = shown.split("\n\n", 1)[1].splitlines()
        assert max(map(len, tables)) <= 100, shown


@functools.lru_cache(maxsize=None)
def recorded():
    with harness.temporary_folder() as folder:
        return add(folder, name="again")


def test_a_branch_that_never_ran_does_not_keep_the_next_version_out():
    branches = """DO $$ BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'no_such_role') THEN GRANT SELECT ON items TO no_such_role; END IF;
  -- lint:ignore no_such_rule
  IF false THEN CREATE ROLE app; COMMIT; CREATE TABLE bare (a int); END IF;
END $$;
"""
    with harness.temporary_folder() as folder:
        for version, files in ((2, {}), (3, {"V0003__more": "COMMENT ON TABLE items IS 'x';\n"})):
            answer = add(folder, name="branches", V0002__branches=branches, **files)
            assert (answer["change"], answer["version"]) == ("recorded", version), answer
    # What does run is seen by the trial.
    refuse("isolation_violated", "public_grant_table", tiers="schema",
           V0002__grant="DO $$ BEGIN GRANT SELECT ON items TO PUBLIC; END $$;\n")


def test_what_is_recorded_is_not_tried_again():
    assert recorded()["change"] == "recorded"
    with harness.temporary_folder() as folder:
        before = snapshot()
        answer = add(folder, name="again")
        assert (answer["change"], answer["job"]) == ("none", None), answer
        assert snapshot() == before


def test_a_good_blueprint_leaves_nothing_of_its_trial_behind():
    recorded()
    names = "SELECT count(*) FROM %s WHERE %s LIKE 'trial%%'"
    for table, column in (("pg_roles", "rolname"), ("pg_namespace", "nspname"), ("tenantry.blueprints", "name"),
                          ("tenantry.places", "blueprint"), ("tenancy.role_tenants", "role_name")):
        assert shared_server().psql(names % (table, column), shared_server().superuser) == "0", table


if __name__ == "__main__":
    harness.main()
