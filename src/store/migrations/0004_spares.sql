-- Spares: whole places of the schema tier that wait for tenants, with logins that may not log in yet. The table was
-- there and never used; now it also says what a spare was made from and holds the passwords, sealed for the tenant to be.
DROP TABLE tenantry.spares;

CREATE TABLE tenantry.spares (
    place_id uuid PRIMARY KEY REFERENCES tenantry.places (id) ON DELETE CASCADE,
    tenant_id uuid NOT NULL UNIQUE,      -- the id that the tenant who claims it will have
    blueprint text NOT NULL REFERENCES tenantry.blueprints (name),
    checksum text NOT NULL,              -- of the definition that it was made from; a version alone does not say enough
    extensions text[] NOT NULL,          -- the optional ones that the server offered, which choose among variants
    key_id text NOT NULL REFERENCES tenantry.keys (id),
    app_sealed bytea NOT NULL,
    readonly_sealed bytea NOT NULL,
    fresh_until timestamptz NOT NULL,    -- its partitions reach beyond this; infinity when it has none
    created_at timestamptz NOT NULL DEFAULT now(),
    claimed_at timestamptz               -- set by the create whose job is under way
);
CREATE INDEX spares_ready ON tenantry.spares (blueprint, created_at) WHERE claimed_at IS NULL;
CREATE INDEX spares_key_id ON tenantry.spares (key_id);

-- One row per blueprint, whose lock is held by whoever makes a spare of it; and how that went last.
CREATE TABLE tenantry.spare_fills (
    blueprint text PRIMARY KEY REFERENCES tenantry.blueprints (name),
    checksum text,                       -- of the definition that failed; another one is tried at once
    failures integer NOT NULL DEFAULT 0, -- since the last that worked
    error text,
    retry_at timestamptz
);

-- How many were created a short time ago, for the number of spares that are kept.
CREATE INDEX tenants_recent ON tenantry.tenants (blueprint, created_at)
    WHERE tier = 'schema' AND state NOT IN ('purged', 'failed');

-- What a create from a spare needs of a definition: all but the texts of its scripts, which can be large.
ALTER TABLE tenantry.blueprint_versions ADD COLUMN head json GENERATED ALWAYS AS
    ((definition::jsonb - '{migrations,seed,demo}'::text[] || '{"migrations": []}')::json) STORED;

-- The optional extensions of a blueprint that this server offers now. That reads a file for each that it has, unless
-- all of them are installed.
CREATE FUNCTION tenantry.optional_extensions(blueprint text) RETURNS text[] STABLE LANGUAGE sql AS $$
    WITH wished AS MATERIALIZED (
        SELECT json_array_elements_text(v.head->'optional') AS name
          FROM tenantry.blueprints b
          JOIN tenantry.blueprint_versions v ON v.blueprint = b.name AND v.version = b.version
         WHERE b.name = $1)
    SELECT CASE WHEN (SELECT count(e.oid) = count(*) FROM wished w LEFT JOIN pg_extension e ON e.extname = w.name)
        THEN ARRAY(SELECT name FROM wished ORDER BY name COLLATE "C")
        ELSE ARRAY(SELECT w.name FROM wished w JOIN pg_available_extensions() a ON a.name = w.name
                    ORDER BY w.name COLLATE "C")
        END;
$$;

REVOKE ALL ON FUNCTION tenantry.optional_extensions(text) FROM PUBLIC;
