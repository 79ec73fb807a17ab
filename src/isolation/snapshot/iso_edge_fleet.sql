-- Dependencies on things of the schemas. With every tenant at hand, what uses another's is found from the other's side.
-- Schema `tenancy` is there for all to use, so it is left out.
SELECT DISTINCT d.classid, d.objid, d.refclassid, d.refobjid
  FROM iso_place p
  JOIN iso_object o USING (nspoid)
  JOIN pg_depend d ON d.refclassid = o.classid AND d.refobjid = o.objid AND d.deptype = 'n'
 WHERE o.classid <> 'pg_namespace'::regclass AND p.nspname <> 'tenancy'
