-- What the digest has of uses across schemas: with every tenant at hand, only what does cross.
SELECT * FROM iso_reference
