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

-- Schemas that were there before Tenantry, and versions that somebody stated and no rollout reached. An adopted schema keeps
-- its name, which is no random word: where it is compared with its version, the name is left as it is.
ALTER TABLE tenantry.places ADD is_adopted boolean NOT NULL DEFAULT false;
CREATE TABLE tenantry.baselines (
    job_id bigint NOT NULL REFERENCES tenantry.jobs (id),
    place_id uuid NOT NULL REFERENCES tenantry.places (id) ON DELETE CASCADE,
    from_version bigint,            -- NULL: it was adopted
    version bigint NOT NULL,
    differences bigint NOT NULL,    -- from the version, which were taken as they are
    stated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (job_id, place_id)
);
CREATE INDEX baselines_place_id ON tenantry.baselines (place_id);

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
