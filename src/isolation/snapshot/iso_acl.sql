-- Rights in the schemas that their own roles should not have, or that others have: what every place has by design (all
-- to the owner; to its two other roles what they need; of `tenancy` what every tenant needs) is left out, so that this grows
-- with what is odd. grantor is the object's owner unless somebody passed on what he had with the grant option. UPDATE on a
-- sequence is setval: in a shared place it moves the numbers of all.
SELECT p.nspoid, o.classid, o.objid, o.kind, o.name, NULL::name AS column_name, a.grantee, a.privilege_type,
       a.is_grantable, a.grantor, o.owner
  FROM iso_object o
  JOIN iso_place p USING (nspoid),
       LATERAL aclexplode(o.acl) a
 WHERE o.acl IS NOT NULL AND a.grantee <> coalesce(p.owner, 0)
   AND (a.is_grantable OR a.grantee NOT IN (coalesce(p.app, 0), coalesce(p.readonly, 0)) OR a.grantee = 0
        OR a.privilege_type NOT IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'USAGE', 'EXECUTE')
        OR (a.grantee = p.readonly AND a.privilege_type NOT IN ('SELECT', 'USAGE', 'EXECUTE'))
        OR (o.kind = 'sequence' AND a.privilege_type = 'UPDATE' AND p.kind = 'row')
        OR (o.kind = 'sequence' AND a.privilege_type = 'USAGE' AND a.grantee = p.readonly))
   AND NOT (p.nspname = 'tenancy' AND NOT a.is_grantable
            AND a.grantee = (SELECT w.oid FROM iso_own w WHERE w.kind = 'tenants')
            AND (o.kind, o.name, a.privilege_type) IN (('schema', 'tenancy', 'USAGE'),
                                                       ('table', 'tenancy.role_tenants', 'SELECT'),
                                                       ('function', 'tenancy.current_tenant()', 'EXECUTE'),
                                                       ('function', 'tenancy.run_guarded(role name, path text, statements text[])', 'EXECUTE')))
UNION ALL
SELECT p.nspoid, o.classid, o.objid, 'column', o.name, c.attname, a.grantee, a.privilege_type, a.is_grantable, a.grantor,
       o.owner
  FROM iso_object o
  JOIN iso_place p USING (nspoid)
  JOIN pg_attribute c ON c.attrelid = o.objid AND c.attacl IS NOT NULL,
       LATERAL aclexplode(c.attacl) a
 WHERE o.classid = 'pg_class'::regclass AND a.grantee <> coalesce(p.owner, 0)
   AND (a.is_grantable OR a.grantee NOT IN (coalesce(p.app, 0), coalesce(p.readonly, 0)) OR a.grantee = 0
        OR a.privilege_type NOT IN ('SELECT', 'INSERT', 'UPDATE')
        OR (a.grantee = p.readonly AND a.privilege_type <> 'SELECT'))
