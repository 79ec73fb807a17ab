-- Functions, procedures, aggregates; not those that PostgreSQL makes with a type of ranges, which are its own.
SELECT p.nspoid, f.oid, f.proname, f.proowner, f.proacl, f.prosecdef, f.proleakproof, f.proconfig, f.prolang, f.prokind,
       f.prorettype
  FROM iso_in p
  JOIN pg_proc f ON p.classid = 'pg_proc'::regclass AND f.oid = p.objid
 WHERE NOT EXISTS (SELECT FROM pg_depend i
                    WHERE i.classid = 'pg_proc'::regclass AND i.objid = f.oid AND i.deptype = 'i')
