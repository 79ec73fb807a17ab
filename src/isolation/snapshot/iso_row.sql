-- Shared places.
SELECT p.nspoid FROM iso_place p WHERE p.kind = 'row'
