-- What newly made places of a version, and the server about them, were like when the rules of isolation passed for one:
-- digests over src/isolation/snapshot/place_shape.sql. A create that makes a place asks every rule where there is another.
CREATE TABLE tenantry.place_shapes (
    blueprint text NOT NULL,
    version bigint NOT NULL,
    digest text NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
    PRIMARY KEY (blueprint, version, digest),
    FOREIGN KEY (blueprint, version) REFERENCES tenantry.blueprint_versions (blueprint, version)
);
