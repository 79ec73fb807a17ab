-- Rights on relations, columns and functions of extensions that their scripts did not give (pg_init_privs has what those gave,
-- CREATE EXTENSION, ALTER EXTENSION and pg_upgrade keep it), of PUBLIC and of roles that tenants' roles are members of;
-- outside_grant has the rights of the tenants' own, extension_function the functions of extensions that reach out. Functions
-- that a script says nothing about are everybody's from the start.
SELECT x.classid, x.objid, x.objsubid, a.grantee, a.privilege_type
  FROM (SELECT 'pg_class'::regclass AS classid, d.objid, r.attnum AS objsubid, r.acl
          FROM pg_extension e
         CROSS JOIN LATERAL (SELECT o.objid FROM pg_depend o
                              WHERE o.refclassid = 'pg_extension'::regclass AND o.refobjid = e.oid
                                AND o.classid = 'pg_class'::regclass AND o.deptype = 'e' AND o.objid >= 16384 OFFSET 0) d
         CROSS JOIN LATERAL (SELECT 0 AS attnum, c.relacl AS acl FROM pg_class c
                              WHERE c.oid = d.objid AND c.relacl IS NOT NULL
                                AND c.relnamespace = ANY (ARRAY(SELECT s.nspoid FROM iso_common s))
                             UNION ALL
                             SELECT t.attnum, t.attacl FROM pg_attribute t
                              WHERE t.attrelid = d.objid AND t.attacl IS NOT NULL) r
        UNION ALL
        SELECT i.classoid, f.oid, 0, f.proacl
          FROM pg_init_privs i
         CROSS JOIN LATERAL (SELECT p.oid, p.proacl FROM pg_proc p WHERE p.oid = i.objoid AND p.proacl IS NOT NULL OFFSET 0) f
         WHERE i.classoid = 'pg_proc'::regclass AND i.privtype = 'e'
           AND (SELECT d.refobjid FROM pg_depend d
                 WHERE d.classid = 'pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'e' LIMIT 1)
               <> ALL (ARRAY(SELECT e.oid FROM iso_extension e))) x
 CROSS JOIN LATERAL aclexplode(x.acl) a
 WHERE a.grantee = ANY (ARRAY(SELECT b.oid FROM iso_bearer b)) AND a.grantee <> ALL (ARRAY(SELECT o.oid FROM iso_own o))
   AND NOT EXISTS (SELECT FROM pg_init_privs i, LATERAL aclexplode(i.initprivs) g
                    WHERE i.classoid = x.classid AND i.objoid = x.objid AND i.objsubid = x.objsubid
                      AND g.grantee = a.grantee AND g.privilege_type = a.privilege_type OFFSET 0)
