-- What the digest has of uses across schemas: for one tenant these are cheaper, and are few where all is well.
SELECT * FROM iso_edge
