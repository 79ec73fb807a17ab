"""The rules of isolation: for each a tenant that is broken on purpose, and a twin that is not."""
import functools
import os
import re

import harness

# Two tenants of the schema tier (a, b) and two of the row tier (x, y).
TENANTS = [("a", "trading"), ("b", "trading"), ("x", "saas"), ("y", "saas")]

# (rule, the tenant that the finding is about or None, what breaks it, what undoes it or None for the finding's own mend)
CASES = [
    ("public_grant_schema", "a", "GRANT USAGE ON SCHEMA {a} TO PUBLIC", None),
    ("public_grant_table", "a", "GRANT SELECT ON {a}.portfolios TO PUBLIC", None),
    ("public_grant_table", None, "GRANT SELECT ON {x}.users TO PUBLIC", None),
    ("public_grant_column", "a", "GRANT SELECT (id) ON {a}.portfolios TO PUBLIC", None),
    ("public_grant_sequence", "a", "CREATE SEQUENCE {a}.s; ALTER SEQUENCE {a}.s OWNER TO {a_owner};"
     " GRANT USAGE ON SEQUENCE {a}.s TO PUBLIC", "DROP SEQUENCE {a}.s"),
    ("public_grant_function", "a", "GRANT EXECUTE ON FUNCTION {a}.touch_updated_at() TO PUBLIC", None),
    ("public_grant_type", "a", "GRANT USAGE ON TYPE {a}.trade_side TO PUBLIC", None),
    ("public_grant_database", None, "GRANT CREATE ON DATABASE tenantry TO PUBLIC", None),
    ("public_grant_database", "a", "GRANT CREATE ON DATABASE tenantry TO {a_app}", None),
    ("path_schema_create", None, "GRANT CREATE ON SCHEMA public TO PUBLIC", None),
    ("grant_schema", "a", "GRANT USAGE ON SCHEMA {a} TO {b_app}", None),
    ("grant_table", "a", "GRANT SELECT ON {a}.portfolios TO {b_app}", None),
    ("grant_table", "a", "GRANT SELECT ON {a}.portfolios TO {tenants}", None),
    ("grant_table", "a", "GRANT SELECT ON {a}.market_data_default TO {x_app}", None),
    ("grant_table", None, "GRANT SELECT ON {x}.users TO {b_app}", None),
    ("grant_column", "a", "GRANT UPDATE (name) ON {a}.portfolios TO {b_app}", None),
    ("grant_sequence", "a", "CREATE SEQUENCE {a}.s; ALTER SEQUENCE {a}.s OWNER TO {a_owner};"
     " GRANT USAGE ON SEQUENCE {a}.s TO {b_app}", "DROP SEQUENCE {a}.s"),
    ("grant_function", "a", "GRANT EXECUTE ON FUNCTION {a}.touch_updated_at() TO {b_app}", None),
    ("grant_type", "a", "GRANT USAGE ON TYPE {a}.trade_side TO {b_app}", None),
    ("grant_inherited", "a", "CREATE ROLE one; CREATE ROLE two; CREATE ROLE three; GRANT one TO two; GRANT two TO three;"
     " GRANT three TO {b_app}; GRANT SELECT ON {a}.portfolios TO one",
     "REVOKE ALL ON {a}.portfolios FROM one; DROP ROLE one, two, three"),
    ("grant_outsider", "a", "CREATE ROLE analyst; GRANT SELECT ON {a}.portfolios TO analyst",
     "DROP OWNED BY analyst; DROP ROLE analyst"),
    ("grant_definer", "a", "CREATE FUNCTION {a}.f() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog"
     " AS 'SELECT 1'; ALTER FUNCTION {a}.f() OWNER TO {a_owner}; GRANT EXECUTE ON FUNCTION {a}.f() TO {b_app}",
     "DROP FUNCTION {a}.f()"),
    ("grant_option", "a", "GRANT SELECT ON {a}.portfolios TO {a_app} WITH GRANT OPTION", None),
    ("readonly_write", "a", "GRANT DELETE ON {a}.portfolios TO {a_ro}", None),
    ("control_grant", "a", "GRANT SELECT ON tenantry.tenants TO {a_app}", None),
    ("control_grant", None, "GRANT SELECT ON tenantry.credentials TO {tenants}", None),
    ("control_grant", None, "GRANT UPDATE ON tenancy.role_tenants TO {tenants}",
     "REVOKE UPDATE ON tenancy.role_tenants FROM {tenants}"),
    ("truncate_own", "a", "GRANT TRUNCATE ON {a}.portfolios TO {a_app}", None),
    ("truncate_right", None, "GRANT TRUNCATE ON {x}.users TO {x_group}", None),
    ("references_right", None, "GRANT REFERENCES (id) ON {x}.users TO {x_group}", None),
    ("trigger_right", "a", "GRANT TRIGGER ON {a}.portfolios TO {a_app}", None),
    ("schema_create_right", None, "GRANT CREATE ON SCHEMA {x} TO {x_group}", None),
    ("role_superuser", "a", "ALTER ROLE {a_app} SUPERUSER", None),
    ("role_bypassrls", "x", "ALTER ROLE {x_app} BYPASSRLS", None),
    ("role_bypassrls", "x", "CREATE ROLE seer BYPASSRLS; GRANT seer TO {x_app}", "DROP ROLE seer"),
    ("role_createrole", "a", "CREATE ROLE maker CREATEROLE; GRANT maker TO {a_ro}", "DROP ROLE maker"),
    ("role_createrole", "a", "ALTER ROLE {a_ro} CREATEROLE", None),
    ("role_replication", "a", "ALTER ROLE {a_app} REPLICATION", None),
    ("role_createdb", "a", "ALTER ROLE {a_app} CREATEDB", None),
    ("role_unlimited", "a", "ALTER ROLE {a_app} CONNECTION LIMIT -1", "ALTER ROLE {a_app} CONNECTION LIMIT 5"),
    ("owner_login", "a", "ALTER ROLE {a_owner} LOGIN", None),
    ("member_of_tenant", "a", "GRANT {a_ro} TO {b_app}", None),
    ("member_of_tenant", "a", "CREATE ROLE between; GRANT {a_owner} TO between; GRANT between TO {y_app}",
     "DROP ROLE between"),
    ("member_of_owner", "a", "GRANT {a_owner} TO {a_app}", None),
    ("member_of_shared_owner", "x", "GRANT {x_owner} TO {x_app}", None),
    ("member_of_group", "a", "GRANT {x_group} TO {a_app}", None),
    ("member_predefined", "a", "GRANT pg_read_all_data TO {a_app}", None),
    ("member_predefined", "x", "CREATE ROLE readers; GRANT pg_monitor TO readers; GRANT readers TO {x_app}",
     "DROP ROLE readers"),
    ("member_control", "a", "GRANT {audit} TO {a_app}", None),
    ("member_control", "a", "GRANT {guards} TO {a_app}", None),
    ("member_outside", "a", "CREATE ROLE club; GRANT club TO {a_app}", "DROP ROLE club"),
    ("member_admin", "a", "GRANT {tenants} TO {a_app} WITH ADMIN OPTION", None),
    ("member_outsider", "a", "CREATE ROLE person; GRANT {a_app} TO person", "DROP ROLE person"),
    ("owner_schema", "a", "ALTER SCHEMA {a} OWNER TO {b_owner}", None),
    ("owner_table", "a", "ALTER TABLE {a}.portfolios OWNER TO {b_owner}", None),
    ("owner_table", "a", "ALTER TABLE {a}.trades_default OWNER TO postgres", None),
    ("owner_function", "a", "ALTER FUNCTION {a}.touch_updated_at() OWNER TO {b_owner}", None),
    ("owner_type", "a", "ALTER TYPE {a}.trade_side OWNER TO {b_owner}", None),
    ("control_owner", None, "ALTER TABLE tenantry.plans OWNER TO {a_owner}", None),
    ("control_owner", None, "CREATE FUNCTION tenancy_guards.f() RETURNS int LANGUAGE sql AS 'SELECT 1';"
     " ALTER FUNCTION tenancy_guards.f() OWNER TO {a_owner}; REVOKE ALL ON FUNCTION tenancy_guards.f() FROM PUBLIC",
     "DROP FUNCTION tenancy_guards.f()"),
    ("owns_outside", "a", "CREATE TABLE public.hoard (); ALTER TABLE public.hoard OWNER TO {a_app}",
     "DROP TABLE public.hoard"),
    ("outside_grant", "a", "CREATE TABLE public.board (); GRANT SELECT ON public.board TO {a_app}",
     "DROP TABLE public.board"),
    ("default_privileges", "a", "ALTER DEFAULT PRIVILEGES FOR ROLE {a_owner} IN SCHEMA {a} GRANT SELECT ON TABLES TO {b_app}",
     None),
    ("default_privileges", "a", "ALTER DEFAULT PRIVILEGES FOR ROLE {a_owner} GRANT SELECT ON TABLES TO PUBLIC", None),
    ("default_privileges", "a", "ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA {a} GRANT SELECT ON TABLES TO {b_app}",
     None),
    ("default_public", "a", "ALTER DEFAULT PRIVILEGES FOR ROLE {a_owner} GRANT EXECUTE ON FUNCTIONS TO PUBLIC", None),
    ("rls_off", None, "ALTER TABLE {x}.users DISABLE ROW LEVEL SECURITY", None),
    ("rls_not_forced", None, "ALTER TABLE {x}.users NO FORCE ROW LEVEL SECURITY", None),
    ("policy_missing", None, "DROP POLICY tenant_guard ON {x}.users", None),
    ("policy_changed", None, "ALTER POLICY tenant_guard ON {x}.users"
     " USING (tenant_id::text = current_setting('app.current_tenant_id', true))", None),
    ("policy_changed", None, "ALTER POLICY tenant_guard ON {x}.users WITH CHECK (true)", None),
    ("policy_changed", None, "ALTER POLICY tenant_guard ON {x}.users TO {x_group}", None),
    ("policy_changed", None, "DROP POLICY tenant_guard ON {x}.users; CREATE POLICY tenant_guard ON {x}.users AS RESTRICTIVE"
     " FOR SELECT USING (tenant_id = tenancy.current_tenant())", None),
    ("policy_changed", None, "DROP POLICY tenant_guard ON {x}.users; CREATE POLICY tenant_guard ON {x}.users"
     " USING (tenant_id = tenancy.current_tenant())", None),
    ("policy_beside", None, "CREATE POLICY open ON {x}.users USING (true)", None),
    ("guard_changed", None, "ALTER POLICY tenant_guard ON tenantry.guard RENAME TO gone",
     "ALTER POLICY gone ON tenantry.guard RENAME TO tenant_guard"),
    ("tenant_id_missing", None, "CREATE TABLE {x}.notes (t text); ALTER TABLE {x}.notes OWNER TO {x_owner};"
     " GRANT SELECT, INSERT ON {x}.notes TO {x_group}", "DROP TABLE {x}.notes"),
    ("tenant_id_missing", None, "CREATE TABLE {x}.notes (t text); ALTER TABLE {x}.notes OWNER TO {x_owner};"
     " GRANT SELECT, INSERT (t) ON {x}.notes TO {x_group}", "DROP TABLE {x}.notes"),
    ("tenant_id_nullable", None, "CREATE TABLE {x}.notes (tenant_id uuid); ALTER TABLE {x}.notes OWNER TO {x_owner}",
     "DROP TABLE {x}.notes"),
    ("unique_without_tenant", None, "CREATE UNIQUE INDEX users_email_everywhere ON {x}.users (email)",
     "DROP INDEX {x}.users_email_everywhere"),
    ("foreign_key_without_tenant", None, "CREATE TABLE {x}.notes (tenant_id uuid NOT NULL, id uuid UNIQUE, of uuid"
     " REFERENCES {x}.notes (id)); ALTER TABLE {x}.notes OWNER TO {x_owner}", "DROP TABLE {x}.notes"),
    ("view_not_invoker", None, "CREATE VIEW {x}.v AS SELECT 1 AS one; ALTER VIEW {x}.v OWNER TO {x_owner}",
     "DROP VIEW {x}.v"),
    ("materialized_view", None, "CREATE MATERIALIZED VIEW {x}.m AS SELECT 1 AS one;"
     " ALTER MATERIALIZED VIEW {x}.m OWNER TO {x_owner}", None),
    ("cross_view", "a", "CREATE VIEW {b}.v AS SELECT * FROM {a}.portfolios; ALTER VIEW {b}.v OWNER TO {b_owner}", None),
    ("cross_view", "a", "CREATE MATERIALIZED VIEW {b}.v AS SELECT * FROM {a}.portfolios;"
     " ALTER MATERIALIZED VIEW {b}.v OWNER TO {b_owner}", None),
    ("cross_view", "a", "CREATE RULE r AS ON INSERT TO {b}.portfolios DO ALSO SELECT count(*) FROM {a}.portfolios",
     "DROP RULE r ON {b}.portfolios"),
    ("cross_default", "a", "CREATE FUNCTION {a}.g(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1';"
     " ALTER FUNCTION {a}.g(int) OWNER TO {a_owner}; REVOKE ALL ON FUNCTION {a}.g(int) FROM PUBLIC;"
     " CREATE TABLE {b}.t (i int, j int GENERATED ALWAYS AS ({a}.g(i)) STORED); ALTER TABLE {b}.t OWNER TO {b_owner}",
     "DROP TABLE {b}.t; DROP FUNCTION {a}.g(int)"),
    ("cross_foreign_key", "a", "CREATE FUNCTION {a}.g(int) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT true';"
     " ALTER FUNCTION {a}.g(int) OWNER TO {a_owner}; REVOKE ALL ON FUNCTION {a}.g(int) FROM PUBLIC;"
     " CREATE DOMAIN {b}.d AS int CHECK ({a}.g(VALUE)); ALTER DOMAIN {b}.d OWNER TO {b_owner};"
     " REVOKE ALL ON DOMAIN {b}.d FROM PUBLIC", "DROP DOMAIN {b}.d; DROP FUNCTION {a}.g(int)"),
    ("cross_function", "a", "CREATE FUNCTION {b}.f() RETURNS bigint LANGUAGE sql"
     " BEGIN ATOMIC SELECT count(*) FROM {a}.portfolios; END; ALTER FUNCTION {b}.f() OWNER TO {b_owner}", None),
    ("cross_trigger", "a", "CREATE TRIGGER spy BEFORE UPDATE ON {b}.portfolios FOR EACH ROW"
     " EXECUTE FUNCTION {a}.touch_updated_at()", None),
    ("cross_default", "a", "CREATE SEQUENCE {a}.s; ALTER SEQUENCE {a}.s OWNER TO {a_owner};"
     " CREATE TABLE {b}.d (n bigint DEFAULT nextval('{a}.s')); ALTER TABLE {b}.d OWNER TO {b_owner}",
     "DROP TABLE {b}.d; DROP SEQUENCE {a}.s"),
    ("cross_policy", "a", "CREATE POLICY p ON {b}.portfolios USING (EXISTS (SELECT FROM {a}.portfolios))", None),
    ("cross_foreign_key", "a", "CREATE TABLE {a}.parent (id int PRIMARY KEY); ALTER TABLE {a}.parent OWNER TO {a_owner};"
     " CREATE TABLE {b}.child (id int REFERENCES {a}.parent); ALTER TABLE {b}.child OWNER TO {b_owner}",
     "DROP TABLE {b}.child, {a}.parent"),
    ("cross_type", "a", "CREATE TABLE {b}.t (side {a}.trade_side); ALTER TABLE {b}.t OWNER TO {b_owner}",
     "DROP TABLE {b}.t"),
    ("cross_table", "a", "CREATE TABLE {a}.parent (id int); ALTER TABLE {a}.parent OWNER TO {a_owner};"
     " CREATE TABLE {b}.child () INHERITS ({a}.parent); ALTER TABLE {b}.child OWNER TO {b_owner}",
     "DROP TABLE {b}.child, {a}.parent"),
    ("cross_inheritance", "b", "CREATE TABLE {a}.parent (id int) PARTITION BY LIST (id);"
     " ALTER TABLE {a}.parent OWNER TO {a_owner}; CREATE TABLE {b}.child PARTITION OF {a}.parent DEFAULT;"
     " ALTER TABLE {b}.child OWNER TO {b_owner}", "DROP TABLE {a}.parent"),
    ("definer_owner", "a", "CREATE FUNCTION {a}.f() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog"
     " AS 'SELECT 1'; REVOKE ALL ON FUNCTION {a}.f() FROM PUBLIC", "DROP FUNCTION {a}.f()"),
    ("definer_search_path", "a", "CREATE FUNCTION {a}.f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';"
     " ALTER FUNCTION {a}.f() OWNER TO {a_owner}; REVOKE ALL ON FUNCTION {a}.f() FROM PUBLIC", "DROP FUNCTION {a}.f()"),
    ("definer_dynamic", "b", "CREATE FUNCTION {b}.f(t text) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER"
     " SET search_path = pg_catalog AS $$ DECLARE n bigint; BEGIN EXECUTE 'SELECT count(*) FROM ' || t INTO n; RETURN n;"
     " END $$; ALTER FUNCTION {b}.f(text) OWNER TO {b_owner}; REVOKE ALL ON FUNCTION {b}.f(text) FROM PUBLIC",
     "DROP FUNCTION {b}.f(text)"),
    ("definer_dynamic", "b", "CREATE FUNCTION {b}.f() RETURNS xml LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog"
     " BEGIN ATOMIC SELECT query_to_xml('SELECT 1', true, true, ''); END; ALTER FUNCTION {b}.f() OWNER TO {b_owner};"
     " REVOKE ALL ON FUNCTION {b}.f() FROM PUBLIC", "DROP FUNCTION {b}.f()"),
    ("definer_touches", "b", "CREATE FUNCTION {b}.f() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER"
     " SET search_path = pg_catalog AS $$ BEGIN RETURN (SELECT count(*) FROM {a}.portfolios); END $$;"
     " ALTER FUNCTION {b}.f() OWNER TO {b_owner}; REVOKE ALL ON FUNCTION {b}.f() FROM PUBLIC", "DROP FUNCTION {b}.f()"),
    ("definer_touches", "b", "CREATE FUNCTION {b}.f() RETURNS bigint LANGUAGE sql SECURITY DEFINER"
     " SET search_path = pg_catalog AS 'SELECT count(*) FROM pg_class; SELECT count(*) FROM tenantry.tenants';"
     " ALTER FUNCTION {b}.f() OWNER TO {b_owner}; REVOKE ALL ON FUNCTION {b}.f() FROM PUBLIC", "DROP FUNCTION {b}.f()"),
    ("definer_touches", "b", "CREATE FUNCTION {b}.f() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER"
     " SET search_path = pg_catalog, {a} AS $$ BEGIN RETURN 1; END $$;"
     " ALTER FUNCTION {b}.f() OWNER TO {b_owner}; REVOKE ALL ON FUNCTION {b}.f() FROM PUBLIC", "DROP FUNCTION {b}.f()"),
    ("function_names_other", "a", "CREATE FUNCTION {b}.f() RETURNS bigint LANGUAGE plpgsql"
     " AS $$ BEGIN RETURN (SELECT count(*) FROM {a}.portfolios); END $$; ALTER FUNCTION {b}.f() OWNER TO {b_owner};"
     " REVOKE ALL ON FUNCTION {b}.f() FROM PUBLIC", None),
    ("function_leakproof", "a", "ALTER FUNCTION {a}.touch_updated_at() LEAKPROOF", None),
    ("function_untrusted", "a", "CREATE FUNCTION {a}.f(cstring) RETURNS int LANGUAGE internal AS 'int4in';"
     " ALTER FUNCTION {a}.f(cstring) OWNER TO {a_owner}; REVOKE ALL ON FUNCTION {a}.f(cstring) FROM PUBLIC", None),
    ("builtin_function", "a", "GRANT EXECUTE ON FUNCTION pg_read_file(text) TO {a_app}", None),
    ("parameter_grant", "a", "GRANT SET ON PARAMETER session_replication_role TO {a_app}", None),
    ("publication", "a", "CREATE PUBLICATION p FOR TABLE {a}.portfolios", None),
    ("publication", "a", "CREATE PUBLICATION p FOR TABLES IN SCHEMA {a}", None),
    ("publication", None, "CREATE PUBLICATION p FOR ALL TABLES", None),
    ("foreign_server", "a", "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER far FOREIGN DATA WRAPPER w;"
     " GRANT USAGE ON FOREIGN SERVER far TO {a_app}", "DROP FOREIGN DATA WRAPPER w CASCADE"),
    ("user_mapping", "a", "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER far FOREIGN DATA WRAPPER w;"
     " CREATE USER MAPPING FOR {a_app} SERVER far", "DROP FOREIGN DATA WRAPPER w CASCADE"),
    ("foreign_table", "a", "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER far FOREIGN DATA WRAPPER w;"
     " CREATE FOREIGN TABLE {a}.ft (i int) SERVER far; ALTER FOREIGN TABLE {a}.ft OWNER TO {a_owner}",
     "DROP FOREIGN DATA WRAPPER w CASCADE"),
    ("event_trigger", "a", "CREATE FUNCTION {a}.f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';"
     " ALTER FUNCTION {a}.f() OWNER TO {a_owner}; REVOKE ALL ON FUNCTION {a}.f() FROM PUBLIC;"
     " CREATE EVENT TRIGGER e ON sql_drop EXECUTE FUNCTION {a}.f()", "DROP EVENT TRIGGER e; DROP FUNCTION {a}.f()"),
    ("large_object", "a", "SELECT lo_create(4711); ALTER LARGE OBJECT 4711 OWNER TO {a_app};"
     " GRANT SELECT ON LARGE OBJECT 4711 TO {b_app}", "SELECT lo_unlink(4711)"),
    ("setting_search_path", "a", "ALTER ROLE {a_app} SET search_path = {b}", "ALTER ROLE {a_app} SET search_path = {a}"),
    ("setting_role", "a", "ALTER ROLE {a_app} SET session_replication_role = replica", None),
    ("setting_database", None, "ALTER DATABASE tenantry SET row_security = off", None),
    ("map_forged", "y", "UPDATE tenancy.role_tenants SET tenant_id = '{y_id}' WHERE role_name = '{x_app}'", None),
    ("map_forged", "y", "INSERT INTO tenancy.role_tenants VALUES ('{x_group}', '{y_id}')", None),
    ("map_unknown", "y", "INSERT INTO tenancy.role_tenants VALUES ('stranger', '{y_id}')", None),
    ("map_missing", "x", "DELETE FROM tenancy.role_tenants WHERE role_name = '{x_app}'", None),
    ("map_open", None, "ALTER TABLE tenancy.role_tenants DISABLE ROW LEVEL SECURITY", None),
    ("map_open", None, "CREATE POLICY more ON tenancy.role_tenants USING (true)", "DROP POLICY more ON tenancy.role_tenants"),
    ("map_function", None, "ALTER FUNCTION tenancy.current_tenant() SECURITY DEFINER",
     "ALTER FUNCTION tenancy.current_tenant() SECURITY INVOKER"),
    ("audit_write", None, "GRANT DELETE ON tenantry_audit.entries TO tenantry", "REVOKE DELETE ON tenantry_audit.entries FROM tenantry"),
    ("audit_member", None, "CREATE ROLE clerk; GRANT {audit} TO clerk", "DROP ROLE clerk"),
    ("audit_trigger", None, "ALTER TABLE tenantry_audit.entries DISABLE TRIGGER append_only", None),
    # What is beside the places: functions of nobody, Tenantry's own functions, PostgreSQL's own.
    ("outside_definer", None, "CREATE ROLE helper; CREATE SCHEMA util; GRANT USAGE ON SCHEMA util TO PUBLIC;"
     " CREATE FUNCTION util.f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';"
     " ALTER FUNCTION util.f() OWNER TO helper", "DROP SCHEMA util CASCADE; DROP ROLE helper"),
    ("outside_definer_power", None, "CREATE FUNCTION tenantry_ext.f() RETURNS bigint LANGUAGE sql SECURITY DEFINER"
     " AS 'SELECT count(*) FROM {a}.portfolios'", "DROP FUNCTION tenantry_ext.f()"),
    ("outside_definer_power", None, "CREATE FUNCTION pg_catalog.f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';"
     " ALTER FUNCTION pg_catalog.f() OWNER TO tenantry", "DROP FUNCTION pg_catalog.f()"),
    ("outside_definer_power", None, "ALTER FUNCTION pg_catalog.query_to_xml(text, boolean, boolean, text) SECURITY DEFINER",
     None),
    ("outside_leakproof", None, "ALTER FUNCTION pg_catalog.regclass(text) LEAKPROOF", None),
    ("outside_leakproof", None, "CREATE FUNCTION public.f(text) RETURNS boolean LANGUAGE sql LEAKPROOF AS 'SELECT true'",
     "DROP FUNCTION public.f(text)"),
    ("control_function", None, "ALTER FUNCTION tenancy.run_guarded(text[]) SECURITY DEFINER", None),
    ("control_function", None, "CREATE FUNCTION tenantry.f() RETURNS int LANGUAGE sql AS 'SELECT 1';"
     " REVOKE ALL ON FUNCTION tenantry.f() FROM PUBLIC; ALTER FUNCTION tenantry.f() OWNER TO tenantry", None),
    ("control_function", None, "ALTER FUNCTION tenancy.deferring_tables() SET search_path = {a}",
     "ALTER FUNCTION tenancy.deferring_tables() SET search_path = pg_catalog, pg_temp"),
    ("control_function", "a", "GRANT EXECUTE ON FUNCTION tenancy_kept.{a_owner} TO PUBLIC",
     "REVOKE ALL ON FUNCTION tenancy_kept.{a_owner} FROM PUBLIC"),
    ("uses_outside", "a", "CREATE SCHEMA util; CREATE FUNCTION util.f() RETURNS trigger LANGUAGE plpgsql"
     " AS 'BEGIN RETURN NEW; END';"
     " CREATE TRIGGER spy BEFORE UPDATE ON {a}.portfolios FOR EACH ROW EXECUTE FUNCTION util.f()", "DROP SCHEMA util CASCADE"),
    ("uses_outside", None, "CREATE SCHEMA util; CREATE FUNCTION util.f(uuid) RETURNS boolean LANGUAGE sql AS 'SELECT true';"
     " CREATE POLICY p ON {x}.users USING (util.f(tenant_id))", "DROP SCHEMA util CASCADE"),
    ("uses_outside", "a", "CREATE SCHEMA util; CREATE FUNCTION util.f(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1';"
     " CREATE TABLE {a}.t (i int, j int GENERATED ALWAYS AS (util.f(i)) STORED); ALTER TABLE {a}.t OWNER TO {a_owner}",
     "DROP TABLE {a}.t; DROP SCHEMA util CASCADE"),
    ("uses_outside", None, "CREATE FUNCTION public.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
     " CREATE TRIGGER spy AFTER INSERT ON tenantry.tenants FOR EACH ROW EXECUTE FUNCTION public.f()",
     "DROP FUNCTION public.f() CASCADE"),
    ("policy_beside", None, "ALTER POLICY tenant_rows ON {x}.users USING (tenant_id IS NULL)",
     "ALTER POLICY tenant_rows ON {x}.users USING (true)"),
    ("guard_changed", None, "ALTER POLICY tenant_rows ON tenantry.guard USING (false)",
     "ALTER POLICY tenant_rows ON tenantry.guard USING (true)"),
    ("tenant_id_missing", None, "CREATE TABLE {x}.notes (t text); ALTER TABLE {x}.notes OWNER TO {x_owner};"
     " GRANT SELECT ON {x}.notes TO {x_group}", "DROP TABLE {x}.notes"),
    ("audit_code", None, "CREATE RULE r AS ON INSERT TO tenantry_audit.heads DO INSTEAD NOTHING", None),
    ("audit_code", None, "CREATE FUNCTION public.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
     " CREATE TRIGGER gone BEFORE INSERT ON tenantry_audit.entries FOR EACH ROW EXECUTE FUNCTION public.f()",
     "DROP FUNCTION public.f() CASCADE"),
    ("audit_trigger", None, "DO $$ BEGIN EXECUTE (SELECT format('ALTER TABLE %s DISABLE TRIGGER append_only',"
     " inhrelid::regclass) FROM pg_inherits WHERE inhparent = 'tenantry_audit.entries'::regclass LIMIT 1); END $$", None),
    ("control_function", None, "DO $$ BEGIN EXECUTE replace(pg_get_functiondef('tenantry_audit.refuse()'::regprocedure),"
     " 'RAISE', 'RETURN OLD; RAISE'); END $$", "DO $$ BEGIN EXECUTE replace(pg_get_functiondef("
     "'tenantry_audit.refuse()'::regprocedure), 'RETURN OLD; RAISE', 'RAISE'); END $$"),
    ("audit_write", None, "GRANT UPDATE (detail) ON tenantry_audit.entries TO tenantry", None),
    ("catalogue_grant", None, "GRANT SELECT (rolpassword) ON pg_catalog.pg_authid TO PUBLIC", None),
    ("catalogue_grant", None, "GRANT SELECT ON pg_catalog.pg_statistic TO PUBLIC", None),
    ("catalogue_grant", None, "GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_file(text) TO PUBLIC",
     "REVOKE EXECUTE ON FUNCTION pg_catalog.pg_read_file(text) FROM PUBLIC"),
    ("catalogue_grant", "a", "GRANT SELECT ON pg_catalog.pg_statistic TO {a_app}", None),
    ("shared_schema", None, "CREATE SCHEMA util; GRANT USAGE ON SCHEMA util TO PUBLIC; CREATE TABLE util.t (i int);"
     " GRANT SELECT ON util.t TO PUBLIC", "DROP SCHEMA util CASCADE"),
    ("shared_schema", None, "CREATE FUNCTION tenantry_ext.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
     "DROP FUNCTION tenantry_ext.f()"),
    ("path_schema_shared", "a", "CREATE SCHEMA util; GRANT CREATE, USAGE ON SCHEMA util TO {b_app};"
     " ALTER ROLE {a_app} SET search_path = {a}, util", "ALTER ROLE {a_app} SET search_path = {a}; DROP SCHEMA util"),
    ("path_schema_create", None, "CREATE SCHEMA util; GRANT CREATE ON SCHEMA util TO PUBLIC", "DROP SCHEMA util"),
    ("setting_database", None, "ALTER DATABASE tenantry SET search_path = public", None),
    ("event_trigger_outside", None, "CREATE FUNCTION public.f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';"
     " CREATE EVENT TRIGGER e ON sql_drop EXECUTE FUNCTION public.f()", "DROP EVENT TRIGGER e; DROP FUNCTION public.f()"),
    ("default_privileges", None, "ALTER DEFAULT PRIVILEGES FOR ROLE {audit} GRANT SELECT ON TABLES TO PUBLIC", None),
    ("default_privileges", None, "ALTER DEFAULT PRIVILEGES FOR ROLE tenantry IN SCHEMA tenantry GRANT SELECT ON TABLES"
     " TO PUBLIC", None),
    ("public_grant_temporary", None, "GRANT TEMPORARY ON DATABASE tenantry TO PUBLIC", None),
    ("untrusted_language", None, "UPDATE pg_language SET lanpltrusted = true WHERE lanname = 'c'", None),
    ("extension_function", "a", "CREATE EXTENSION pageinspect SCHEMA public;"
     " GRANT EXECUTE ON FUNCTION public.get_raw_page(text, bigint) TO {a_app}", "DROP EXTENSION pageinspect"),
    ("subscription", "a", "CREATE SUBSCRIPTION s CONNECTION 'dbname=none' PUBLICATION p WITH (connect = false);"
     " ALTER ROLE {a_app} SUPERUSER; ALTER SUBSCRIPTION s OWNER TO {a_app}; ALTER ROLE {a_app} NOSUPERUSER",
     "ALTER SUBSCRIPTION s SET (slot_name = NONE); DROP SUBSCRIPTION s"),
    ("other_database", "a", "GRANT CONNECT ON DATABASE postgres TO {a_app}; \\c postgres\nCREATE TABLE t ();"
     " GRANT SELECT ON t TO {a_app}; \\c tenantry", "REVOKE CONNECT ON DATABASE postgres FROM {a_app}; \\c postgres\nDROP TABLE t"),
]

# Rules that have a test of their own, since one statement does not break what they look for.
ELSEWHERE = {"ended_login", "map_stale", "hba_trust", "password_weak", "setting_server"}

# The finding is about the tenant that is named; the check of a single tenant sees it from where the function is.
SEEN_FROM = {"function_names_other": "b1"}


@functools.lru_cache(maxsize=None)
def names():
    """The server with four tenants, and what templates call their roles and schemas."""
    server = harness.shared_server()
    words = {}
    for slug, blueprint in TENANTS:
        server.create(slug + "1", blueprint)
        shown = server.tenantry("tenant", "show", slug + "1")
        words[slug] = shown["schema"]
        words[slug + "_id"] = shown["id"]
        words[slug + "_app"] = shown["roles"]["app"]
        words[slug + "_ro"] = shown["roles"]["readonly"]
        words[slug + "_owner"], words[slug + "_group"] = server.psql(
            "SELECT owner_role, app_role FROM tenantry.places WHERE schema_name = '%s'" % shown["schema"]).split("|")
    words["guards"] = server.psql("SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'tenancy_guards'")
    words["tenants"], words["audit"] = server.psql("SELECT tenants_role, audit_role FROM tenantry.installation").split("|")
    return server, words


def verify(server, *args, **options):
    result = server.tenantry("isolation", "verify", "--rules-only", *args, "--json", json=False, expect=None, **options)
    answer = result.json()
    assert result.status == (76 if answer["findings"] else 0), result.text()
    return answer


def of_rule(answer, rule):
    return [f for f in answer["findings"] if f["check"] == rule]


def check_case(rule, whom, break_sql, undo):
    server, words = names()
    slug = whom and whom + "1"
    found = []
    server.psql(break_sql.format(**words), server.superuser)
    try:
        found = of_rule(verify(server), rule)
        assert found, "not found in the fleet: %s" % verify(server)
        assert {f["tenant"] for f in found} == {slug}, found
        if slug:
            assert of_rule(verify(server, SEEN_FROM.get(rule, slug)), rule), "not found in the tenant"
            twin = {"a1": "y1", "b1": "y1", "x1": "a1", "y1": "a1"}[slug]
            assert [f for f in of_rule(verify(server, twin), rule) if f["tenant"] == twin] == [], twin
    finally:
        mends = ";".join(sorted({f["mend"] for f in found})) if undo is None else undo.format(**words)
        server.psql(mends, server.superuser)
    left = verify(server)
    assert left["is_isolated"], left["findings"]


def test_all_packs_in_both_tiers_are_isolated():
    with harness.Server() as server:
        server.up()
        packs = {b["name"]: b["tiers"] for b in server.tenantry("blueprint", "list")["blueprints"]}
        for name, tiers in packs.items():
            for tier in tiers if isinstance(tiers, list) else tiers.split(", "):
                for number in (1, 2):
                    server.create("%s-%s-%d" % (name, tier, number), name, "--tier", tier)
        answer = verify(server)
        assert answer["findings"] == [] and answer["tenants"] >= 2 * len(packs), answer
        for tenant in server.tenantry("tenant", "list")["tenants"]:
            assert verify(server, tenant["slug"])["findings"] == []
        for slug in ("trading-schema-1", "saas-row-1"):
            server.tenantry("tenant", "suspend", slug)
            assert verify(server)["findings"] == []
            server.tenantry("tenant", "resume", slug)
            server.tenantry("tenant", "archive", slug, "--drain-timeout", "1ms")
        assert verify(server)["findings"] == []


def test_each_broken_tenant_is_reported_and_its_twin_is_not():
    names()
    problems = []
    for case in CASES:
        try:
            check_case(*case)
        except Exception as e:  # every case is tried, so that one run tells of all
            problems.append("%s: %s" % (case[:3], e))
    assert not problems, "\n".join(problems)


def test_every_rule_is_tested():
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../src/isolation/rules.def")
    with open(folder, encoding="utf-8") as f:
        rules = set(re.findall(r'^RULE\("(\w+)"', f.read(), re.MULTILINE))
    assert rules == {case[0] for case in CASES} | ELSEWHERE


def test_logins_of_tenants_that_are_not_active_are_reported():
    server, _ = names()
    server.create("gone1", "trading")
    role = server.tenantry("tenant", "show", "gone1")["roles"]["app"]
    tenant = server.tenantry("tenant", "show", "gone1")["id"]
    server.tenantry("tenant", "suspend", "gone1")
    server.psql("ALTER ROLE %s LOGIN" % role, server.superuser)
    found = verify(server, "gone1")["findings"]
    assert [f["check"] for f in found] == ["ended_login"] and role in found[0]["object"], found
    server.psql(found[0]["mend"], server.superuser)
    server.tenantry("tenant", "archive", "gone1", "--drain-timeout", "1ms")
    server.psql("INSERT INTO tenancy.role_tenants VALUES ('%s', '%s')" % (role, tenant), server.superuser)
    found = verify(server)["findings"]
    assert [f["check"] for f in found] == ["map_stale"], found
    server.psql(found[0]["mend"], server.superuser)
    assert verify(server)["is_isolated"]


def test_a_superuser_checks_what_others_cannot():
    server, words = names()
    env = {"TENANTRY_DATABASE_URL": server.superuser}
    assert verify(server, env=env)["unchecked"] == []
    server.psql("ALTER ROLE {a_app} PASSWORD NULL".format(**words), server.superuser)
    hba = server.psql("SHOW hba_file", server.superuser)
    with open(hba, encoding="utf-8") as f:
        before = f.read()
    try:
        with open(hba, "a", encoding="utf-8") as f:
            f.write("\nhost all all 127.0.0.1/32 trust\n")
        assert {f["check"] for f in verify(server, env=env)["findings"]} == {"hba_trust", "password_weak"}
    finally:
        with open(hba, "w", encoding="utf-8") as f:
            f.write(before)
        server.tenantry("tenant", "rotate", "a1")
    assert verify(server, env=env)["is_isolated"]


def configure(server, change, value):
    """Changes the configuration; new sessions have it as soon as the server has read the file again."""
    server.psql(change, server.superuser)
    server.psql("SELECT pg_reload_conf()", server.superuser)
    while server.psql("SHOW lo_compat_privileges") != value:
        pass


def test_a_setting_of_the_server_is_reported():
    server, _ = names()
    configure(server, "ALTER SYSTEM SET lo_compat_privileges = on", "on")
    try:
        found = verify(server)["findings"]
        assert [(f["check"], f["object"]) for f in found] == [("setting_server", "setting lo_compat_privileges")], found
    finally:
        configure(server, found[0]["mend"], "off")
    assert verify(server)["is_isolated"]


def test_what_a_role_may_not_read_is_told_as_unchecked():
    server, _ = names()
    unchecked = {u["check"]: u["reason"] for u in verify(server)["unchecked"]}
    assert set(unchecked) == {"hba_trust", "password_weak"}, unchecked
    assert all("no superuser" in reason for reason in unchecked.values()), unchecked


def test_a_finding_keeps_its_id():
    server, words = names()
    server.psql("GRANT SELECT ON {a}.portfolios TO {b_app}".format(**words), server.superuser)
    try:
        ids = [[f["id"] for f in verify(server, *args)["findings"]] for args in ((), (), ("a1",), ("b1",))]
        assert len(ids[0]) == 1 and ids.count(ids[0]) == 4, ids
    finally:
        server.psql("REVOKE SELECT ON {a}.portfolios FROM {b_app}".format(**words), server.superuser)


def test_the_digest_changes_with_the_catalogue_only():
    server, words = names()
    before = verify(server)["catalogue"]
    assert verify(server)["catalogue"] == before
    server.psql("GRANT SELECT ON {a}.portfolios TO {b_app}".format(**words), server.superuser)
    assert verify(server)["catalogue"] != before
    server.psql("REVOKE SELECT ON {a}.portfolios FROM {b_app}".format(**words), server.superuser)


def test_a_leak_that_comes_with_the_next_table_is_reported_before_and_after():
    server, words = names()
    server.psql("ALTER DEFAULT PRIVILEGES FOR ROLE {a_owner} IN SCHEMA {a} GRANT SELECT ON TABLES TO {b_app}"
                .format(**words), server.superuser)
    assert {f["check"] for f in verify(server)["findings"]} == {"default_privileges"}
    server.psql("SET ROLE {a_owner}; CREATE TABLE {a}.next (i int)".format(**words), server.superuser)
    answer = verify(server)
    assert {f["check"] for f in answer["findings"]} == {"default_privileges", "grant_table"}, answer
    server.psql(";".join(f["mend"] for f in answer["findings"]), server.superuser)
    server.psql("DROP TABLE {a}.next".format(**words), server.superuser)
    assert verify(server)["is_isolated"]


def test_a_definer_that_keeps_to_its_own_schema_is_no_finding():
    server, words = names()
    server.psql("CREATE FUNCTION {b}.f(t text) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER"
                " SET search_path = pg_catalog, {b}, pg_temp AS $$ DECLARE n bigint; BEGIN EXECUTE 'SELECT count(*) FROM portfolios'"
                " INTO n; FOR n IN SELECT count(*) FROM {b}.portfolios LOOP PERFORM lower(t); END LOOP;"
                " RETURN n + (SELECT count(*) FROM pg_catalog.pg_class); END $$;"
                " ALTER FUNCTION {b}.f(text) OWNER TO {b_owner}; REVOKE ALL ON FUNCTION {b}.f(text) FROM PUBLIC;"
                " GRANT EXECUTE ON FUNCTION {b}.f(text) TO {b_app}".format(**words), server.superuser)
    try:
        assert verify(server)["findings"] == [] and verify(server, "b1")["findings"] == []
    finally:
        server.psql("DROP FUNCTION {b}.f(text)".format(**words), server.superuser)


def test_a_create_that_is_not_isolated_leaves_nothing():
    with harness.Server() as server:
        server.up()
        server.create("first", "saas")
        owner = server.psql("SELECT owner_role FROM tenantry.places WHERE tier = 'row'")
        group = server.psql("SELECT app_role FROM tenantry.places WHERE tier = 'row'")
        tenants = server.psql("SELECT tenants_role FROM tenantry.installation")
        # Whoever joins the group of tenants would own the shared tables.
        server.psql("GRANT pg_read_all_data TO %s" % tenants, server.superuser)
        server.psql("GRANT %s TO %s" % (owner, group), server.superuser)
        roles = server.psql("SELECT count(*) FROM pg_roles")
        server.refused("isolation_violated", "tenant", "create", "second", "--blueprint", "trading",
                       says=("pg_read_all_data",))
        assert server.psql("SELECT count(*) FROM tenantry.places WHERE tier = 'schema'") == "0"
        assert server.psql("SELECT count(*) FROM pg_roles") == roles
        assert server.psql("SELECT state FROM tenantry.tenants WHERE slug = 'second'") == "failed"


def test_a_create_in_a_place_that_was_there_is_refused_when_its_roles_are_more_than_they_should_be():
    # What is done to the login that the create will take, what the error names, and what undoes it.
    breaks = [("GRANT pg_read_all_data TO {}", "member_predefined", "REVOKE pg_read_all_data FROM {}"),
              ("GRANT {tenants} TO {} WITH ADMIN OPTION", "member_admin", "REVOKE ADMIN OPTION FOR {tenants} FROM {}"),
              ("ALTER ROLE {} BYPASSRLS", "role_bypassrls", "ALTER ROLE {} NOBYPASSRLS"),
              ("GRANT {} TO {first}", "member_of_tenant", "REVOKE {} FROM {first}")]
    with harness.Server() as server:
        server.up()
        first = server.create("first", "saas")
        assert first["state"] == "active"
        words = {"tenants": server.psql("SELECT tenants_role FROM tenantry.installation"),
                 "first": server.tenantry("tenant", "show", "first")["roles"]["app"]}
        ready = {"trading": "SELECT p.app_role FROM tenantry.spares s JOIN tenantry.places p ON p.id = s.place_id",
                 "saas": "SELECT stem || '_app' FROM tenantry.ready_logins"}
        for blueprint, which in ready.items():
            for number, (break_sql, rule, undo) in enumerate(breaks):
                server.tenantry("spare", "fill", "trading", "--count", "1")
                logins = server.psql(which).split()
                assert logins, "nothing is ready for %s" % blueprint
                for login in logins:
                    server.psql(break_sql.format(login, **words), server.superuser)
                server.refused("isolation_violated", "tenant", "create", "%s-%d" % (blueprint, number),
                               "--blueprint", blueprint, says=(rule,))
                assert server.psql("SELECT count(*) FROM tenantry.tenants WHERE state = 'active'") == "1"
                for login in logins:  # an undone create drops the spare that it took
                    if server.psql("SELECT 1 FROM pg_roles WHERE rolname = '%s'" % login):
                        server.psql(undo.format(login, **words), server.superuser)
        server.create("second", "saas")


def test_a_resume_of_a_tenant_that_is_not_isolated_is_refused():
    server, words = names()
    server.tenantry("tenant", "suspend", "b1")
    server.psql("GRANT SELECT ON {b}.portfolios TO PUBLIC".format(**words), server.superuser)
    server.refused("isolation_violated", "tenant", "resume", "b1", says=("public_grant_table", "REVOKE"))
    assert server.tenantry("tenant", "show", "b1")["state"] == "suspended"
    server.psql("REVOKE SELECT ON {b}.portfolios FROM PUBLIC".format(**words), server.superuser)
    server.tenantry("tenant", "resume", "b1")


if __name__ == "__main__":
    harness.main()
