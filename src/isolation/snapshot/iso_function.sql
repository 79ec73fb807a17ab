-- Functions, procedures, aggregates.
SELECT p.nspoid, f.oid, f.proname, f.proowner, f.proacl, f.prosecdef, f.proleakproof, f.proconfig, f.prolang, f.prokind,
       f.prorettype
  FROM iso_place p
  JOIN pg_depend d ON d.refclassid = 'pg_namespace'::regclass AND d.refobjid = p.nspoid
   AND d.classid = 'pg_proc'::regclass AND d.deptype = 'n'
  JOIN pg_proc f ON f.oid = d.objid
