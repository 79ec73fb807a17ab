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
CREATE INDEX places_blueprint_version ON tenantry.places (blueprint, version);

-- The places of a blueprint that are not at a version yet: those of tenants (spares are made anew), of these slugs or all;
-- and either those in quarantine or the others. One in quarantine may be at the version already (it could not be undone): a
-- retry finds that there is nothing to do, and lets it out.
CREATE FUNCTION tenantry.rollout_candidates(blueprint text, target bigint, is_down boolean, slugs text[], is_retry boolean)
    RETURNS TABLE (id uuid, version bigint)
    LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT p.id, p.version
      FROM tenantry.places p
     WHERE p.blueprint = $1
       AND CASE WHEN is_down THEN p.version > target WHEN is_retry THEN p.version <= target ELSE p.version < target END
       AND (p.quarantine IS NOT NULL) = is_retry
       AND (p.tier = 'row' AND slugs IS NULL
            OR EXISTS (SELECT FROM tenantry.tenants t
                        WHERE t.place_id = p.id AND p.tier = 'schema' AND (slugs IS NULL OR t.slug = ANY (slugs))));
END;
REVOKE ALL ON FUNCTION tenantry.rollout_candidates(text, bigint, boolean, text[], boolean) FROM PUBLIC;

-- What follows migrations in a place that has been in use, run by the place's owner in its guard. Functions and not texts, so
-- that a session plans them once for all the places that it moves. They look first: mostly there is nothing to do.

-- Append-only tables lose UPDATE and DELETE, their partitions and shared tables INSERT too, where the application has it.
CREATE FUNCTION tenancy.narrow(schema_name name, app_role name, append_only name[], shared name[]) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    place oid := (SELECT n.oid FROM pg_namespace n WHERE nspname = schema_name);
    app oid := (SELECT r.oid FROM pg_roles r WHERE rolname = app_role);
    wide record;
BEGIN
    FOR wide IN
        SELECT t.oid, t.rights
          FROM (SELECT c.oid, 'UPDATE, DELETE' AS rights
                  FROM pg_class c
                 WHERE c.relnamespace = place AND c.relname = ANY (append_only)
                UNION ALL
                SELECT p.relid, 'INSERT, UPDATE, DELETE'
                  FROM pg_class c, pg_partition_tree(c.oid) p
                 WHERE c.relnamespace = place AND c.relname = ANY (append_only) AND c.relkind = 'p' AND p.level > 0
                UNION ALL
                SELECT c.oid, 'INSERT, UPDATE, DELETE'
                  FROM pg_class c
                 WHERE c.relnamespace = place AND c.relname = ANY (shared)) t
          JOIN pg_class c ON c.oid = t.oid
         WHERE EXISTS (SELECT FROM aclexplode(c.relacl) a
                        WHERE a.grantee = app AND a.privilege_type = ANY (string_to_array(t.rights, ', ')))
    LOOP
        EXECUTE format('REVOKE %s ON %s FROM %I', wide.rights, wide.oid::regclass, app_role);
    END LOOP;
END
$$;

-- First partitions of tables that have none; a table that has one has been in use, and "partition ensure" looks after it,
-- which knows what to do about rows in the default partition.
CREATE FUNCTION tenancy.add_partitions(schema_name name, parents name[], names text[], lower_bounds text[], upper_bounds text[])
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    place oid := (SELECT n.oid FROM pg_namespace n WHERE nspname = schema_name);
    wanted record;
BEGIN
    FOR wanted IN
        SELECT w.*
          FROM unnest(parents, names, lower_bounds, upper_bounds) w(parent, name, lower_bound, upper_bound)
          JOIN pg_class c ON c.relname = w.parent AND c.relnamespace = place
          JOIN pg_partitioned_table p ON p.partrelid = c.oid
         WHERE NOT EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = c.oid AND i.inhrelid <> p.partdefid)
    LOOP
        EXECUTE format('CREATE TABLE %I.%I PARTITION OF %I.%I FOR VALUES FROM (%L) TO (%L)', schema_name, wanted.name,
                       schema_name, wanted.parent, wanted.lower_bound, wanted.upper_bound);
    END LOOP;
END
$$;

-- Run by roles of tenants, with no more rights than they have. A new installation gives them what is in `tenancy` once all
-- of it is there.
REVOKE ALL ON FUNCTION tenancy.narrow(name, name, name[], name[]),
    tenancy.add_partitions(name, name[], text[], text[], text[]) FROM PUBLIC;
DO $tenants$
DECLARE
    tenants name;
BEGIN
    FOR tenants IN SELECT tenants_role FROM tenantry.installation LOOP
        EXECUTE format('GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA tenancy TO %I', tenants);
    END LOOP;
END
$tenants$;
