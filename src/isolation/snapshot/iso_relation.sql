-- Tables, partitions, views, sequences and the like; what is in a schema is found by its dependency on it, which is
-- indexed: pg_class has no index by schema.
SELECT p.nspoid, c.oid, c.relname, c.relkind, c.relowner, c.relacl, c.relrowsecurity, c.relforcerowsecurity,
       c.relispartition, c.reloptions
  FROM iso_place p
  JOIN pg_depend d ON d.refclassid = 'pg_namespace'::regclass AND d.refobjid = p.nspoid
   AND d.classid = 'pg_class'::regclass AND d.deptype = 'n'
  JOIN pg_class c ON c.oid = d.objid
 WHERE c.relkind <> 'c'
