-- What a newly made place of a version was like when the rules of isolation last passed for one: a digest over
-- src/isolation/snapshot/place_shape.sql. A create that makes a place asks every rule where its place is another.
CREATE TABLE tenantry.place_shapes (
    blueprint text NOT NULL,
    version bigint NOT NULL,
    digest text NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$'),
    PRIMARY KEY (blueprint, version),
    FOREIGN KEY (blueprint, version) REFERENCES tenantry.blueprint_versions (blueprint, version)
);
