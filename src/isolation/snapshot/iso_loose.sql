-- Functions in those schemas that are of no place. Of PostgreSQL's own those that are not as initdb makes them: it makes
-- none that works with its owner's rights or has settings; what else was changed has a row that is newer than what initdb
-- wrote last of all about pg_catalog, the initial rights. Changed rights alone are no matter here, so of rows that are newer
-- only those count that are LEAKPROOF or in a language whose text the server runs (it runs C by the function's number,
-- whatever the row says). Of extensions' only those with their owner's rights.
SELECT f.oid, f.pronamespace, f.proowner, f.prosecdef, f.proleakproof, f.prolang, x.is_extension, x.is_builtin,
       x.is_builtin AND NOT x.is_code AS is_replaced,
       x.is_code AND NOT x.is_builtin AND NOT x.is_extension AS is_untrusted,
       coalesce(f.proacl, acldefault('f', f.proowner)) AS proacl
  FROM pg_proc f
  JOIN pg_language l ON l.oid = f.prolang
 CROSS JOIN LATERAL (
       SELECT f.oid < 16384 AND f.pronamespace IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
              AS is_builtin,
              NOT l.lanpltrusted AND l.lanname <> 'sql' AS is_code,
              f.oid >= 16384 AND EXISTS (SELECT FROM pg_depend d
                                          WHERE d.classid = 'pg_proc'::regclass AND d.objid = f.oid
                                            AND d.deptype = 'e') AS is_extension) x
 WHERE (NOT x.is_builtin OR f.prosecdef OR f.proconfig IS NOT NULL
        OR ((f.proleakproof OR NOT x.is_code) AND f.pronamespace = 'pg_catalog'::regnamespace
            AND f.xmin::text::bigint > (SELECT min(i.xmin::text::bigint) FROM pg_init_privs i WHERE i.privtype = 'i')
            AND NOT EXISTS (SELECT FROM pg_depend d
                             WHERE d.classid = 'pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'e')))
   AND (f.prosecdef OR NOT x.is_extension)
   AND f.pronamespace IN (SELECT s.nspoid FROM iso_common s)
