-- Tables, partitions, views, sequences and the like; what is in a schema is found by its dependency on it, which is
-- indexed: pg_class has no index by schema.
SELECT p.nspoid, c.oid, c.relname, c.relkind, c.relowner, c.relacl, c.relrowsecurity, c.relforcerowsecurity,
       c.relispartition, c.reloptions
  FROM (SELECT x.nspoid, d.objid
          FROM iso_place x
          JOIN pg_depend d ON d.refclassid = 'pg_namespace'::regclass AND d.refobjid = x.nspoid
           AND d.classid = 'pg_class'::regclass AND d.deptype = 'n'
         WHERE x.nspname <> 'tenancy_kept'
        UNION ALL
        SELECT k.nspoid, k.objid FROM iso_kept k WHERE k.classid = 'pg_class'::regclass) p
  JOIN pg_class c ON c.oid = p.objid
 WHERE c.relkind <> 'c'
