-- The guard in one call (src/blueprint/guard.c): what was written to is looked for once. pg_locks holds up every session
-- that takes a lock meanwhile, so it is read a second time only where something may wait for COMMIT.
DROP FUNCTION tenancy.run_guarded(text[]);

-- Runs {place, statement} pairs with the rights and the search_path of its caller; the place goes before the message of
-- one that fails. Then what was deferred, twice: the second round is read-only and may defer nothing again. True when
-- something was: code ran after it was looked for. False says that nothing waits, since no code has run since.
CREATE FUNCTION tenancy.run_guarded(statements text[]) RETURNS boolean
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
        RETURN true;
    END IF;
    RETURN false;
EXCEPTION WHEN OTHERS OR query_canceled OR assert_failure THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
        detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RAISE EXCEPTION USING ERRCODE = state, DETAIL = detail, HINT = hint,
        MESSAGE = CASE WHEN place OPERATOR(pg_catalog.=) '' THEN message
                       ELSE pg_catalog.concat(place, ': ', message) END;
END
$$;

-- As before, and it says what run_guarded says.
CREATE OR REPLACE FUNCTION tenantry.make_guard(role name) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    guards name := (SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'tenancy_guards');
BEGIN
    EXECUTE format('GRANT %I TO CURRENT_USER', role);
    EXECUTE format('GRANT %s TO %I', guards, role);
    EXECUTE format('SET LOCAL ROLE %I', role);
    EXECUTE format('CREATE FUNCTION tenancy_guards.%I(text[]) RETURNS boolean LANGUAGE sql SECURITY DEFINER'
                   ' SET transaction_read_only = off AS %L', role, 'SELECT tenancy.run_guarded($1)');
    SET LOCAL ROLE NONE;
    EXECUTE format('REVOKE %s FROM %I', guards, role);
END
$$;

-- Proves that no trigger waits for COMMIT, where it would run as the control role, unless it is known; and takes the
-- role's function and what the role's SQL prepared away. PostgreSQL refuses to alter a table while a trigger of it is
-- pending, or a cursor reads it.
DROP FUNCTION tenantry.drop_guard(name);
CREATE FUNCTION tenantry.drop_guard(role name, may_wait boolean) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    written record;
    prepared text;
BEGIN
    IF to_regprocedure(format('tenancy_guards.%I(text[])', role)) IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = 'what its role owns was dropped or given away, which takes the guard along',
            HINT = 'leave DROP OWNED and REASSIGN OWNED out';
    END IF;
    EXECUTE 'CLOSE ALL';
    IF may_wait IS DISTINCT FROM false THEN
        FOR written IN SELECT id, owner FROM tenancy.deferring_tables() LOOP
            BEGIN
                IF NOT pg_has_role(written.owner, 'MEMBER') THEN
                    EXECUTE format('GRANT %s TO CURRENT_USER', written.owner::regrole);
                END IF;
                EXECUTE format('ALTER TABLE ONLY %s RESET (fillfactor)', written.id::regclass);
                RAISE EXCEPTION USING ERRCODE = 'TN001'; -- takes back what the proof did
            EXCEPTION
                WHEN SQLSTATE 'TN001' THEN
                    NULL;
                WHEN object_in_use THEN
                    RAISE object_in_use
                        USING MESSAGE = 'triggers and constraints that were deferred: ' || SQLERRM;
            END;
        END LOOP;
    END IF;
    FOR prepared IN SELECT name FROM pg_prepared_statements WHERE from_sql LOOP
        EXECUTE format('DEALLOCATE %I', prepared);
    END LOOP;
    EXECUTE format('DROP FUNCTION tenancy_guards.%I(text[])', role);
    EXECUTE format('REVOKE %I FROM CURRENT_USER', role);
END
$$;

-- Makes the guard of a role, runs {place, statement} pairs in it under a search_path, and takes it away. Nothing here is
-- resolved under settings that the pairs' code may have left.
CREATE FUNCTION tenantry.run_as(role name, path text, statements text[]) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    call text := format('SELECT tenancy_guards.%I($1)', role);
    may_wait boolean;
BEGIN
    PERFORM tenantry.make_guard(role);
    PERFORM set_config('search_path', path, true);
    EXECUTE call INTO may_wait USING statements;
    PERFORM tenantry.drop_guard(role, may_wait);
END
$$;

REVOKE ALL ON FUNCTION tenancy.run_guarded(text[]) FROM PUBLIC;
DO $tenants$
DECLARE
    tenants name;
BEGIN
    FOR tenants IN SELECT tenants_role FROM tenantry.installation LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION tenancy.run_guarded(text[]) TO %I', tenants);
    END LOOP;
END
$tenants$;
REVOKE ALL ON FUNCTION tenantry.drop_guard(name, boolean), tenantry.run_as(name, text, text[]) FROM PUBLIC;
