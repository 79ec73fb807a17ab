-- Functions, procedures, aggregates; not those that PostgreSQL makes with a type of ranges, which are its own.
SELECT p.nspoid, f.oid, f.proname, f.proowner, f.proacl, f.prosecdef, f.proleakproof, f.proconfig, f.prolang, f.prokind,
       f.prorettype
  FROM (SELECT x.nspoid, d.objid
          FROM iso_place x
          JOIN pg_depend d ON d.refclassid = 'pg_namespace'::regclass AND d.refobjid = x.nspoid
           AND d.classid = 'pg_proc'::regclass AND d.deptype = 'n'
         WHERE x.nspname <> 'tenancy_kept'
        UNION ALL
        SELECT k.nspoid, k.objid FROM iso_kept k WHERE k.classid = 'pg_proc'::regclass) p
  JOIN pg_proc f ON f.oid = p.objid
 WHERE NOT EXISTS (SELECT FROM pg_depend i
                    WHERE i.classid = 'pg_proc'::regclass AND i.objid = f.oid AND i.deptype = 'i')
