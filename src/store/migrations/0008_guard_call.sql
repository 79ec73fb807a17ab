-- The guard in one call (src/blueprint/guard.c), and what proves that nothing waits for COMMIT is not the lock table any
-- more: a cursor that fails takes along the locks of what its query wrote, but not the triggers that this queued.

-- A row's cmin is the number of the command that wrote it; rows stay until the end of run_as only.
CREATE UNLOGGED TABLE tenantry.guard_marks ();

-- Runs {place, statement} pairs with the rights and the search_path of its caller; the place goes before the message of
-- one that fails.
CREATE OR REPLACE FUNCTION tenancy.run_guarded(statements text[]) RETURNS void
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
EXCEPTION WHEN OTHERS OR query_canceled OR assert_failure THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
        detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RAISE EXCEPTION USING ERRCODE = state, DETAIL = detail, HINT = hint,
        MESSAGE = CASE WHEN place OPERATOR(pg_catalog.=) '' THEN message
                       ELSE pg_catalog.concat(place, ': ', message) END;
END
$$;
DROP FUNCTION tenancy.deferring_tables();

-- As before; nothing in the function is read-only any more.
CREATE OR REPLACE FUNCTION tenantry.make_guard(role name) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    guards name := (SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'tenancy_guards');
BEGIN
    EXECUTE format('GRANT %I TO CURRENT_USER', role);
    EXECUTE format('GRANT %s TO %I', guards, role);
    EXECUTE format('SET LOCAL ROLE %I', role);
    EXECUTE format('CREATE FUNCTION tenancy_guards.%I(text[]) RETURNS void LANGUAGE sql SECURITY DEFINER AS %L', role,
                   'SELECT tenancy.run_guarded($1)');
    SET LOCAL ROLE NONE;
    EXECUTE format('REVOKE %s FROM %I', guards, role);
END
$$;

-- Runs pairs in the guard of a role under a search_path. The number of the command that comes after them: as long as
-- they write nothing, each call's is one more than that of the call before it.
CREATE FUNCTION tenantry.call_guard(role name, path text, statements text[], INOUT marks tid[], OUT command bigint)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    guard text := format('tenancy_guards.%I(text[])', role);
    call text := format('SELECT tenancy_guards.%I($1)', role);
    mark tid;
BEGIN
    PERFORM set_config('search_path', path, true);
    EXECUTE call USING statements;
    -- Code in there may have left any search_path, also beyond the end of this function.
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false);
    EXECUTE 'CLOSE ALL';
    IF to_regprocedure(guard) IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = 'what its role owns was dropped or given away, which takes the guard along',
            HINT = 'leave DROP OWNED and REASSIGN OWNED out';
    END IF;
    INSERT INTO tenantry.guard_marks DEFAULT VALUES RETURNING ctid, cmin::text::bigint INTO mark, command;
    marks := marks || mark;
END
$$;

-- Takes the role's function and what the role's SQL prepared away.
CREATE OR REPLACE FUNCTION tenantry.drop_guard(role name) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    prepared text;
BEGIN
    FOR prepared IN SELECT name FROM pg_prepared_statements WHERE from_sql LOOP
        EXECUTE format('DEALLOCATE %I', prepared);
    END LOOP;
    EXECUTE format('DROP FUNCTION tenancy_guards.%I(text[])', role);
    EXECUTE format('REVOKE %I FROM CURRENT_USER', role);
END
$$;

-- Makes the guard of a role, runs {place, statement} pairs in it under a search_path, then what was deferred until a
-- call of it wrote nothing: that one fired all that waited, and queued nothing. Takes the guard away.
CREATE FUNCTION tenantry.run_as(role name, path text, statements text[]) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    place text := 'triggers and constraints that were deferred';
    deferred text[] := ARRAY[[place, 'SET CONSTRAINTS ALL IMMEDIATE']];
    marks tid[] := '{}';
    command bigint;
    before bigint;
BEGIN
    PERFORM tenantry.make_guard(role);
    SELECT c.marks, c.command INTO marks, command
      FROM tenantry.call_guard(role, path, statements || deferred, marks) c;
    FOR round IN 1..3 LOOP
        before := command;
        SELECT c.marks, c.command INTO marks, command FROM tenantry.call_guard(role, path, deferred, marks) c;
        EXIT WHEN command = before + 1;
    END LOOP;
    IF command <> before + 1 THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = place || ': they defer others again and again',
            HINT = 'leave SET CONSTRAINTS ... DEFERRED out of triggers that are deferred';
    END IF;
    DELETE FROM tenantry.guard_marks WHERE ctid = ANY (marks);
    PERFORM tenantry.drop_guard(role);
END
$$;

REVOKE ALL ON FUNCTION tenantry.call_guard(name, text, text[], tid[]), tenantry.run_as(name, text, text[]) FROM PUBLIC;
