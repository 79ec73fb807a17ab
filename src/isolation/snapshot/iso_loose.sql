-- Functions in those schemas that are of no place. Of PostgreSQL's own those that are not as initdb makes them: it makes
-- none that works with its owner's rights or has settings; what else was changed has a row that is newer than what initdb
-- wrote last of all about pg_catalog, the initial rights. Changed rights alone are no matter here, so of rows that are newer
-- only those count that are LEAKPROOF or in a language whose text the server runs (it runs C by the function's number,
-- whatever the row says). Of extensions' only those with their owner's rights and the LEAKPROOF ones. The language of an
-- aggregate says nothing: it runs its functions with the rights of its owner to call them, so it is what they are, where not
-- everybody may call them or the server runs their text.
SELECT f.oid, f.pronamespace, f.proowner, f.prosecdef, f.proleakproof, f.prolang, f.proacl, f.is_extension,
       f.is_builtin,
       f.is_builtin AND NOT f.is_code AS is_replaced,
       f.is_code AND NOT f.is_builtin AND NOT f.is_extension
       AND (f.prokind <> 'a'
            OR EXISTS (SELECT
                         FROM pg_aggregate g
                        CROSS JOIN LATERAL unnest(ARRAY[g.aggtransfn, g.aggfinalfn, g.aggcombinefn, g.aggserialfn,
                                                        g.aggdeserialfn, g.aggmtransfn, g.aggminvtransfn, g.aggmfinalfn]::oid[])
                                           u (oid)
                         JOIN pg_proc m ON m.oid = u.oid
                        CROSS JOIN LATERAL (
                              SELECT m.prolang = ANY (ARRAY(SELECT l.oid FROM pg_language l WHERE NOT l.lanpltrusted))
                                     AS is_code,
                                     NOT EXISTS (SELECT FROM aclexplode(coalesce(m.proacl, acldefault('f', m.proowner))) a
                                                  WHERE a.grantee = 0) AS is_lent,
                                     m.oid < 16384
                                     OR EXISTS (SELECT FROM pg_depend d
                                                 WHERE d.classid = 'pg_proc'::regclass AND d.objid = m.oid AND d.deptype = 'e')
                                     AS is_known) c
                        WHERE g.aggfnoid = f.oid
                          AND (c.is_lent AND (c.is_code OR m.prosecdef) OR c.is_code AND NOT c.is_known))) AS is_untrusted
  FROM (SELECT p.oid, p.pronamespace, p.proowner, p.prosecdef, p.proleakproof, p.prolang, p.prokind,
               coalesce(p.proacl, acldefault('f', p.proowner)) AS proacl, c.is_code, c.is_builtin,
               -- ALTER EXTENSION ADD hides nothing where it can be told: an extension's script makes nothing before the
               -- extension or for a role that is neither the extension's owner nor a superuser, and what initdb made has
               -- no more since.
               EXISTS (SELECT
                         FROM pg_depend d
                         JOIN pg_extension x ON x.oid = d.refobjid AND (p.oid < 16384 OR x.oid BETWEEN 16384 AND p.oid)
                        WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
                          AND (p.proowner IN (10, x.extowner)
                               OR EXISTS (SELECT FROM pg_roles r WHERE r.oid = p.proowner AND r.rolsuper))) AS is_extension
          FROM pg_proc p
         CROSS JOIN LATERAL (
               SELECT p.prolang = ANY (ARRAY(SELECT l.oid FROM pg_language l WHERE NOT l.lanpltrusted)) AS is_code,
                      p.oid < 16384 AND p.pronamespace IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
                      AS is_builtin) c
         WHERE p.pronamespace = ANY (ARRAY(SELECT s.nspoid FROM iso_common s))
           AND (NOT c.is_builtin OR p.prosecdef OR p.proconfig IS NOT NULL
                OR ((p.proleakproof OR NOT c.is_code) AND p.pronamespace = 'pg_catalog'::regnamespace
                    AND p.xmin::text::bigint
                        > (SELECT min(i.xmin::text::bigint) FROM pg_init_privs i WHERE i.privtype = 'i')))
         OFFSET 0) f -- so that what is asked of each is planned once, not wherever it is used
 WHERE f.prosecdef OR f.proleakproof OR NOT f.is_extension
