-- The tables of shared places with what row-level security hangs on.
SELECT c.nspoid, c.oid, c.relname, c.relkind, c.relispartition, c.relrowsecurity, c.relforcerowsecurity,
       format('%I.%I', p.nspname, c.relname) AS name, a.attnum AS tenant_attnum, a.attnotnull
  FROM iso_place p
  JOIN iso_relation c USING (nspoid)
  LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
 WHERE p.kind = 'row' AND c.relkind IN ('r', 'p')
