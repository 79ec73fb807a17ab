-- Who may make objects in schemas that are of no place: who has CREATE, and the owner, who can give it to himself. Superusers
-- and the control role have all that is there anyway; pg_database_owner is whoever owns the database.
SELECT s.nspname, m.grantee, m.grantee = s.nspowner AS is_owner,
       EXISTS (SELECT FROM aclexplode(s.nspacl) u WHERE u.privilege_type = 'USAGE' AND u.grantee <> s.nspowner) AS is_open
  FROM iso_common s
 CROSS JOIN LATERAL (SELECT a.grantee FROM aclexplode(s.nspacl) a WHERE a.privilege_type = 'CREATE'
                     UNION SELECT s.nspowner) m
  LEFT JOIN pg_roles r
    ON r.oid = CASE m.grantee WHEN 'pg_database_owner'::regrole
                    THEN (SELECT d.datdba FROM pg_database d WHERE d.datname = current_database()) ELSE m.grantee END
 WHERE NOT coalesce(r.rolsuper OR r.rolname = SESSION_USER
                    OR r.oid = (SELECT c.nspowner FROM pg_namespace c WHERE c.nspname = 'tenantry'), false)
