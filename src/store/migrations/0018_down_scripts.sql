-- Down scripts that have run somewhere, by the sum that they had: places that went back have the way back of that text, so it
-- stays. What ran up is in place_migrations and goes from there on the way down; this stays.
CREATE TABLE tenantry.blueprint_downs (
    blueprint text NOT NULL REFERENCES tenantry.blueprints (name),
    version bigint NOT NULL,
    extension text NOT NULL,        -- of a variant; '' for the plain one
    sha256 text NOT NULL,
    ran_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (blueprint, version, extension)
);
