-- What in the schemas hangs on those functions: a trigger, a default, a policy, a view, a constraint, a function.
SELECT DISTINCT d.classid, d.objid, d.refobjid
  FROM iso_loose f
  JOIN pg_depend d ON d.refclassid = 'pg_proc'::regclass AND d.refobjid = f.oid AND d.deptype = 'n'
