-- The guard in one call (src/blueprint/guard.c), and what proves that nothing waits for COMMIT is not the lock table any
-- more: a cursor that fails takes along the locks of what its query wrote, but not the triggers that this queued.

-- Holds the function of each owner of a place, so that moving a place need not make and drop one. It belongs to the owner,
-- which can neither name it (no right on the schema) nor replace it; DROP OWNED takes it away, and whoever needs the next
-- one makes it anew. Should it ever be something else than it was made, run_guarded() says so before it runs anything.
DO $ground$
DECLARE
    guards name := (SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'tenancy_guards');
BEGIN
    EXECUTE format('GRANT %s TO CURRENT_USER', guards);
    EXECUTE format('CREATE SCHEMA tenancy_kept AUTHORIZATION %s', guards);
    EXECUTE format('SET LOCAL ROLE %s', guards);
    GRANT USAGE ON SCHEMA tenancy_kept TO SESSION_USER;
    SET LOCAL ROLE NONE;
    EXECUTE format('REVOKE %s FROM CURRENT_USER', guards);
END
$ground$;

-- A row's cmin is the number of the command that wrote it; rows stay until the end of run_as only.
CREATE UNLOGGED TABLE tenantry.guard_marks ();

-- Runs {place, statement} pairs with the rights of a role, which must be its caller's, under a search_path; the place goes
-- before the message of one that fails. Nothing but a function with its owner's rights makes the current user another one
-- than the session's while no role is set, and in there PostgreSQL refuses to set one.
DROP FUNCTION tenancy.run_guarded(text[]);
CREATE FUNCTION tenancy.run_guarded(role name, path text, statements text[]) RETURNS void
    LANGUAGE plpgsql
AS $$
DECLARE
    pair pg_catalog.text[];
    place pg_catalog.text := '';
    state pg_catalog.text;
    message pg_catalog.text;
    detail pg_catalog.text;
    hint pg_catalog.text;
BEGIN
    IF current_user OPERATOR(pg_catalog.<>) role OR session_user OPERATOR(pg_catalog.=) role
       OR pg_catalog.current_setting('role') OPERATOR(pg_catalog.<>) 'none' THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = 'the guard is not what it was made';
    END IF;
    PERFORM pg_catalog.set_config('search_path', path, true);
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

-- Makes the function of a role, or finds the one that it keeps. It belongs to the role, which loses the right to make
-- another before it runs.
DROP FUNCTION tenantry.make_guard(name);
CREATE FUNCTION tenantry.make_guard(role name, is_kept boolean) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    place text := CASE WHEN is_kept THEN 'tenancy_kept' ELSE 'tenancy_guards' END;
    guard text := format('%I.%I(text, text[])', place, role);
    guards name;
BEGIN
    IF is_kept AND to_regprocedure(guard) IS NOT NULL THEN
        RETURN;
    END IF;
    guards := (SELECT nspowner::regrole FROM pg_namespace WHERE nspname = place);
    EXECUTE format('GRANT %I TO CURRENT_USER', role);
    EXECUTE format('GRANT %s TO %I', guards, role);
    EXECUTE format('SET LOCAL ROLE %I', role);
    EXECUTE format('CREATE FUNCTION %s RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp'
                   ' AS %L', guard, format('SELECT tenancy.run_guarded(%L, $1, $2)', role));
    IF is_kept THEN
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', guard);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO SESSION_USER', guard);
    END IF;
    SET LOCAL ROLE NONE;
    EXECUTE format('REVOKE %s FROM %I', guards, role);
    IF is_kept THEN
        EXECUTE format('REVOKE %I FROM CURRENT_USER', role);
    END IF;
END
$$;

-- Runs pairs in the guard of a role under a search_path. The number of the command that comes after them: as long as
-- they write nothing, each call's is one more than that of the call before it.
CREATE FUNCTION tenantry.call_guard(guard text, path text, statements text[], INOUT marks tid[], OUT command bigint)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    call text := format('SELECT %s($1, $2)', guard);
    mark tid;
BEGIN
    EXECUTE call USING path, statements;
    -- Code in there may have left any search_path, also beyond the end of this function.
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false);
    EXECUTE 'CLOSE ALL';
    IF to_regprocedure(guard || '(text, text[])') IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = 'what its role owns was dropped or given away, which takes the guard along',
            HINT = 'leave DROP OWNED and REASSIGN OWNED out';
    END IF;
    INSERT INTO tenantry.guard_marks DEFAULT VALUES RETURNING ctid, cmin::text::bigint INTO mark, command;
    marks := marks || mark;
END
$$;

-- Takes what the role's SQL prepared away, and the role's function unless it is kept.
DROP FUNCTION tenantry.drop_guard(name);
CREATE FUNCTION tenantry.drop_guard(role name, is_kept boolean) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    prepared text;
BEGIN
    FOR prepared IN SELECT name FROM pg_prepared_statements WHERE from_sql LOOP
        EXECUTE format('DEALLOCATE %I', prepared);
    END LOOP;
    IF NOT is_kept THEN
        EXECUTE format('DROP FUNCTION tenancy_guards.%I(text, text[])', role);
        EXECUTE format('REVOKE %I FROM CURRENT_USER', role);
    END IF;
END
$$;

-- Makes the guard of a role, runs {place, statement} pairs in it under a search_path, then what was deferred until a
-- call of it wrote nothing: that one fired all that waited, and queued nothing. Takes the guard away.
CREATE FUNCTION tenantry.run_as(role name, is_kept boolean, path text, statements text[]) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    guard text := format('%I.%I', CASE WHEN is_kept THEN 'tenancy_kept' ELSE 'tenancy_guards' END, role);
    place text := 'triggers and constraints that were deferred';
    deferred text[] := ARRAY[[place, 'SET CONSTRAINTS ALL IMMEDIATE']];
    marks tid[] := '{}';
    command bigint;
    before bigint;
BEGIN
    PERFORM tenantry.make_guard(role, is_kept);
    SELECT c.marks, c.command INTO marks, command
      FROM tenantry.call_guard(guard, path, statements || deferred, marks) c;
    FOR round IN 1..3 LOOP
        before := command;
        SELECT c.marks, c.command INTO marks, command FROM tenantry.call_guard(guard, path, deferred, marks) c;
        EXIT WHEN command = before + 1;
    END LOOP;
    IF command <> before + 1 THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = place || ': they defer others again and again',
            HINT = 'leave SET CONSTRAINTS ... DEFERRED out of triggers that are deferred';
    END IF;
    DELETE FROM tenantry.guard_marks WHERE ctid = ANY (marks);
    PERFORM tenantry.drop_guard(role, is_kept);
END
$$;

REVOKE ALL ON FUNCTION tenancy.run_guarded(name, text, text[]) FROM PUBLIC;
DO $tenants$
DECLARE
    tenants name;
BEGIN
    FOR tenants IN SELECT tenants_role FROM tenantry.installation LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION tenancy.run_guarded(name, text, text[]) TO %I', tenants);
    END LOOP;
END
$tenants$;
REVOKE ALL ON FUNCTION tenantry.make_guard(name, boolean), tenantry.call_guard(text, text, text[], tid[]),
    tenantry.drop_guard(name, boolean), tenantry.run_as(name, boolean, text, text[]) FROM PUBLIC;
