#!/usr/bin/env python3
"""Tenants that share tables: what one of them tries, and what the database lets it see."""
import functools

import harness
from harness import Session, refused_sql, shared_server

BOTH_EMAIL = "same@example.org"
TABLES = ("users", "items", "audit_log", "tenant_metrics")


@functools.lru_cache(maxsize=None)
def neighbours():
    """Two tenants of the saas blueprint with one user, one item and one metric each: ours, theirs."""
    server = shared_server()
    found = []
    for slug in ("ours", "theirs"):
        tenant = server.create(slug, "saas")
        tenant["user"] = server.psql(
            "INSERT INTO users (email) VALUES ('%s') RETURNING id;" % BOTH_EMAIL, tenant["app"]
        )
        tenant["item"] = server.psql(
            "INSERT INTO items (owner_id, title) VALUES ('%s', 'of %s') RETURNING id;" % (tenant["user"], slug),
            tenant["app"],
        )
        server.psql("SELECT refresh_tenant_metrics();", tenant["app"])
        found.append(tenant)
    return found


def fingerprint(tenant):
    """All that a tenant has, as it sees it; compared before and after an attack of its neighbour."""
    return shared_server().psql(
        "".join(
            "SELECT md5(string_agg(t::text, '' ORDER BY t::text)), count(*) FROM %s t;" % table for table in TABLES
        ),
        tenant["app"],
    )


def attack(sql, login="app"):
    """Runs SQL as our tenant; theirs must be the same afterwards, and must not be in what was printed."""
    ours, theirs = neighbours()
    before = fingerprint(theirs)
    result = shared_server().psql(sql, ours[login], expect=None)
    assert fingerprint(theirs) == before, "changed by: " + sql
    # An error may repeat an id that we sent; a row may not come back.
    assert "of theirs" not in result.out and theirs["user"] not in result.out, result.text()
    return result


def set_tenant(value):
    return "SELECT set_config('app.current_tenant_id', '%s', false) IS NULL;" % value.replace("'", "''")


def rows_with(setting, login="app"):
    """The rows of all tables that our tenant sees with a setting."""
    ours, _ = neighbours()
    counts = "SELECT " + " + ".join("(SELECT count(*) FROM %s)" % table for table in TABLES)
    return int(shared_server().psql(setting + counts, ours[login]).split("\n")[-1])


def test_without_the_setting_the_role_decides():
    assert rows_with("") == 4
    assert rows_with("", "readonly") == 4


def test_the_setting_may_be_empty_or_our_own_id_in_any_case():
    ours, _ = neighbours()
    for value in ("", ours["id"], ours["id"].upper()):
        for login in ("app", "readonly"):
            assert rows_with(set_tenant(value), login) == 4, value


def test_the_setting_can_only_narrow():
    _, theirs = neighbours()
    for value in (
        theirs["id"],
        theirs["id"].upper(),
        "x",
        "' OR 1=1",
        "' OR 1=1 --",
        "%",
        "*",
        " ",
        "null",
        "0",
        "00000000-0000-0000-0000-000000000000",
        theirs["id"] + " ",
        "{%s}" % theirs["id"],
    ):
        for login in ("app", "readonly"):
            assert rows_with(set_tenant(value), login) == 0, value


def test_no_other_spelling_of_the_setting_helps():
    _, theirs = neighbours()
    for sql in (
        "SET app.current_tenant_id = '%s';",
        "SET LOCAL app.current_tenant_id = '%s';",
        "BEGIN; SET LOCAL app.current_tenant_id = '%s';",
        "SET \"app.current_tenant_id\" TO '%s';",
        "SET app.tenant_id = '%s';",
        "SET app.current_tenant = '%s';",
        "SET role_tenants.tenant_id = '%s';",
    ):
        result = attack(sql % theirs["id"] + " SELECT * FROM users; SELECT * FROM items;")
        assert result.status == 0, result.text()


def test_reading_by_id_or_by_any_expression_finds_nothing():
    _, theirs = neighbours()
    for sql in (
        "SELECT * FROM users WHERE tenant_id = '{id}'",
        "SELECT * FROM items WHERE id = '{item}'",
        "SELECT * FROM users WHERE tenant_id = '{id}' OR true",
        "TABLE items",
        "SELECT * FROM users u FULL JOIN items i ON true WHERE u.tenant_id = '{id}'",
        "SELECT * FROM users WHERE id = '{user}' FOR UPDATE",
        "COPY items TO STDOUT",
        "COPY (SELECT * FROM items) TO STDOUT",
        "SELECT * FROM items TABLESAMPLE BERNOULLI (100)",
        "SELECT query_to_xml('SELECT * FROM items', true, true, '')",
        "SELECT table_to_xml('items', true, true, '')",
        "SELECT schema_to_xml('saas', true, true, '')",
        "WITH x AS MATERIALIZED (SELECT * FROM items) SELECT * FROM x",
    ):
        attack(sql.format(**theirs))


def test_inserting_for_a_neighbour_is_refused():
    _, theirs = neighbours()
    for sql in (
        "INSERT INTO users (tenant_id, email) VALUES ('{id}', 'x@example.org')",
        set_tenant(theirs["id"]) + "INSERT INTO users (tenant_id, email) VALUES ('{id}', 'x@example.org')",
        "INSERT INTO audit_log (tenant_id, action) VALUES ('{id}', 'forged')",
        "COPY users (tenant_id, email) FROM STDIN;\n{id}\tx@example.org\n\\.\n",
    ):
        result = attack(sql.format(**theirs))
        assert result.status != 0 and "row-level security" in result.err, result.text()


def test_an_insert_under_a_forged_setting_is_refused():
    _, theirs = neighbours()
    result = attack(set_tenant(theirs["id"]) + "INSERT INTO users (email) VALUES ('x@example.org')")
    assert result.status != 0, result.text()


def test_updating_and_deleting_touch_no_neighbour():
    _, theirs = neighbours()
    for sql in (
        "UPDATE users SET full_name = 'x' WHERE tenant_id = '{id}' RETURNING id",
        "UPDATE items SET title = 'x' WHERE id = '{item}' RETURNING id",
        "DELETE FROM items WHERE id = '{item}' RETURNING id",
        "DELETE FROM users WHERE tenant_id = '{id}' RETURNING id",
        "MERGE INTO items t USING (SELECT '{item}'::uuid AS id) s ON t.id = s.id WHEN MATCHED THEN DELETE",
    ):
        result = attack(sql.format(**theirs))
        assert result.status == 0 and result.out == "", result.text()


def test_a_row_cannot_be_given_to_a_neighbour():
    ours, theirs = neighbours()
    result = attack("UPDATE items SET tenant_id = '%s' WHERE id = '%s'" % (theirs["id"], ours["item"]))
    assert result.status != 0, result.text()
    result = attack("UPDATE users SET tenant_id = '%s'" % theirs["id"])
    assert result.status != 0, result.text()


def test_an_upsert_on_a_neighbours_key_is_refused():
    _, theirs = neighbours()
    result = attack(
        "INSERT INTO users (tenant_id, id, email) VALUES ('{id}', '{user}', 'x@example.org')"
        " ON CONFLICT (tenant_id, id) DO UPDATE SET email = 'x@example.org' RETURNING *".format(**theirs)
    )
    assert result.status != 0 and "row-level security" in result.err, result.text()


def test_a_foreign_key_does_not_reach_a_neighbour_nor_tell_that_its_row_exists():
    _, theirs = neighbours()
    insert = "INSERT INTO items (owner_id, title) VALUES ('%s', 'x')"
    real = attack(insert % theirs["user"])
    unreal = attack(insert % "11111111-1111-4111-8111-111111111111")
    assert real.status != 0 and "items_owner_fkey" in real.err, real.text()
    assert real.err.split("DETAIL")[0] == unreal.err.split("DETAIL")[0]


def test_two_tenants_may_have_the_same_unique_value():
    ours, theirs = neighbours()
    for tenant in (ours, theirs):
        assert (
            shared_server().psql("SELECT count(*) FROM users WHERE email = '%s'" % BOTH_EMAIL, tenant["app"]) == "1"
        )
    refused_sql(ours["app"], "INSERT INTO users (email) VALUES ('%s')" % BOTH_EMAIL, "users_email_key")


def test_a_neighbours_id_can_be_used_again_without_a_hint_that_it_is_there():
    _, theirs = neighbours()
    result = attack("BEGIN; INSERT INTO users (id, email) VALUES ('%s', 'x@example.org'); ROLLBACK" % theirs["user"])
    assert result.status == 0, result.text()


def test_no_other_role_can_be_taken():
    ours, theirs = neighbours()
    server = shared_server()
    owner = server.psql("SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'saas'")
    role = [c["role"] for c in theirs["connections"]]
    for name in (*role, owner, "tenantry", "postgres", "pg_read_all_data"):
        for sql in (
            "SET ROLE %s",
            "SET LOCAL ROLE %s",
            "SET SESSION AUTHORIZATION %s",
            "SELECT set_config('role', '%s', false)",
        ):
            result = attack((sql % name) + "; SELECT * FROM items")
            assert "permission denied" in result.err, result.text()
    refused_sql(ours["app"], "GRANT %s TO CURRENT_USER" % role[0], "")
    refused_sql(ours["readonly"], "SET ROLE %s" % ours["connections"][0]["role"], "permission denied")


def test_a_login_makes_nobody_a_member_of_itself():
    """Who could, would make logins that wait for a tenant members of its own, and no create would pass. PostgreSQL 14 allowed it."""
    ours, theirs = neighbours()
    server = shared_server()
    waiting = server.psql("SELECT stem || '_app' FROM tenantry.ready_logins LIMIT 1")
    group = server.psql("SELECT app_role FROM tenantry.places WHERE blueprint = 'saas'")
    roles = {c["login"]: c["role"] for c in ours["connections"]}
    for login, role in roles.items():
        for member in (waiting, group, theirs["connections"][0]["role"], "postgres"):
            for option in ("", " WITH ADMIN OPTION"):
                grant = "SET default_transaction_read_only = off; GRANT %s TO %s%s" % (role, member, option)
                refused_sql(ours[login], grant, "role \"%s\"" % role)
    lent = "SELECT count(*) FROM pg_auth_members WHERE roleid IN ('%(app)s'::regrole, '%(readonly)s'::regrole)" % roles
    assert server.psql(lent + " AND member <> current_user::regrole") == "0"


def test_a_group_role_that_can_be_taken_is_no_tenant():
    """The logins are members of their blueprint's group, so SET ROLE works; the group maps to nothing."""
    ours, _ = neighbours()
    server = shared_server()
    groups = server.psql(
        "SELECT roleid::regrole FROM pg_auth_members WHERE member = '%s'::regrole" % ours["connections"][0]["role"]
    ).split("\n")
    assert len(groups) == 2, groups
    for group in groups:
        result = attack("SET ROLE %s; SELECT count(*) FROM items" % group)
        assert result.out.strip() in ("0", "") and "of ours" not in result.out, result.text()


def test_reset_gives_back_only_ourselves():
    for sql in (
        "RESET ROLE;",
        "RESET ALL;",
        "DISCARD ALL;",
        "SET ROLE NONE;",
        "RESET SESSION AUTHORIZATION;",
        "SET SESSION AUTHORIZATION DEFAULT;",
    ):
        assert attack(sql + " SELECT count(*) FROM items").out.strip() == "1", sql


def test_row_security_cannot_be_switched_off():
    result = attack("SET row_security = off; SELECT * FROM items")
    assert result.status != 0 and "row-level security" in result.err, result.text()
    for sql in (
        "ALTER TABLE items DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE items NO FORCE ROW LEVEL SECURITY",
        "DROP POLICY tenant_guard ON items",
        "ALTER POLICY tenant_guard ON items USING (true)",
        "CREATE POLICY mine ON items USING (true)",
    ):
        result = attack(sql)
        assert "must be owner" in result.err, result.text()


def test_replication_settings_cannot_switch_triggers_and_keys_off():
    result = attack("SET session_replication_role = replica")
    assert "permission denied" in result.err, result.text()


def test_the_settings_of_our_own_role_can_only_narrow_too():
    ours, theirs = neighbours()
    role = ours["connections"][0]["role"]
    try:
        attack("ALTER ROLE %s SET app.current_tenant_id = '%s'" % (role, theirs["id"]))
        result = attack("SELECT * FROM items")
        assert "of theirs" not in result.out
        for sql in (
            "ALTER ROLE %s BYPASSRLS",
            "ALTER ROLE %s SUPERUSER",
            "ALTER ROLE %s CREATEROLE",
            "ALTER ROLE %s RENAME TO x",
            "ALTER ROLE %s SET session_preload_libraries = 'x'",
        ):
            assert attack(sql % role).status != 0, sql
    finally:
        attack("ALTER ROLE %s RESET app.current_tenant_id" % role)
    assert rows_with("") == 4


def test_objects_of_our_own_cannot_be_made():
    for sql in (
        "CREATE TEMP TABLE role_tenants (role_name name, tenant_id uuid)",
        "CREATE TEMP VIEW v AS SELECT * FROM items",
        "CREATE VIEW v AS SELECT * FROM items",
        "CREATE VIEW public.v AS SELECT 1",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE SCHEMA mine",
        "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE OPERATOR public.=== (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = uuid_eq)",
        "CREATE RULE r AS ON INSERT TO items DO ALSO NOTHING",
        "CREATE TRIGGER t BEFORE INSERT ON items EXECUTE FUNCTION touch_updated_at()",
        "CREATE PUBLICATION p FOR TABLE items",
        "CREATE INDEX ON items (title)",
        "CREATE STATISTICS s ON title, id FROM items",
        "DO LANGUAGE plpython3u 'x'",
    ):
        assert attack(sql).status != 0, sql


def test_a_function_that_leaks_what_it_is_asked_sees_only_our_rows():
    """Planner tricks: a cheap function that raises its argument must not be run before the guard."""
    ours, _ = neighbours()
    result = attack("SELECT count(*) FROM items WHERE title::xml IS NULL OR CAST(title AS integer) = 1")
    assert "of theirs" not in result.err, result.text()
    result = attack("DO $$ BEGIN PERFORM FROM items WHERE CAST(title AS integer) = 1; END $$")
    assert "of ours" in result.err and "of theirs" not in result.err, result.text()
    assert shared_server().psql("SELECT count(*) FROM items", ours["app"]) == "1"


def test_statistics_of_the_shared_tables_tell_nothing():
    shared_server().psql("ANALYZE saas.items, saas.users", shared_server().superuser)
    for sql in (
        "SELECT most_common_vals, histogram_bounds FROM pg_stats WHERE tablename IN ('items', 'users')",
        "SELECT * FROM pg_stats_ext",
        "SELECT stavalues1 FROM pg_statistic",
    ):
        result = attack(sql)
        assert "theirs" not in result.out and BOTH_EMAIL not in result.out, result.text()


def test_the_map_of_roles_shows_our_own_row_and_takes_no_writing():
    ours, theirs = neighbours()
    role = ours["connections"][0]["role"]
    assert attack("SELECT * FROM tenancy.role_tenants").out.strip() == "%s|%s" % (role, ours["id"])
    for sql in (
        "UPDATE tenancy.role_tenants SET tenant_id = '{id}'",
        "DELETE FROM tenancy.role_tenants",
        "INSERT INTO tenancy.role_tenants VALUES ('x', '{id}')",
        "TRUNCATE tenancy.role_tenants",
        "ALTER TABLE tenancy.role_tenants DISABLE ROW LEVEL SECURITY",
        "DROP FUNCTION tenancy.current_tenant()",
        "CREATE OR REPLACE FUNCTION tenancy.current_tenant() RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid'",
    ):
        assert attack(sql.format(**theirs)).status != 0, sql


def test_the_search_path_cannot_put_another_map_in_the_way():
    ours, _ = neighbours()
    for path in ("pg_temp, saas", "public, saas", "saas, tenancy", "''"):
        result = attack("SET search_path = %s; SELECT tenancy.current_tenant()" % path)
        assert result.out.strip() == ours["id"], result.text()


def test_operators_types_and_functions_of_the_search_path_do_not_say_who_a_tenant_is():
    ours, theirs = neighbours()
    server = shared_server()
    server.psql(
        """
        CREATE SCHEMA trap;
        GRANT USAGE ON SCHEMA trap TO PUBLIC;
        CREATE FUNCTION trap.yes(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
        CREATE FUNCTION trap.yes(name, name) RETURNS boolean LANGUAGE sql AS 'SELECT true';
        CREATE OPERATOR trap.= (LEFTARG = text, RIGHTARG = text, FUNCTION = trap.yes);
        CREATE OPERATOR trap.= (LEFTARG = name, RIGHTARG = name, FUNCTION = trap.yes);
        CREATE FUNCTION trap.lower(text) RETURNS text LANGUAGE sql AS 'SELECT NULL::text';
        CREATE FUNCTION trap.current_setting(text, boolean) RETURNS text LANGUAGE sql AS 'SELECT NULL::text';
        CREATE DOMAIN trap.text AS pg_catalog.text CHECK (VALUE IS NULL);
        """, server.superuser)
    try:
        for value, found in (("", ours["id"]), (ours["id"], ours["id"]), (theirs["id"], "none")):
            told = attack("SET app.current_tenant_id = '%s'; SET search_path = trap, pg_catalog, saas;"
                          " SELECT coalesce(tenancy.current_tenant()::pg_catalog.text, 'none')" % value)
            assert told.out.strip() == found, (value, told.text())
    finally:
        server.psql("DROP SCHEMA trap CASCADE", server.superuser)


def test_partitions_cannot_be_reached_past_their_parent():
    partitions = (
        shared_server()
        .psql(
            "SELECT oid::regclass FROM pg_class WHERE relispartition AND relkind = 'r'"
            " AND relnamespace = 'saas'::regnamespace"
        )
        .split("\n")
    )
    assert len(partitions) >= 10, partitions
    for partition in partitions:
        for sql in (
            "SELECT * FROM %s",
            "DELETE FROM %s",
            "INSERT INTO %s DEFAULT VALUES",
            "LOCK TABLE %s",
            "ALTER TABLE %s DISABLE ROW LEVEL SECURITY",
        ):
            assert attack("BEGIN; " + sql % partition).status != 0, partition
    forced = shared_server().psql(
        "SELECT count(*) FROM pg_class WHERE relnamespace = 'saas'::regnamespace AND relkind IN"
        " ('r', 'p') AND NOT (relrowsecurity AND relforcerowsecurity)"
    )
    assert forced == "0"


def test_the_audit_log_of_the_application_only_grows():
    for sql in ("UPDATE audit_log SET action = 'x'", "DELETE FROM audit_log"):
        assert "permission denied" in attack(sql).err
    assert attack("BEGIN; INSERT INTO audit_log (action) VALUES ('x') RETURNING action; ROLLBACK").out.strip() == "x"


def test_a_prepared_statement_follows_the_setting_of_each_run():
    ours, theirs = neighbours()
    with Session(ours["app"]) as session:
        session.ask("SET plan_cache_mode = force_generic_plan; PREPARE q AS SELECT count(*) FROM items;")
        for value, rows in (("", "1"), (theirs["id"], "0"), (ours["id"], "1"), ("x", "0")):
            session.ask(set_tenant(value))
            assert session.ask("EXECUTE q;") == rows, value


def test_a_cursor_and_a_transaction_keep_to_our_rows():
    _, theirs = neighbours()
    result = attack(
        "BEGIN; DECLARE c CURSOR FOR SELECT title FROM items; %s FETCH ALL FROM c; COMMIT" % set_tenant(theirs["id"])
    )
    assert result.status == 0 and "of theirs" not in result.out, result.text()


def test_a_permissive_policy_added_by_hand_does_not_widen():
    server = shared_server()
    server.psql(
        "CREATE POLICY mistake ON saas.items USING (true) WITH CHECK (true);"
        "CREATE POLICY mistake ON saas.users FOR SELECT TO PUBLIC USING (true)",
        server.superuser,
    )
    try:
        assert attack("SELECT title FROM items").out.strip() == "of ours"
        _, theirs = neighbours()
        result = attack("INSERT INTO users (tenant_id, email) VALUES ('%s', 'x@example.org')" % theirs["id"])
        assert "row-level security" in result.err, result.text()
    finally:
        server.psql("DROP POLICY mistake ON saas.items; DROP POLICY mistake ON saas.users", server.superuser)


def test_every_table_of_tenants_has_the_restrictive_guard():
    guarded = shared_server().psql(
        "SELECT count(*) FROM pg_class c WHERE relnamespace = 'saas'::regnamespace AND relkind IN ('r', 'p') AND NOT EXISTS"
        " (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND polname = 'tenant_guard' AND NOT polpermissive"
        "  AND polroles = '{0}' AND polcmd = '*' AND polqual IS NOT NULL AND polwithcheck IS NOT NULL)"
    )
    assert guarded == "0"


def test_the_owner_of_the_tables_sees_no_rows_either():
    server = shared_server()
    neighbours()
    owner = server.psql("SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'saas'")
    assert server.psql("SET ROLE %s; SELECT count(*) FROM saas.items" % owner, server.superuser) == "0"


if __name__ == "__main__":
    harness.main()
