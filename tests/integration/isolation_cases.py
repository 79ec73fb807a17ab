"""What breaks isolation, one way each: a tenant, a shared place or the server, for every rule; {a}, {a_app} and their like
are the names of the two tenants of the schema tier (a, b) and of the row tier (x, y)."""

MIDDLE = ("CREATE OR REPLACE AGGREGATE {a}.middle(float8 ORDER BY anyelement) (sfunc = ordered_set_transition, stype = internal,"
          " finalfunc = percentile_disc_final, finalfunc_extra); REVOKE ALL ON FUNCTION {a}.middle(float8, anyelement)"
          " FROM PUBLIC; ALTER AGGREGATE {a}.middle(float8 ORDER BY anyelement) OWNER TO {a_owner}")

# (rule, the tenant that the finding is about or None, what breaks it, what undoes it or None for the finding's own mend)
CASES = [
    ("public_grant_schema", "a", "GRANT USAGE ON SCHEMA {a} TO PUBLIC", None),
    ("public_grant_table", "a", "GRANT SELECT ON {a}.portfolios TO PUBLIC", None),
    ("public_grant_table", None, "GRANT SELECT ON {x}.users TO PUBLIC", None),
    ("public_grant_column", "a", "GRANT SELECT (id) ON {a}.portfolios TO PUBLIC", None),
    ("public_grant_sequence", "a", "CREATE SEQUENCE {a}.s; ALTER SEQUENCE {a}.s OWNER TO {a_owner};"
     " GRANT USAGE ON SEQUENCE {a}.s TO PUBLIC", "DROP SEQUENCE {a}.s"),
    ("public_grant_function", "a", "GRANT EXECUTE ON FUNCTION {a}.touch_updated_at() TO PUBLIC", None),
    # Its arguments are told in another way than those of functions; the statements that mend do not drop it.
    ("public_grant_function", "a", MIDDLE + "; GRANT EXECUTE ON FUNCTION {a}.middle(float8, anyelement) TO PUBLIC", None),
    ("owner_function", "a", MIDDLE.replace("{a_owner}", "postgres"), None),
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
    ("grant_definer", "a", "CREATE FUNCTION {a}.f() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp"
     " AS 'SELECT 1'; ALTER FUNCTION {a}.f() OWNER TO {a_owner}; GRANT EXECUTE ON FUNCTION {a}.f() TO {b_app}",
     "DROP FUNCTION {a}.f()"),
    ("grant_option", "a", "GRANT SELECT ON {a}.portfolios TO {a_app} WITH GRANT OPTION", None),
    ("readonly_write", "a", "GRANT DELETE ON {a}.portfolios TO {a_ro}", None),
    ("readonly_write", "a", "CREATE SEQUENCE {a}.s; ALTER SEQUENCE {a}.s OWNER TO {a_owner}; GRANT USAGE ON SEQUENCE {a}.s TO {a_ro}",
     "DROP SEQUENCE {a}.s"),
    ("readonly_write", None, "CREATE SEQUENCE IF NOT EXISTS {x}.\"the count\"; ALTER SEQUENCE {x}.\"the count\" OWNER TO {x_owner};"
     " GRANT UPDATE ON SEQUENCE {x}.\"the count\" TO {x_readers}", None),
    # The mends do not drop them.
    ("sequence_set", None, "CREATE SEQUENCE IF NOT EXISTS {x}.\"the count\"; ALTER SEQUENCE {x}.\"the count\" OWNER TO {x_owner};"
     " GRANT ALL ON ALL SEQUENCES IN SCHEMA {x} TO {x_group}", None),
    ("sequence_set", None, "CREATE SEQUENCE {x}.s; ALTER SEQUENCE {x}.s OWNER TO {x_owner}; GRANT UPDATE ON SEQUENCE {x}.s TO"
     " {x_readers}", "DROP SEQUENCE {x}.s"),
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
    ("role_replication", "x", "CREATE ROLE copier REPLICATION; GRANT copier TO {x_app}", "DROP ROLE copier"),
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
    # The mends, of the table and of the sequences of its columns, do not drop it.
    ("owner_table", "a", "CREATE TABLE IF NOT EXISTS {a}.numbered (i serial, j int GENERATED ALWAYS AS IDENTITY);"
     " ALTER TABLE {a}.numbered OWNER TO postgres", None),
    ("owner_function", "a", "ALTER FUNCTION {a}.touch_updated_at() OWNER TO {b_owner}", None),
    ("owner_type", "a", "ALTER TYPE {a}.trade_side OWNER TO {b_owner}", None),
    ("control_owner", None, "ALTER TABLE tenantry.plans OWNER TO {a_owner}", None),
    ("control_owner", None, "CREATE FUNCTION tenancy_guards.f() RETURNS int LANGUAGE sql AS 'SELECT 1';"
     " ALTER FUNCTION tenancy_guards.f() OWNER TO {a_owner}; REVOKE ALL ON FUNCTION tenancy_guards.f() FROM PUBLIC",
     "DROP FUNCTION tenancy_guards.f()"),
    # Tenantry's role has no right on it any more but what it is given.
    ("owner_database", "a", "ALTER DATABASE tenantry OWNER TO {a_owner}; GRANT ALL ON DATABASE tenantry TO tenantry", None),
    ("owner_database", "a", "CREATE ROLE dba; GRANT dba TO {a_app}; ALTER DATABASE tenantry OWNER TO dba;"
     " GRANT ALL ON DATABASE tenantry TO tenantry", "ALTER DATABASE tenantry OWNER TO tenantry; DROP ROLE dba"),
    ("owns_outside", "a", "CREATE TABLE public.hoard (); ALTER TABLE public.hoard OWNER TO {a_app}",
     "DROP TABLE public.hoard"),
    ("outside_grant", "a", "CREATE TABLE public.board (); GRANT SELECT ON public.board TO {a_app}",
     "DROP TABLE public.board"),
    ("default_privileges", "a", "ALTER DEFAULT PRIVILEGES FOR ROLE {a_owner} IN SCHEMA {a} GRANT SELECT ON TABLES TO {b_app}",
     None),
    ("default_privileges", "a", "ALTER DEFAULT PRIVILEGES FOR ROLE {a_owner} IN SCHEMA {b} GRANT SELECT ON TABLES TO {a_app}",
     None),
    ("default_privileges", "a", "ALTER DEFAULT PRIVILEGES FOR ROLE {a_owner} GRANT SELECT ON TABLES TO PUBLIC", None),
    ("default_privileges", "a", "ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA {a} GRANT SELECT ON TABLES TO {b_app}",
     None),
    ("default_outside", None, "ALTER DEFAULT PRIVILEGES FOR ROLE postgres GRANT SELECT ON TABLES TO PUBLIC", None),
    ("default_outside", "a", "ALTER DEFAULT PRIVILEGES FOR ROLE postgres GRANT INSERT ON TABLES TO {a_app}", None),
    ("default_outside", None, "CREATE ROLE maker; GRANT USAGE, CREATE ON SCHEMA {x} TO maker;"
     " ALTER DEFAULT PRIVILEGES FOR ROLE maker GRANT SELECT ON TABLES TO {x_group}", "DROP OWNED BY maker; DROP ROLE maker"),
    ("default_outside", "a", "CREATE ROLE maker; GRANT {a_owner} TO maker; CREATE ROLE club; GRANT club TO {a_app};"
     " ALTER DEFAULT PRIVILEGES FOR ROLE maker GRANT USAGE ON SEQUENCES TO club", "DROP OWNED BY maker; DROP ROLE maker, club"),
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
    ("unique_without_tenant", None, "CREATE EXTENSION btree_gist SCHEMA tenantry_ext; ALTER TABLE {x}.users ADD CONSTRAINT"
     " of_others EXCLUDE USING gist (tenant_id WITH <>, email WITH =)", "DROP EXTENSION btree_gist CASCADE"),
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
    # The types that come with others: of rows, of arrays, of several ranges.
    ("cross_type", "a", "CREATE TABLE {b}.t (y {a}.portfolios); ALTER TABLE {b}.t OWNER TO {b_owner}", "DROP TABLE {b}.t"),
    ("cross_type", "a", "CREATE TABLE {b}.t (y {a}.portfolios[]); ALTER TABLE {b}.t OWNER TO {b_owner}", "DROP TABLE {b}.t"),
    ("cross_type", "a", "CREATE TABLE {b}.t (y {a}.trade_side[]); ALTER TABLE {b}.t OWNER TO {b_owner}", "DROP TABLE {b}.t"),
    ("cross_type", "a", "CREATE TYPE {a}.span AS RANGE (subtype = money); ALTER TYPE {a}.span OWNER TO {a_owner}; REVOKE ALL ON TYPE"
     " {a}.span FROM PUBLIC; CREATE TABLE {b}.t (y {a}.span_multirange); ALTER TABLE {b}.t OWNER TO {b_owner}",
     "DROP TABLE {b}.t; DROP TYPE {a}.span"),
    ("cross_view", "a", "CREATE VIEW {b}.v AS SELECT NULL::{a}.portfolios AS p; ALTER VIEW {b}.v OWNER TO {b_owner}", None),
    ("cross_table", "a", "CREATE TABLE {a}.parent (id int); ALTER TABLE {a}.parent OWNER TO {a_owner};"
     " CREATE TABLE {b}.child () INHERITS ({a}.parent); ALTER TABLE {b}.child OWNER TO {b_owner}",
     "DROP TABLE {b}.child, {a}.parent"),
    ("cross_inheritance", "b", "CREATE TABLE {a}.parent (id int) PARTITION BY LIST (id);"
     " ALTER TABLE {a}.parent OWNER TO {a_owner}; CREATE TABLE {b}.child PARTITION OF {a}.parent DEFAULT;"
     " ALTER TABLE {b}.child OWNER TO {b_owner}", "DROP TABLE {a}.parent"),
    ("definer_owner", "a", "CREATE FUNCTION {a}.f() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp"
     " AS 'SELECT 1'; REVOKE ALL ON FUNCTION {a}.f() FROM PUBLIC", "DROP FUNCTION {a}.f()"),
    ("definer_search_path", "a", "CREATE FUNCTION {a}.f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';"
     " ALTER FUNCTION {a}.f() OWNER TO {a_owner}; REVOKE ALL ON FUNCTION {a}.f() FROM PUBLIC", "DROP FUNCTION {a}.f()"),
    ("definer_search_path", "a", "CREATE FUNCTION {a}.f() RETURNS int LANGUAGE sql SECURITY DEFINER"
     " SET search_path = pg_catalog AS 'SELECT 1'; ALTER FUNCTION {a}.f() OWNER TO {a_owner}; REVOKE ALL ON FUNCTION {a}.f() FROM PUBLIC", "DROP FUNCTION {a}.f()"),
    ("definer_dynamic", "b", "CREATE FUNCTION {b}.f(t text) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER"
     " SET search_path = pg_catalog, pg_temp AS $$ DECLARE n bigint; BEGIN EXECUTE 'SELECT count(*) FROM ' || t INTO n; RETURN n;"
     " END $$; ALTER FUNCTION {b}.f(text) OWNER TO {b_owner}; REVOKE ALL ON FUNCTION {b}.f(text) FROM PUBLIC",
     "DROP FUNCTION {b}.f(text)"),
    ("definer_dynamic", "b", "CREATE FUNCTION {b}.f() RETURNS xml LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp"
     " BEGIN ATOMIC SELECT query_to_xml('SELECT 1', true, true, ''); END; ALTER FUNCTION {b}.f() OWNER TO {b_owner};"
     " REVOKE ALL ON FUNCTION {b}.f() FROM PUBLIC", "DROP FUNCTION {b}.f()"),
    ("definer_dynamic", "b", "CREATE EXTENSION tablefunc SCHEMA tenantry_ext; CREATE FUNCTION {b}.f(t text) RETURNS bigint"
     " LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, {b}, tenantry_ext, pg_temp AS 'SELECT count(*) FROM crosstab2(t)';"
     " ALTER FUNCTION {b}.f(text) OWNER TO {b_owner}; REVOKE ALL ON FUNCTION {b}.f(text) FROM PUBLIC",
     "DROP FUNCTION {b}.f(text); DROP EXTENSION tablefunc"),
    ("definer_touches", "b", "CREATE FUNCTION {b}.f() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER"
     " SET search_path = pg_catalog, pg_temp AS $$ BEGIN RETURN (SELECT count(*) FROM {a}.portfolios); END $$;"
     " ALTER FUNCTION {b}.f() OWNER TO {b_owner}; REVOKE ALL ON FUNCTION {b}.f() FROM PUBLIC", "DROP FUNCTION {b}.f()"),
    ("definer_touches", "b", "CREATE FUNCTION {b}.f() RETURNS bigint LANGUAGE sql SECURITY DEFINER"
     " SET search_path = pg_catalog, pg_temp AS 'SELECT count(*) FROM pg_class; SELECT count(*) FROM tenantry.tenants';"
     " ALTER FUNCTION {b}.f() OWNER TO {b_owner}; REVOKE ALL ON FUNCTION {b}.f() FROM PUBLIC", "DROP FUNCTION {b}.f()"),
    ("definer_touches", "b", "CREATE FUNCTION {b}.f() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER"
     " SET search_path = pg_catalog, {a}, pg_temp AS $$ BEGIN RETURN 1; END $$;"
     " ALTER FUNCTION {b}.f() OWNER TO {b_owner}; REVOKE ALL ON FUNCTION {b}.f() FROM PUBLIC", "DROP FUNCTION {b}.f()"),
    ("shared_code", None, "CREATE FUNCTION {x}.wipe() RETURNS void LANGUAGE sql AS 'TRUNCATE users CASCADE';"
     " ALTER FUNCTION {x}.wipe() OWNER TO {x_owner}; REVOKE ALL ON FUNCTION {x}.wipe() FROM PUBLIC;"
     " CREATE FUNCTION {x}.f() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, {x}, pg_temp"
     " AS 'BEGIN PERFORM wipe(); END'; ALTER FUNCTION {x}.f() OWNER TO {x_owner}; REVOKE ALL ON FUNCTION {x}.f() FROM PUBLIC",
     "DROP FUNCTION {x}.f(), {x}.wipe()"),
    ("shared_code", None, "CREATE TABLE {x}.board (t text); ALTER TABLE {x}.board OWNER TO {x_owner}; GRANT SELECT ON {x}.board"
     " TO {x_group}; CREATE RULE copied AS ON INSERT TO {x}.users DO ALSO INSERT INTO {x}.board VALUES (NEW.email)",
     "DROP RULE copied ON {x}.users; DROP TABLE {x}.board"),
    # What no tenant has a right on is read by all all the same, by way of the owner.
    ("shared_code", None, "CREATE TABLE {x}.notes (t text); ALTER TABLE {x}.notes OWNER TO {x_owner};"
     " CREATE FUNCTION {x}.getn() RETURNS SETOF text LANGUAGE sql SECURITY DEFINER SET search_path = {x}, pg_catalog, pg_temp"
     " AS 'SELECT t FROM notes'; ALTER FUNCTION {x}.getn() OWNER TO {x_owner}; REVOKE ALL ON FUNCTION {x}.getn() FROM PUBLIC;"
     " GRANT EXECUTE ON FUNCTION {x}.getn() TO {x_group}", "DROP FUNCTION {x}.getn(); DROP TABLE {x}.notes"),
    ("shared_code", None, "CREATE SEQUENCE {x}.s; ALTER SEQUENCE {x}.s OWNER TO {x_owner};"
     " CREATE FUNCTION {x}.getn() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = {x}, pg_catalog, pg_temp"
     " AS 'SELECT last_value FROM s'; ALTER FUNCTION {x}.getn() OWNER TO {x_owner};"
     " REVOKE ALL ON FUNCTION {x}.getn() FROM PUBLIC", "DROP FUNCTION {x}.getn(); DROP SEQUENCE {x}.s"),
    ("function_names_other", "a", "CREATE FUNCTION {b}.f() RETURNS bigint LANGUAGE plpgsql"
     " AS $$ BEGIN RETURN (SELECT count(*) FROM {a}.portfolios); END $$; ALTER FUNCTION {b}.f() OWNER TO {b_owner};"
     " REVOKE ALL ON FUNCTION {b}.f() FROM PUBLIC", None),
    ("function_names_other", "a", "CREATE FUNCTION {b}.f() RETURNS bigint LANGUAGE sql SET search_path = {a}"
     " AS 'SELECT 1::bigint'; ALTER FUNCTION {b}.f() OWNER TO {b_owner}; REVOKE ALL ON FUNCTION {b}.f() FROM PUBLIC", None),
    ("function_names_other", "a", "CREATE FUNCTION {b}.f() RETURNS xml LANGUAGE sql BEGIN ATOMIC"
     " SELECT query_to_xml('SELECT * FROM {a}.portfolios', true, true, ''); END; ALTER FUNCTION {b}.f() OWNER TO {b_owner};"
     " REVOKE ALL ON FUNCTION {b}.f() FROM PUBLIC", None),
    ("function_names_other", "a", "CREATE FUNCTION {b}.f() RETURNS trigger LANGUAGE plpgsql AS"
     " 'BEGIN EXECUTE format(''SELECT 1 FROM %s'', TG_ARGV[1]); RETURN NULL; END'; ALTER FUNCTION {b}.f() OWNER TO {b_owner};"
     " REVOKE ALL ON FUNCTION {b}.f() FROM PUBLIC; CREATE TRIGGER spied AFTER INSERT ON {b}.portfolios FOR EACH ROW"
     " EXECUTE FUNCTION {b}.f('\u00bb', '{a}.portfolios')", "DROP FUNCTION {b}.f() CASCADE"),
    ("function_names_other", "a", "CREATE VIEW {b}.v WITH (security_invoker) AS SELECT query_to_xml('SELECT * FROM {a}.portfolios',"
     " true, true, ''); ALTER VIEW {b}.v OWNER TO {b_owner}", "DROP VIEW {b}.v"),
    ("function_names_other", "a", "CREATE TABLE {b}.t (n bigint DEFAULT nextval('{a}.s'::text)); ALTER TABLE {b}.t OWNER TO"
     " {b_owner}", "DROP TABLE {b}.t"),
    ("function_names_other", "a", "CREATE TABLE IF NOT EXISTS {b}.kept (n bigint); ALTER TABLE {b}.kept OWNER TO {b_owner};"
     " ALTER TABLE {b}.kept ALTER n SET DEFAULT nextval('{a}.s'::text)", None),
    ("function_names_other", "a", "CREATE POLICY p ON {b}.portfolios USING (query_to_xml('SELECT * FROM {a}.portfolios', true,"
     " true, current_setting('app.current_tenant_id')) IS DOCUMENT)", None),
    ("function_names_other", "a", "CREATE RULE r AS ON DELETE TO {b}.portfolios DO ALSO"
     " SELECT query_to_xml('SELECT * FROM {a}.portfolios', true, true, '')", None),
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
    ("event_trigger", "a", "CREATE FUNCTION public.g() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';"
     " ALTER FUNCTION public.g() OWNER TO {a_app}; REVOKE ALL ON FUNCTION public.g() FROM PUBLIC;"
     " CREATE EVENT TRIGGER e ON sql_drop EXECUTE FUNCTION public.g()", "DROP EVENT TRIGGER e; DROP FUNCTION public.g()"),
    ("large_object", "a", "SELECT lo_create(4711); ALTER LARGE OBJECT 4711 OWNER TO {a_app};"
     " GRANT SELECT ON LARGE OBJECT 4711 TO {b_app}", "SELECT lo_unlink(4711)"),
    ("setting_search_path", "a", "ALTER ROLE {a_app} SET search_path = {b}", "ALTER ROLE {a_app} SET search_path = {a}"),
    ("setting_role", "a", "ALTER ROLE {a_app} SET session_replication_role = replica", None),
    ("setting_own", "a", "SET SESSION AUTHORIZATION {a_app}; ALTER ROLE CURRENT_USER SET row_security = off;"
     " RESET SESSION AUTHORIZATION", None),
    ("setting_own", "x", "ALTER ROLE {x_app} IN DATABASE tenantry SET row_security = off", None),
    ("setting_role", None, "ALTER ROLE {x_group} SET row_security = off", None),
    ("default_own", "x", "SET SESSION AUTHORIZATION {x_app}; ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC;"
     " RESET SESSION AUTHORIZATION", None),
    ("setting_database", None, "ALTER DATABASE tenantry SET row_security = off", None),
    ("map_forged", "y", "UPDATE tenancy.role_tenants SET tenant_id = '{y_id}' WHERE role_name = '{x_app}'", None),
    ("map_forged", "y", "INSERT INTO tenancy.role_tenants VALUES ('{x_group}', '{y_id}')", None),
    ("map_unknown", "y", "INSERT INTO tenancy.role_tenants VALUES ('stranger', '{y_id}')", None),
    ("map_missing", "x", "DELETE FROM tenancy.role_tenants WHERE role_name = '{x_app}'", None),
    ("map_open", None, "ALTER TABLE tenancy.role_tenants DISABLE ROW LEVEL SECURITY", None),
    ("map_open", None, "ALTER TABLE tenancy.role_tenants FORCE ROW LEVEL SECURITY", None),
    ("map_open", None, "CREATE POLICY more ON tenancy.role_tenants USING (true)", None),
    ("map_open", None, "ALTER POLICY own_row ON tenancy.role_tenants USING (true)", None),
    ("map_open", None, "ALTER POLICY own_row ON tenancy.role_tenants RENAME TO gone", None),
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
    ("outside_leakproof", None, "CREATE FUNCTION tenantry_ext.f(text) RETURNS boolean LANGUAGE sql LEAKPROOF AS 'SELECT true';"
     " ALTER EXTENSION plpgsql ADD FUNCTION tenantry_ext.f(text)",
     "ALTER EXTENSION plpgsql DROP FUNCTION tenantry_ext.f(text); DROP FUNCTION tenantry_ext.f(text)"),
    ("control_function", None, "ALTER FUNCTION tenancy.run_guarded(name, text, text[]) SECURITY DEFINER", None),
    ("control_function", None, "CREATE FUNCTION tenantry.f() RETURNS int LANGUAGE sql AS 'SELECT 1';"
     " REVOKE ALL ON FUNCTION tenantry.f() FROM PUBLIC; ALTER FUNCTION tenantry.f() OWNER TO tenantry", None),
    ("control_function", None, "ALTER FUNCTION tenantry.run_as(name, boolean, text, text[]) SET search_path = {a}",
     "ALTER FUNCTION tenantry.run_as(name, boolean, text, text[]) SET search_path = pg_catalog, pg_temp"),
    ("control_function", "a", "GRANT EXECUTE ON FUNCTION tenancy_kept.{a_owner} TO PUBLIC",
     "REVOKE ALL ON FUNCTION tenancy_kept.{a_owner} FROM PUBLIC"),
    ("control_function", None, "CREATE FUNCTION tenancy_kept.spy() RETURNS SETOF text LANGUAGE sql SECURITY DEFINER"
     " AS 'SELECT name FROM {a}.portfolios'; GRANT USAGE ON SCHEMA tenancy_kept TO PUBLIC", "DROP FUNCTION tenancy_kept.spy();"
     " REVOKE USAGE ON SCHEMA tenancy_kept FROM PUBLIC"),
    ("control_grant", None, "GRANT USAGE ON SCHEMA tenancy_kept TO PUBLIC", None),
    ("control_function", None, "CREATE FUNCTION tenancy_kept.spy(text) RETURNS bigint LANGUAGE sql SECURITY DEFINER"
     " AS 'SELECT count(*) FROM {a}.portfolios'; CREATE OPERATOR tenantry_ext.@!@ (FUNCTION = tenancy_kept.spy, RIGHTARG = text)",
     "DROP FUNCTION tenancy_kept.spy(text) CASCADE"),
    ("cross_trigger", None, "CREATE FUNCTION tenancy_kept.spy() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
     " CREATE TRIGGER spy BEFORE UPDATE ON {a}.portfolios FOR EACH ROW EXECUTE FUNCTION tenancy_kept.spy()",
     "DROP FUNCTION tenancy_kept.spy() CASCADE"),
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
    ("uses_outside", "a", "CREATE TABLE public.log (t text); CREATE RULE spy AS ON INSERT TO {a}.portfolios DO ALSO"
     " INSERT INTO public.log VALUES (NEW.name)", "DROP RULE spy ON {a}.portfolios; DROP TABLE public.log"),
    ("uses_outside", "a", "CREATE SEQUENCE public.counter; CREATE TABLE {a}.t (i bigint DEFAULT nextval('public.counter'));"
     " ALTER TABLE {a}.t OWNER TO {a_owner}", "DROP TABLE {a}.t; DROP SEQUENCE public.counter"),
    ("uses_outside", None, "CREATE TABLE public.log (t text UNIQUE); CREATE TABLE {x}.t (tenant_id uuid NOT NULL, t text"
     " REFERENCES public.log (t)); ALTER TABLE {x}.t OWNER TO {x_owner}", "DROP TABLE {x}.t, public.log"),
    ("uses_outside", "a", "CREATE SCHEMA util; CREATE FUNCTION util.f(text, text) RETURNS int IMMUTABLE LANGUAGE plpgsql"
     " AS 'BEGIN RETURN 0; END'; CREATE OPERATOR CLASS util.c FOR TYPE text USING btree AS OPERATOR 1 <(text, text),"
     " OPERATOR 3 =(text, text), FUNCTION 1 util.f(text, text); CREATE INDEX spy ON {a}.portfolios (name util.c)",
     "DROP SCHEMA util CASCADE"),
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
    ("shared_schema", None, "CREATE SCHEMA util; GRANT USAGE ON SCHEMA util TO PUBLIC; CREATE TABLE util.export AS SELECT 1 AS id,"
     " 'a' AS email; GRANT SELECT (id, email) ON util.export TO PUBLIC", "DROP SCHEMA util CASCADE"),
    ("path_schema_shared", "a", "CREATE SCHEMA util; GRANT CREATE, USAGE ON SCHEMA util TO {b_app};"
     " ALTER ROLE {a_app} SET search_path = {a}, util", "ALTER ROLE {a_app} SET search_path = {a}; DROP SCHEMA util"),
    ("control_owner", None, "CREATE ROLE stranger; ALTER SCHEMA tenantry_ext OWNER TO stranger",
     "ALTER SCHEMA tenantry_ext OWNER TO tenantry; DROP ROLE stranger"),
    ("path_schema_foreign", None, "CREATE ROLE stranger; CREATE FUNCTION tenantry_ext.lower(varchar) RETURNS text LANGUAGE sql"
     " AS 'SELECT $1::text'; ALTER FUNCTION tenantry_ext.lower(varchar) OWNER TO stranger",
     "DROP OWNED BY stranger; DROP ROLE stranger"),
    ("path_schema_foreign", None, "CREATE ROLE stranger; CREATE SCHEMA util; CREATE FUNCTION util.f(varchar, varchar) RETURNS"
     " boolean LANGUAGE sql AS 'SELECT true'; CREATE OPERATOR tenantry_ext.= (FUNCTION = util.f, LEFTARG = varchar,"
     " RIGHTARG = varchar); ALTER OPERATOR tenantry_ext.= (varchar, varchar) OWNER TO stranger",
     "DROP SCHEMA util CASCADE; DROP ROLE stranger"),
    ("path_schema_create", None, "CREATE SCHEMA util; GRANT CREATE ON SCHEMA util TO PUBLIC", "DROP SCHEMA util"),
    ("setting_database", None, "ALTER DATABASE tenantry SET search_path = public", None),
    ("event_trigger_outside", None, "CREATE FUNCTION public.f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';"
     " CREATE EVENT TRIGGER e ON sql_drop EXECUTE FUNCTION public.f()", "DROP EVENT TRIGGER e; DROP FUNCTION public.f()"),
    ("default_privileges", None, "ALTER DEFAULT PRIVILEGES FOR ROLE {audit} GRANT SELECT ON TABLES TO PUBLIC", None),
    ("default_privileges", None, "ALTER DEFAULT PRIVILEGES FOR ROLE tenantry IN SCHEMA tenantry GRANT SELECT ON TABLES"
     " TO PUBLIC", None),
    ("public_grant_temporary", None, "GRANT TEMPORARY ON DATABASE tenantry TO PUBLIC", None),
    ("public_grant_temporary", None, "GRANT TEMPORARY ON DATABASE tenantry TO {tenants}", None),
    ("public_grant_temporary", "a", "GRANT TEMPORARY ON DATABASE tenantry TO {a_app}", None),
    ("other_database", "a", "GRANT CREATE, CONNECT ON DATABASE postgres TO {a_app}", None),
    ("other_database", None, "GRANT CONNECT ON DATABASE postgres TO {tenants}", None),
    ("other_database", None, "GRANT CONNECT ON DATABASE postgres TO PUBLIC", None),
    ("untrusted_language", None, "UPDATE pg_language SET lanpltrusted = true WHERE lanname = 'c'", None),
    ("extension_function", "a", "CREATE EXTENSION pageinspect SCHEMA public;"
     " GRANT EXECUTE ON FUNCTION public.get_raw_page(text, bigint) TO {a_app}", "DROP EXTENSION pageinspect"),
    # Code of no place that every tenant's values go through.
    ("outside_cast", None, "CREATE ROLE joe; CREATE SCHEMA helper; CREATE FUNCTION helper.f(text) RETURNS inet LANGUAGE plpgsql AS"
     " 'BEGIN PERFORM pg_notify(''heard'', $1); RETURN inet ''10.9.9.9''; END'; ALTER FUNCTION helper.f(text) OWNER TO joe;"
     " CREATE CAST (text AS inet) WITH FUNCTION helper.f(text) AS ASSIGNMENT", "DROP SCHEMA helper CASCADE; DROP ROLE joe"),
    ("outside_cast", None, "CREATE FUNCTION {b}.f(text) RETURNS inet LANGUAGE sql AS 'SELECT NULL::inet'; ALTER FUNCTION"
     " {b}.f(text) OWNER TO {b_owner}; CREATE CAST (text AS inet) WITH FUNCTION {b}.f(text)", "DROP FUNCTION {b}.f(text) CASCADE"),
    ("outside_cast", None, "CREATE SCHEMA helper; CREATE FUNCTION helper.f(text, varchar) RETURNS boolean LANGUAGE sql AS"
     " 'SELECT true'; CREATE OPERATOR pg_catalog.= (FUNCTION = helper.f, LEFTARG = text, RIGHTARG = varchar)",
     "DROP SCHEMA helper CASCADE"),
    ("outside_cast", None, "CREATE SCHEMA helper; CREATE FUNCTION helper.f(text) RETURNS int LANGUAGE sql AS"
     " 'SELECT 1'; CREATE OPERATOR tenantry_ext.!! (FUNCTION = helper.f, RIGHTARG = text)",
     "DROP OPERATOR tenantry_ext.!! (NONE, text); DROP SCHEMA helper CASCADE"),
    ("outside_cast", None, "CREATE SCHEMA helper; CREATE FUNCTION helper.f(json, json) RETURNS int IMMUTABLE LANGUAGE sql AS"
     " 'SELECT 0'; CREATE OPERATOR CLASS helper.by DEFAULT FOR TYPE json USING btree AS FUNCTION 1 helper.f(json, json)",
     "DROP SCHEMA helper CASCADE"),
    # What was given after the extension's script.
    ("extension_grant", None, "GRANT EXECUTE ON FUNCTION monitoring.pg_stat_statements_reset TO PUBLIC", None),
    ("extension_grant", None, "CREATE TABLE public.kinds (i int, t text); CREATE EXTENSION pageinspect SCHEMA public;"
     " ALTER EXTENSION pageinspect ADD TABLE public.kinds; GRANT INSERT, UPDATE (t) ON public.kinds TO PUBLIC",
     "DROP EXTENSION pageinspect"),
    ("extension_grant", "b", "CREATE SEQUENCE public.counter; CREATE EXTENSION pageinspect SCHEMA public; ALTER EXTENSION"
     " pageinspect ADD SEQUENCE public.counter; CREATE ROLE club; GRANT club TO {b_app}; GRANT USAGE ON SEQUENCE public.counter"
     " TO club", "DROP EXTENSION pageinspect; DROP ROLE club"),
    ("subscription", "a", "CREATE SUBSCRIPTION s CONNECTION 'dbname=none' PUBLICATION p WITH (connect = false);"
     " ALTER ROLE {a_app} SUPERUSER; ALTER SUBSCRIPTION s OWNER TO {a_app}; ALTER ROLE {a_app} NOSUPERUSER",
     "ALTER SUBSCRIPTION s SET (slot_name = NONE); DROP SUBSCRIPTION s"),
    ("other_database", "a", "GRANT CONNECT ON DATABASE postgres TO {a_app}; \\c postgres\nCREATE TABLE t ();"
     " GRANT SELECT ON t TO {a_app}; \\c tenantry", "REVOKE CONNECT ON DATABASE postgres FROM {a_app}; \\c postgres\nDROP TABLE t"),
    # What leads to others by ways that ask for no right on a schema, or through roles that tenants are members of.
    ("outside_definer_power", None, "CREATE SCHEMA util; CREATE FUNCTION util.f(xml) RETURNS money LANGUAGE sql SECURITY DEFINER"
     " AS 'SELECT 1::money'; CREATE CAST (xml AS money) WITH FUNCTION util.f(xml)", "DROP SCHEMA util CASCADE"),
    ("outside_definer_power", None, "CREATE SCHEMA util; CREATE FUNCTION util.f(text) RETURNS int LANGUAGE sql SECURITY DEFINER"
     " AS 'SELECT 1'; CREATE OPERATOR tenantry_ext.@@@ (FUNCTION = util.f, RIGHTARG = text)", "DROP SCHEMA util CASCADE"),
    ("outside_definer_power", None, "CREATE FUNCTION tenantry_ext.f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';"
     " ALTER FUNCTION tenantry_ext.f() OWNER TO {b_owner}", "DROP FUNCTION tenantry_ext.f()"),
    ("outside_definer_power", None, "CREATE ROLE helper; GRANT pg_read_all_data TO helper;"
     " CREATE FUNCTION tenantry_ext.f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';"
     " ALTER FUNCTION tenantry_ext.f() OWNER TO helper", "DROP FUNCTION tenantry_ext.f(); DROP ROLE helper"),
    ("outside_definer", None, "CREATE EXTENSION pageinspect SCHEMA tenantry_ext; CREATE FUNCTION tenantry_ext.f() RETURNS int"
     " LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'; ALTER EXTENSION pageinspect ADD FUNCTION tenantry_ext.f()",
     "DROP EXTENSION pageinspect"),
    # What was put into an extension later.
    ("outside_definer_power", None, "CREATE FUNCTION tenantry_ext.f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';"
     " ALTER EXTENSION plpgsql ADD FUNCTION tenantry_ext.f()",
     "ALTER EXTENSION plpgsql DROP FUNCTION tenantry_ext.f(); DROP FUNCTION tenantry_ext.f()"),
    ("outside_definer_power", None, "CREATE FUNCTION tenantry_ext.f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';"
     " CREATE EXTENSION pageinspect SCHEMA tenantry_ext; ALTER EXTENSION pageinspect ADD FUNCTION tenantry_ext.f()",
     "DROP EXTENSION pageinspect"),
    ("uses_outside", "a", "CREATE FUNCTION public.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER"
     " spy BEFORE UPDATE ON {a}.portfolios FOR EACH ROW EXECUTE FUNCTION public.f(); CREATE ROLE stranger; ALTER FUNCTION public.f()"
     " OWNER TO stranger; CREATE EXTENSION pageinspect SCHEMA public; ALTER EXTENSION pageinspect ADD FUNCTION public.f()",
     "DROP EXTENSION pageinspect CASCADE; DROP ROLE stranger"),
    ("uses_outside", None, "CREATE TABLE public.log (t text UNIQUE); ALTER EXTENSION plpgsql ADD TABLE public.log;"
     " CREATE TABLE {x}.t (tenant_id uuid NOT NULL, t text REFERENCES public.log (t)); ALTER TABLE {x}.t OWNER TO {x_owner}",
     "ALTER EXTENSION plpgsql DROP TABLE public.log; DROP TABLE {x}.t, public.log"),
    ("function_untrusted", "a", "CREATE EXTENSION pageinspect SCHEMA public; CREATE FUNCTION {a}.f(cstring) RETURNS int LANGUAGE"
     " internal AS 'int4in'; ALTER FUNCTION {a}.f(cstring) OWNER TO {a_owner}; REVOKE ALL ON FUNCTION {a}.f(cstring) FROM PUBLIC;"
     " ALTER EXTENSION pageinspect ADD FUNCTION {a}.f(cstring)", "DROP EXTENSION pageinspect"),
    ("event_trigger_outside", None, "CREATE FUNCTION public.f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';"
     " CREATE EVENT TRIGGER e ON sql_drop EXECUTE FUNCTION public.f(); ALTER EXTENSION plpgsql ADD FUNCTION public.f()",
     "DROP EVENT TRIGGER e; ALTER EXTENSION plpgsql DROP FUNCTION public.f(); DROP FUNCTION public.f()"),
    # What was put into PostgreSQL's own schemas.
    ("shared_schema", None, "CREATE VIEW information_schema.noted AS SELECT 1 AS i; GRANT SELECT ON information_schema.noted"
     " TO PUBLIC", "DROP VIEW information_schema.noted"),
    ("shared_schema", None, "CREATE TABLE information_schema.noted (t text); GRANT SELECT, INSERT ON information_schema.noted"
     " TO PUBLIC", "DROP TABLE information_schema.noted"),
    ("shared_schema", None, "CREATE FUNCTION pg_catalog.noted() RETURNS int LANGUAGE sql AS 'SELECT 1'",
     "DROP FUNCTION pg_catalog.noted()"),
    ("shared_schema", None, "SET LOCAL allow_system_table_mods = on; CREATE TABLE pg_catalog.noted (t text);"
     " GRANT SELECT ON pg_catalog.noted TO PUBLIC",
     "SET LOCAL allow_system_table_mods = on; DROP TABLE pg_catalog.noted"),
    ("uses_outside", "a", "CREATE FUNCTION pg_catalog.noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
     " CREATE TRIGGER spy BEFORE UPDATE ON {a}.portfolios FOR EACH ROW EXECUTE FUNCTION pg_catalog.noted()",
     "DROP FUNCTION pg_catalog.noted() CASCADE"),
    ("cross_view", "a", "CREATE VIEW information_schema.noted AS SELECT * FROM {a}.portfolios; GRANT SELECT ON"
     " information_schema.noted TO PUBLIC", "DROP VIEW information_schema.noted"),
    ("outside_untrusted", None, "CREATE FUNCTION tenantry_ext.f(text, bigint, bigint, boolean) RETURNS bytea LANGUAGE internal"
     " AS 'pg_read_binary_file'", "DROP FUNCTION tenantry_ext.f(text, bigint, bigint, boolean)"),
    ("uses_outside", "a", "CREATE SCHEMA util; CREATE FUNCTION util.f(text) RETURNS text LANGUAGE sql AS 'SELECT $1';"
     " CREATE OPERATOR util.@@@ (FUNCTION = util.f, RIGHTARG = text);"
     " CREATE VIEW {a}.v AS SELECT OPERATOR(util.@@@) 'x'::text AS v; ALTER VIEW {a}.v OWNER TO {a_owner}",
     "DROP VIEW {a}.v; DROP SCHEMA util CASCADE"),
    ("uses_outside", "a", "CREATE SCHEMA util; CREATE FUNCTION util.f(int) RETURNS boolean LANGUAGE sql AS 'SELECT true';"
     " CREATE DOMAIN util.d AS int CHECK (util.f(VALUE)); CREATE TABLE {a}.t (c util.d); ALTER TABLE {a}.t OWNER TO {a_owner}",
     "DROP TABLE {a}.t; DROP SCHEMA util CASCADE"),
    ("uses_outside", "a", "CREATE SCHEMA util; CREATE FUNCTION util.f(uuid) RETURNS uuid IMMUTABLE LANGUAGE sql AS 'SELECT $1';"
     " CREATE STATISTICS {a}.st ON (util.f(id)) FROM {a}.portfolios", "DROP STATISTICS {a}.st; DROP SCHEMA util CASCADE"),
    ("outside_untrusted", None, "CREATE AGGREGATE tenantry_ext.slurp(text) (sfunc = textcat, stype = text, initcond = '',"
     " finalfunc = pg_read_file)", "DROP AGGREGATE tenantry_ext.slurp(text)"),
    ("outside_untrusted", None, "CREATE FUNCTION tenantry_ext.f(cstring) RETURNS int LANGUAGE internal AS 'int4in'",
     "DROP FUNCTION tenantry_ext.f(cstring)"),
    ("builtin_function", "b", "CREATE ROLE ops; GRANT EXECUTE ON FUNCTION pg_read_file(text) TO ops; GRANT ops TO {b_app}",
     "REVOKE EXECUTE ON FUNCTION pg_read_file(text) FROM ops; DROP ROLE ops"),
    ("catalogue_grant", "b", "CREATE ROLE ops; CREATE ROLE more; GRANT SELECT ON pg_authid TO ops; GRANT ops TO more;"
     " GRANT more TO {b_app}", "REVOKE SELECT ON pg_authid FROM ops; DROP ROLE ops, more"),
    ("catalogue_grant", None, "GRANT USAGE ON SCHEMA pg_toast TO PUBLIC", None),
    ("parameter_grant", "b", "CREATE ROLE ops; GRANT SET ON PARAMETER session_replication_role TO ops; GRANT ops TO {b_app}",
     "REVOKE ALL ON PARAMETER session_replication_role FROM ops; DROP ROLE ops"),
    ("foreign_server", "b", "CREATE ROLE ops; CREATE FOREIGN DATA WRAPPER w; GRANT USAGE ON FOREIGN DATA WRAPPER w TO ops;"
     " GRANT ops TO {b_app}", "DROP FOREIGN DATA WRAPPER w; DROP ROLE ops"),
    ("user_mapping", None, "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER far FOREIGN DATA WRAPPER w;"
     " CREATE USER MAPPING FOR PUBLIC SERVER far", "DROP FOREIGN DATA WRAPPER w CASCADE"),
    ("public_grant_database", "b", "CREATE ROLE ops; GRANT CREATE ON DATABASE tenantry TO ops; GRANT ops TO {b_app}",
     "REVOKE CREATE ON DATABASE tenantry FROM ops; DROP ROLE ops"),
    ("path_schema_create", "b", "ALTER SCHEMA tenantry_ext OWNER TO {b_app}", "ALTER SCHEMA tenantry_ext OWNER TO tenantry"),
    ("large_object", None, "SELECT lo_from_bytea(4720, 'x'); GRANT SELECT, UPDATE ON LARGE OBJECT 4720 TO {tenants}",
     "SELECT lo_unlink(4720)"),
    ("large_object", None, "SELECT lo_create(4721); ALTER LARGE OBJECT 4721 OWNER TO {x_owner}; GRANT SELECT ON LARGE OBJECT 4721"
     " TO {x_group}", "SELECT lo_unlink(4721)"),
    ("large_object", None, "SELECT lo_create(4722); CREATE ROLE club; GRANT club TO {a_app}; GRANT SELECT ON LARGE OBJECT 4722"
     " TO club", "SELECT lo_unlink(4722); DROP ROLE club"),
    ("large_object", None, "SELECT lo_create(4712); GRANT SELECT ON LARGE OBJECT 4712 TO PUBLIC", "SELECT lo_unlink(4712)"),
    ("setting_role", None, "ALTER ROLE tenantry SET allow_system_table_mods = on", None),
    ("setting_search_path", None, "ALTER ROLE tenantry SET search_path = {b}", None),
    ("untrusted_language", None, "CREATE FUNCTION public.plperlu_call_handler() RETURNS language_handler LANGUAGE c"
     " AS '$libdir/plpgsql', 'plpgsql_call_handler'; CREATE TRUSTED LANGUAGE kind HANDLER public.plperlu_call_handler;"
     " UPDATE pg_proc SET prosrc = 'plperlu_call_handler' WHERE oid = 'public.plperlu_call_handler()'::regprocedure",
     "DROP LANGUAGE kind; DROP FUNCTION public.plperlu_call_handler()"),
    ("place_gone", "a", "ALTER SCHEMA {a} RENAME TO elsewhere", "ALTER SCHEMA elsewhere RENAME TO {a}"),
    ("place_gone", "x", "ALTER ROLE {x_app} RENAME TO elsewhere", "ALTER ROLE elsewhere RENAME TO {x_app}"),
    ("cross_table", "b", "CREATE FUNCTION {b}.g(uuid) RETURNS uuid IMMUTABLE LANGUAGE sql AS 'SELECT $1';"
     " ALTER FUNCTION {b}.g(uuid) OWNER TO {b_owner}; REVOKE ALL ON FUNCTION {b}.g(uuid) FROM PUBLIC;"
     " CREATE INDEX spy ON {a}.portfolios ({b}.g(id))", "DROP INDEX {a}.spy; DROP FUNCTION {b}.g(uuid)"),
]

# (rule, as whom, what breaks it, what the login then reads, what undoes it): the finding says that a right exists now.
LEAKS = [
    ("outside_definer_power", "b", "CREATE SCHEMA util; CREATE FUNCTION util.f(xml) RETURNS money LANGUAGE sql SECURITY DEFINER AS"
     " 'SELECT count(*)::int::money FROM {a}.portfolios'; CREATE CAST (xml AS money) WITH FUNCTION util.f(xml)",
     "SELECT '<a/>'::xml::money >= 0::money", "DROP SCHEMA util CASCADE"),
    ("outside_definer_power", "b", "CREATE SCHEMA util; CREATE FUNCTION util.f(text) RETURNS boolean LANGUAGE sql SECURITY DEFINER"
     " AS 'SELECT count(*) >= 0 FROM {x}.users'; CREATE OPERATOR tenantry_ext.@@@ (FUNCTION = util.f, RIGHTARG = text)",
     "SELECT OPERATOR(tenantry_ext.@@@) 'x'::text", "DROP SCHEMA util CASCADE"),
    ("outside_cast", "b", "CREATE ROLE joe; CREATE SCHEMA helper; CREATE FUNCTION helper.f(text) RETURNS inet LANGUAGE plpgsql AS"
     " 'BEGIN PERFORM pg_notify(''heard'', $1); RETURN inet ''10.9.9.9''; END'; ALTER FUNCTION helper.f(text) OWNER TO joe;"
     " CREATE CAST (text AS inet) WITH FUNCTION helper.f(text) AS ASSIGNMENT",
     "SELECT '10.0.0.7'::text::inet = '10.9.9.9'", "DROP SCHEMA helper CASCADE; DROP ROLE joe"),
    ("outside_cast", "x", "CREATE SCHEMA helper; CREATE FUNCTION helper.f(text, varchar) RETURNS boolean LANGUAGE sql AS"
     " 'SELECT true'; CREATE OPERATOR pg_catalog.= (FUNCTION = helper.f, LEFTARG = text, RIGHTARG = varchar)",
     "SELECT 'one'::text = 'other'::varchar", "DROP SCHEMA helper CASCADE"),
    ("outside_untrusted", "b", "CREATE FUNCTION tenantry_ext.f(text, bigint, bigint, boolean) RETURNS bytea LANGUAGE internal"
     " AS 'pg_read_binary_file'", "SELECT length(tenantry_ext.f('global/1260', 0, 8192, false)) = 8192",
     "DROP FUNCTION tenantry_ext.f(text, bigint, bigint, boolean)"),
    ("outside_untrusted", "b", "CREATE AGGREGATE tenantry_ext.slurp(text) (sfunc = textcat, stype = text, initcond = '',"
     " finalfunc = pg_read_file)", "SELECT tenantry_ext.slurp('PG_VERSION') <> ''", "DROP AGGREGATE tenantry_ext.slurp(text)"),
    ("builtin_function", "b", "CREATE ROLE ops; GRANT EXECUTE ON FUNCTION pg_read_file(text) TO ops; GRANT ops TO {b_app}",
     "SELECT pg_read_file('PG_VERSION') <> ''", "REVOKE EXECUTE ON FUNCTION pg_read_file(text) FROM ops; DROP ROLE ops"),
    ("catalogue_grant", "b", "CREATE ROLE ops; GRANT SELECT ON pg_authid TO ops; GRANT ops TO {b_app}",
     "SELECT count(rolpassword) > 0 FROM pg_authid", "REVOKE SELECT ON pg_authid FROM ops; DROP ROLE ops"),
    ("catalogue_grant", "b", "CREATE TABLE {a}.long (v text); ALTER TABLE {a}.long OWNER TO {a_owner}; INSERT INTO {a}.long"
     " SELECT string_agg(md5(i::text), '') FROM generate_series(1, 1000) i; GRANT USAGE ON SCHEMA pg_toast TO PUBLIC;"
     " DO $$ BEGIN EXECUTE (SELECT format('GRANT SELECT ON %s TO PUBLIC', reltoastrelid::regclass) FROM pg_class"
     " WHERE oid = '{a}.long'::regclass); END $$",
     "SELECT format('SELECT count(*) > 0 FROM %s', reltoastrelid::regclass) FROM pg_class WHERE relname = 'long' \\gexec",
     "DROP TABLE {a}.long; REVOKE USAGE ON SCHEMA pg_toast FROM PUBLIC"),
    ("large_object", "b", "SELECT lo_from_bytea(4713, 'x'); GRANT SELECT ON LARGE OBJECT 4713 TO PUBLIC",
     "SELECT length(lo_get(4713)) = 1", "SELECT lo_unlink(4713)"),
    ("large_object", "b", "SELECT lo_from_bytea(4720, 'x'); GRANT SELECT ON LARGE OBJECT 4720 TO {tenants}",
     "SELECT length(lo_get(4720)) = 1", "SELECT lo_unlink(4720)"),
]
