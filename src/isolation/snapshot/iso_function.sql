-- Functions, procedures, aggregates; not those that PostgreSQL makes with a type of ranges, which are its own.
SELECT p.nspoid, f.oid, f.proname, f.proowner, f.proacl, f.prosecdef, f.proleakproof, f.proconfig, f.prolang, f.prokind,
       f.prorettype
  FROM iso_place p
  JOIN pg_depend d ON d.refclassid = 'pg_namespace'::regclass AND d.refobjid = p.nspoid
   AND d.classid = 'pg_proc'::regclass AND d.deptype = 'n'
  JOIN pg_proc f ON f.oid = d.objid
 WHERE NOT EXISTS (SELECT FROM pg_depend i
                    WHERE i.classid = 'pg_proc'::regclass AND i.objid = f.oid AND i.deptype = 'i')
