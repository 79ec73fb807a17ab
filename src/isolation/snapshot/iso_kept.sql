-- What is in the schema of the guards that stay and is none of them: a guard has the name of its place's owner, and whether
-- it is as Tenantry made it is control_function's. There is one for each place, so nothing else looks through that schema.
SELECT n.oid AS nspoid, d.classid, d.objid
  FROM pg_namespace n
  JOIN pg_depend d ON d.refclassid = 'pg_namespace'::regclass AND d.refobjid = n.oid
  LEFT JOIN pg_proc f ON d.classid = 'pg_proc'::regclass AND f.oid = d.objid
   AND f.proargtypes = '25 1009' -- text, text[]; there are as many as places, so nothing is spelled out
  LEFT JOIN tenantry.places p ON p.owner_role = f.proname
 WHERE n.nspname = 'tenancy_kept' AND p.id IS NULL
