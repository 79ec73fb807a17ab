-- What is in the schemas, found by its dependency on them, which is indexed: pg_class and its like have no index by schema.
SELECT p.nspoid, d.classid, d.objid
  FROM iso_place p
  JOIN pg_depend d ON d.refclassid = 'pg_namespace'::regclass AND d.refobjid = p.nspoid AND d.deptype = 'n'
 WHERE p.nspname <> 'tenancy_kept'
UNION ALL
SELECT k.nspoid, k.classid, k.objid FROM iso_kept k
