-- Running a blueprint's SQL, and whatever code of tenants it sets off, without lending it the control role.
-- src/blueprint/guard.c says why it is done so, and in which order.

-- Holds the function of a role for as long as that role's SQL runs, within one transaction; otherwise nothing. Whoever
-- is a member of its owner may put functions there: a role, while its function is made.
DO $ground$
DECLARE
    guards name := 'tenantry_guards_' || left(replace(gen_random_uuid()::text, '-', ''), 12);
BEGIN
    EXECUTE format('CREATE ROLE %I NOLOGIN', guards);
    EXECUTE format('GRANT %I TO CURRENT_USER', guards);
    EXECUTE format('CREATE SCHEMA tenancy_guards AUTHORIZATION %I', guards);
    EXECUTE format('SET LOCAL ROLE %I', guards);
    GRANT USAGE ON SCHEMA tenancy_guards TO SESSION_USER;
    SET LOCAL ROLE NONE;
    EXECUTE format('REVOKE %I FROM CURRENT_USER', guards);
END
$ground$;

-- Tables that this transaction wrote to (nothing releases the lock of a write before the end) and that have triggers of
-- constraints, those of foreign and unique keys among them. Whether they are deferrable now says nothing: one that waits
-- already goes on waiting when its constraint is altered. The control role's own tables run no code of others.
CREATE FUNCTION tenancy.deferring_tables() RETURNS TABLE (id oid, owner oid)
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT c.oid, c.relowner
      FROM pg_locks l
      JOIN pg_class c ON c.oid = l.relation
     WHERE l.pid = pg_backend_pid()
       AND l.mode = 'RowExclusiveLock'
       AND pg_get_userbyid(c.relowner) <> session_user
       AND EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = c.oid AND g.tgconstraint <> 0);
END
$$;

-- Runs {place, statement} pairs with the rights and the search_path of its caller; the place goes before the message of
-- one that fails. Then what was deferred, twice: the second round is read-only and may defer nothing again.
CREATE FUNCTION tenancy.run_guarded(statements text[]) RETURNS void
    LANGUAGE plpgsql
AS $$
DECLARE
    pair pg_catalog.text[];
    place pg_catalog.text;
    state pg_catalog.text;
    message pg_catalog.text;
    detail pg_catalog.text;
    hint pg_catalog.text;
BEGIN
    FOREACH pair SLICE 1 IN ARRAY statements LOOP
        place := pair[1];
        EXECUTE pair[2];
    END LOOP;
    place := 'triggers and constraints that were deferred';
    IF EXISTS (SELECT FROM tenancy.deferring_tables()) THEN
        SET CONSTRAINTS ALL IMMEDIATE;
        SET LOCAL transaction_read_only = on;
        SET CONSTRAINTS ALL IMMEDIATE;
    END IF;
EXCEPTION WHEN OTHERS OR query_canceled OR assert_failure THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
        detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RAISE EXCEPTION USING ERRCODE = state, DETAIL = detail, HINT = hint,
        MESSAGE = CASE WHEN place OPERATOR(pg_catalog.=) '' THEN message
                       ELSE pg_catalog.concat(place, ': ', message) END;
END
$$;

-- Makes the function of a role. It belongs to the role, which loses the right to make another before it runs.
CREATE FUNCTION tenantry.make_guard(role name) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    guards name := (SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'tenancy_guards');
BEGIN
    EXECUTE format('GRANT %I TO CURRENT_USER', role);
    EXECUTE format('GRANT %s TO %I', guards, role);
    EXECUTE format('SET LOCAL ROLE %I', role);
    EXECUTE format('CREATE FUNCTION tenancy_guards.%I(text[]) RETURNS void LANGUAGE sql SECURITY DEFINER'
                   ' SET transaction_read_only = off AS %L', role, 'SELECT tenancy.run_guarded($1)');
    SET LOCAL ROLE NONE;
    EXECUTE format('REVOKE %s FROM %I', guards, role);
END
$$;

-- Proves that no trigger waits for COMMIT, where it would run as the control role, and takes the role's function and
-- what the role's SQL prepared away. PostgreSQL refuses to alter a table while a trigger of it is pending.
CREATE FUNCTION tenantry.drop_guard(role name) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    written record;
    prepared text;
BEGIN
    FOR written IN SELECT id, owner FROM tenancy.deferring_tables() LOOP
        BEGIN
            IF NOT pg_has_role(written.owner, 'MEMBER') THEN
                EXECUTE format('GRANT %s TO CURRENT_USER', written.owner::regrole);
            END IF;
            EXECUTE format('ALTER TABLE ONLY %s RESET (fillfactor)', written.id::regclass);
            RAISE EXCEPTION USING ERRCODE = 'TN001'; -- takes back what the proof did
        EXCEPTION WHEN SQLSTATE 'TN001' THEN
            NULL;
        END;
    END LOOP;
    FOR prepared IN SELECT name FROM pg_prepared_statements WHERE from_sql LOOP
        EXECUTE format('DEALLOCATE %I', prepared);
    END LOOP;
    EXECUTE format('DROP FUNCTION tenancy_guards.%I(text[])', role);
    EXECUTE format('REVOKE %I FROM CURRENT_USER', role);
END
$$;

-- Run by roles of tenants. A new installation gives them what is in `tenancy` once all of it is there.
REVOKE ALL ON FUNCTION tenancy.deferring_tables(), tenancy.run_guarded(text[]) FROM PUBLIC;
DO $tenants$
DECLARE
    tenants name;
BEGIN
    FOR tenants IN SELECT tenants_role FROM tenantry.installation LOOP
        EXECUTE format('GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA tenancy TO %I', tenants);
    END LOOP;
END
$tenants$;
REVOKE ALL ON FUNCTION tenantry.make_guard(name), tenantry.drop_guard(name) FROM PUBLIC;
