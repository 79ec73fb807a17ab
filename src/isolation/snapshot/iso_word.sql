-- Names of other places in the texts of functions; they are random words.
SELECT DISTINCT f.oid, p.nspname, m.found[1]::name AS word
  FROM iso_function f
  JOIN iso_place p USING (nspoid)
  JOIN pg_proc s ON s.oid = f.oid
 CROSS JOIN LATERAL regexp_matches(s.prosrc, '\m((?:tenant|shared)_[0-9a-f]{12})(?=\M|_)', 'g') m (found)
 WHERE p.kind <> 'control' AND m.found[1] <> p.nspname
