-- Of roles that may make objects in a place and are not the place's: superusers, who has CREATE there, and members of an
-- owner. Default privileges of no schema count in every schema. What PostgreSQL gives by itself (EXECUTE on functions,
-- USAGE on types) is in them too, spelled out.
SELECT b.tenant_id, NULL::uuid AS other_id, format('role %s', r.rolname) AS object,
       format('%s will get %s on the next %s, whatever schema they are in', b.name,
              string_agg(DISTINCT a.privilege_type, ', ' ORDER BY a.privilege_type), w.noun) AS evidence,
       format('ALTER DEFAULT PRIVILEGES FOR ROLE %I REVOKE %s ON %s FROM %s', r.rolname,
              string_agg(DISTINCT a.privilege_type, ', ' ORDER BY a.privilege_type), w.noun, b.sql) AS mend
  FROM (SELECT s.oid FROM pg_roles s WHERE s.rolsuper
        UNION
        SELECT h.member
          FROM iso_acl c
          JOIN iso_holder h ON h.grantee = c.grantee
         WHERE c.kind = 'schema' AND c.privilege_type = 'CREATE'
        UNION
        SELECT u.member FROM iso_reach u JOIN iso_place p ON p.owner = u.role) x
  JOIN pg_roles r ON r.oid = x.oid
  JOIN pg_default_acl d ON d.defaclrole = x.oid AND d.defaclnamespace = 0
  JOIN (VALUES ('r'::"char", 'TABLES', 'r'::"char"), ('S', 'SEQUENCES', 's'), ('f', 'FUNCTIONS', 'f'), ('T', 'TYPES', 'T'),
               ('n', 'SCHEMAS', 'n')) w (objtype, noun, acltype) ON w.objtype = d.defaclobjtype
 CROSS JOIN LATERAL aclexplode(d.defaclacl) a
  JOIN iso_bearer b ON b.oid = a.grantee
 WHERE x.oid NOT IN (SELECT o.oid FROM iso_own o)
   AND x.oid NOT IN (SELECT p.owner FROM iso_place p WHERE p.kind = 'control')
   AND NOT EXISTS (SELECT FROM aclexplode(acldefault(w.acltype, x.oid)) i
                    WHERE i.grantee = a.grantee AND i.privilege_type = a.privilege_type)
 GROUP BY b.tenant_id, b.name, b.sql, r.rolname, w.noun
