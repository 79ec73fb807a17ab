-- How the newest version of each blueprint is replayed when a tenant of the schema tier is made: the flattened
-- statements, or the migrations with the reason why. Taken again when `key` is another one.

CREATE TABLE tenantry.stamps (
    blueprint text PRIMARY KEY REFERENCES tenantry.blueprints (name) ON DELETE CASCADE,
    version bigint NOT NULL,
    key text NOT NULL,                    -- SHA-256 over all that the stamp was made from
    extensions text NOT NULL,             -- those that were used, with their schemas
    server_version integer NOT NULL,      -- server_version_num
    kind text NOT NULL CHECK (kind IN ('flat', 'migrations')),
    reason text NOT NULL,                 -- one sentence
    token text,                           -- stands in the statements for the place's name
    statements json,                      -- list of texts
    statement_count integer NOT NULL,     -- that a replay of this stamp sends
    migration_statement_count integer NOT NULL,
    fingerprint text NOT NULL CHECK (fingerprint ~ '^[0-9a-f]{64}$'),
    took_ms integer NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((kind = 'flat') = (token IS NOT NULL AND statements IS NOT NULL))
);
