-- Rights to make objects in schemas that are of no place. Their owners' count where the owner is a tenant and others may
-- use the schema.
SELECT s.nspname, a.grantee, a.grantee = s.nspowner AS is_owner
  FROM iso_common s
 CROSS JOIN LATERAL aclexplode(s.nspacl) a
 WHERE a.privilege_type = 'CREATE'
   AND (a.grantee <> s.nspowner
        OR (a.grantee IN (SELECT b.oid FROM iso_bearer b)
            AND EXISTS (SELECT FROM aclexplode(s.nspacl) u WHERE u.privilege_type = 'USAGE' AND u.grantee <> s.nspowner)))
