-- What works with the rights of a shared place's owner: SECURITY DEFINER functions, and rules, which work with the rights of
-- their table's.
SELECT f.nspoid, f.oid AS funcid, NULL::oid AS ruleid
  FROM iso_function f
  JOIN iso_place p USING (nspoid)
 WHERE f.prosecdef AND p.kind = 'row'
UNION ALL
SELECT c.nspoid, NULL, w.oid
  FROM iso_relation c
  JOIN iso_place p USING (nspoid)
  JOIN pg_rewrite w ON w.ev_class = c.oid AND w.ev_type <> '1' -- what a view reads is a rule too
 WHERE p.kind = 'row'
