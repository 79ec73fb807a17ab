-- What a place was like when the rules of isolation last passed: a digest over src/isolation/snapshot/place_digest.sql.
-- A create that joins a place, or takes a spare, asks every rule again where it is another or missing.
CREATE TABLE tenantry.place_digests (
    place_id uuid PRIMARY KEY REFERENCES tenantry.places (id) ON DELETE CASCADE,
    digest text NOT NULL CHECK (digest ~ '^[0-9a-f]{64}$')
);
