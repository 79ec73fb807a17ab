-- Bringing places to another version of their blueprint. A rollout is a job; what came of it in each place is here, written
-- in the transaction that changed the place.
CREATE TABLE tenantry.rollouts (
    job_id bigint PRIMARY KEY REFERENCES tenantry.jobs (id),
    blueprint text NOT NULL REFERENCES tenantry.blueprints (name),
    target bigint NOT NULL,
    waves integer NOT NULL,
    -- what somebody asked for while it ran: it stops after the places that are under way
    wanted text CHECK (wanted IN ('pause', 'abort')),
    -- too many places failed and those that are done go back: a run that resumes does that, and nothing else
    is_undoing boolean NOT NULL DEFAULT false
);
CREATE INDEX rollouts_blueprint ON tenantry.rollouts (blueprint, job_id);

CREATE TABLE tenantry.rollout_places (
    job_id bigint NOT NULL REFERENCES tenantry.rollouts (job_id),
    place_id uuid NOT NULL,         -- no foreign key: a purge need not wait, nor lose what was
    wave integer NOT NULL,
    from_version bigint NOT NULL,   -- what it was planned from; once it is done, what it was moved from
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'done', 'failed', 'gone', 'undone', 'left')),
    attempts integer NOT NULL DEFAULT 0,
    error json,                     -- code, message, hint, sqlstate
    finished_at timestamptz,
    PRIMARY KEY (job_id, place_id)
);
CREATE INDEX rollout_places_pending ON tenantry.rollout_places (job_id, wave, place_id) WHERE state = 'pending';

-- The rollout that a place failed in: no other one takes it before "migrate retry".
ALTER TABLE tenantry.places ADD quarantine bigint;
CREATE INDEX places_quarantine ON tenantry.places (quarantine) WHERE quarantine IS NOT NULL;

-- The places of a blueprint that are not at a version yet: those of tenants (spares are made anew), of these slugs or all;
-- and either those in quarantine or the others. One in quarantine may be at the version already (it could not be undone): a
-- retry finds that there is nothing to do, and lets it out.
CREATE FUNCTION tenantry.rollout_candidates(blueprint text, target bigint, is_down boolean, slugs text[], is_retry boolean)
    RETURNS TABLE (id uuid, version bigint)
    LANGUAGE sql STABLE
AS $$
    SELECT p.id, p.version
      FROM tenantry.places p
     WHERE p.blueprint = $1
       AND CASE WHEN is_down THEN p.version > target WHEN is_retry THEN p.version <= target ELSE p.version < target END
       AND (p.quarantine IS NOT NULL) = is_retry
       AND (p.tier = 'row' AND slugs IS NULL
            OR EXISTS (SELECT FROM tenantry.tenants t
                        WHERE t.place_id = p.id AND p.tier = 'schema' AND (slugs IS NULL OR t.slug = ANY (slugs))))
$$;
REVOKE ALL ON FUNCTION tenantry.rollout_candidates(text, bigint, boolean, text[], boolean) FROM PUBLIC;

-- A role's guard that stays, so that moving a place need not make and drop a function (0005_guard.sql). It belongs to the
-- role, which can neither name it (no right on the schema) nor replace it. What it could do all the same, with
-- DROP OWNED, takes it away: then the next one who needs it makes it anew. Should it ever be something else than it was
-- made, it says so before it runs anything: run_kept() looks at whose rights it has.
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

-- tenancy.run_guarded() for a guard that stays. Nothing but a function with its owner's rights makes the current user
-- another one than the session's while no role is set, and in there PostgreSQL refuses to set one. is_last: the
-- transaction runs no other code of the place, so that what SET CONSTRAINTS leaves behind is in nobody's way.
CREATE FUNCTION tenancy.run_kept(role name, statements text[], path text, is_last boolean) RETURNS void
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
    place := 'triggers and constraints that were deferred';
    IF NOT is_last THEN -- not in one expression: it would be planned anew for the path of each place
        is_last := EXISTS (SELECT FROM tenancy.deferring_tables());
    END IF;
    IF is_last THEN
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

CREATE FUNCTION tenantry.keep_guard(role name) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    guards name;
BEGIN
    IF EXISTS (SELECT FROM pg_proc f WHERE f.proname = role AND f.pronamespace = 'tenancy_kept'::regnamespace) THEN
        RETURN;
    END IF;
    guards := (SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'tenancy_kept');
    EXECUTE format('GRANT %I TO CURRENT_USER', role);
    EXECUTE format('GRANT %s TO %I', guards, role);
    EXECUTE format('SET LOCAL ROLE %I', role);
    EXECUTE format('CREATE FUNCTION tenancy_kept.%I(text[], text, boolean) RETURNS void LANGUAGE sql SECURITY DEFINER'
                   ' SET search_path = pg_catalog, pg_temp SET transaction_read_only = off AS %L',
                   role, format('SELECT tenancy.run_kept(%L, $1, $2, $3)', role));
    EXECUTE format('REVOKE ALL ON FUNCTION tenancy_kept.%I FROM PUBLIC', role);
    EXECUTE format('GRANT EXECUTE ON FUNCTION tenancy_kept.%I TO SESSION_USER', role);
    SET LOCAL ROLE NONE;
    EXECUTE format('REVOKE %s FROM %I', guards, role);
    EXECUTE format('REVOKE %I FROM CURRENT_USER', role);
END
$$;

-- tenantry.drop_guard() for a guard that stays: the proof, and what the role's SQL prepared.
CREATE FUNCTION tenantry.settle_guard(role name) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    written record;
    prepared text;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_proc f
                    WHERE f.proname = role AND f.pronamespace = 'tenancy_kept'::regnamespace AND f.prosecdef
                      AND pg_get_userbyid(f.proowner) = role) THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = 'what its role owns was dropped or given away, which takes the guard along',
            HINT = 'leave DROP OWNED and REASSIGN OWNED out';
    END IF;
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
END
$$;

REVOKE ALL ON FUNCTION tenancy.run_kept(name, text[], text, boolean) FROM PUBLIC;
DO $tenants$
DECLARE
    tenants name;
BEGIN
    FOR tenants IN SELECT tenants_role FROM tenantry.installation LOOP
        EXECUTE format('GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA tenancy TO %I', tenants);
    END LOOP;
END
$tenants$;
REVOKE ALL ON FUNCTION tenantry.keep_guard(name), tenantry.settle_guard(name) FROM PUBLIC;

-- --- steps: moves that are more than one transaction (docs/rollout-steps.md) ---

-- Whether this rollout moved it, or a part of the way; from_version is then where it came from.
ALTER TABLE tenantry.rollout_places ADD has_begun boolean NOT NULL DEFAULT false;

-- The ledger of scripts that are run in steps. Those of one that is at its end stay, like its row in place_migrations. A
-- place stands between steps when there are any of a version that it is not at (up) or of one that it still is at (down).
CREATE TABLE tenantry.place_steps (
    place_id uuid NOT NULL REFERENCES tenantry.places (id) ON DELETE CASCADE,
    version bigint NOT NULL,
    is_down boolean NOT NULL,
    step integer NOT NULL,
    steps integer NOT NULL,         -- how many the script has
    what text NOT NULL,
    state text NOT NULL CHECK (state IN ('started', 'done')),
    indexes_before oid[],           -- of the table, when a statement outside of a transaction began, so that what it left
    invalid_before oid[],           --   behind is known from what was there
    last_key text,                  -- of a backfill, and what follows
    batches bigint,
    rows_changed bigint,
    rows_estimated bigint,
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    PRIMARY KEY (place_id, version, is_down, step)
);

-- A relation by its names; to_regclass asks for a right on the schema.
CREATE FUNCTION tenantry.step_relation(schema name, relation name) RETURNS oid
    LANGUAGE sql STABLE
AS $$
    SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = schema AND c.relname = relation
$$;
REVOKE ALL ON FUNCTION tenantry.step_relation(name, name) FROM PUBLIC;

-- The indexes of a table and of its partitions, or of the table that an index belongs to.
CREATE FUNCTION tenantry.step_indexes(schema name, relation name)
    RETURNS TABLE (id oid, schema_name name, name name, is_valid boolean)
    LANGUAGE sql STABLE
AS $$
    WITH named AS (
        SELECT coalesce((SELECT i.indrelid FROM pg_index i WHERE i.indexrelid = c.oid), c.oid) AS oid
          FROM tenantry.step_relation(schema, relation) c (oid)
         WHERE c.oid IS NOT NULL)
    SELECT x.oid, n.nspname, x.relname, i.indisvalid
      FROM (SELECT oid FROM named UNION SELECT t.relid FROM named, pg_partition_tree(named.oid) t) r
      JOIN pg_index i ON i.indrelid = r.oid
      JOIN pg_class x ON x.oid = i.indexrelid
      JOIN pg_namespace n ON n.oid = x.relnamespace
$$;
REVOKE ALL ON FUNCTION tenantry.step_indexes(name, name) FROM PUBLIC;
