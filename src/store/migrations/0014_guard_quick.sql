-- The guard in one function (src/blueprint/guard.c). A rollout calls it for every place, and each function of PL/pgSQL that
-- it calls costs there as much as a small statement.

-- Runs {place, statement} pairs in the guard of a role under a search_path, then what was deferred until a call of it wrote
-- nothing: that one fired all that waited, and queued nothing. The number of the command that comes after a call tells: as
-- long as calls write nothing, each one's is one more than that of the call before it. Takes away what the role's SQL left
-- in the session, but settings and advisory locks, and the guard unless it is kept. It fails while triggers of temporary
-- tables wait for the end of the transaction.
CREATE OR REPLACE FUNCTION tenantry.run_as(role name, is_kept boolean, path text, statements text[]) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    guard text := format('%I.%I', CASE WHEN is_kept THEN 'tenancy_kept' ELSE 'tenancy_guards' END, role);
    call text := format('SELECT %s($1, $2)', guard);
    place text := 'triggers and constraints that were deferred';
    deferred text[] := ARRAY[[place, 'SET CONSTRAINTS ALL IMMEDIATE']];
    pairs text[] := statements || deferred;
    marks tid[] := '{}';
    mark tid;
    command bigint;
    before bigint;
    prepared text;
BEGIN
    IF NOT is_kept OR to_regproc(guard) IS NULL THEN
        PERFORM tenantry.make_guard(role, is_kept);
    END IF;
    FOR round IN 0..3 LOOP
        before := command;
        EXECUTE call USING path, pairs;
        -- Code in there may have left any search_path, also beyond the end of this function.
        PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false);
        EXECUTE 'CLOSE ALL'; -- those WITH HOLD would run their queries at COMMIT
        INSERT INTO tenantry.guard_marks DEFAULT VALUES RETURNING ctid, cmin::text::bigint INTO mark, command;
        marks := marks || mark;
        EXIT WHEN command = before + 1;
        IF to_regproc(guard) IS NULL THEN
            RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
                MESSAGE = 'what its role owns was dropped or given away, which takes the guard along',
                HINT = 'leave DROP OWNED and REASSIGN OWNED out';
        END IF;
        pairs := deferred;
    END LOOP;
    IF command <> before + 1 THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = place || ': they defer others again and again',
            HINT = 'leave SET CONSTRAINTS ... DEFERRED out of triggers that are deferred';
    END IF;
    DELETE FROM tenantry.guard_marks WHERE ctid IN (marks[1], marks[2], marks[3], marks[4]); -- an array is planned anew
    DISCARD TEMP;
    UNLISTEN *;
    FOR prepared IN SELECT name FROM pg_prepared_statements WHERE from_sql LOOP
        EXECUTE format('DEALLOCATE %I', prepared);
    END LOOP;
    IF NOT is_kept THEN
        EXECUTE format('DROP FUNCTION %s(text, text[])', guard);
        EXECUTE format('REVOKE %I FROM CURRENT_USER', role);
    END IF;
END
$$;
DROP FUNCTION tenantry.call_guard(text, text, text[], tid[]), tenantry.drop_guard(name, boolean);
