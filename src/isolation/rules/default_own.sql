-- Every role may set those that are of no schema for itself. A login makes nothing as long as it has no right to, which other
-- rules look at.
SELECT o.tenant_id, NULL::uuid AS other_id, format('role %s', o.rolname) AS object,
       format('%s will get %s on the next of its %s', w.grantee, string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type),
              lower(w.noun)) AS evidence,
       format('ALTER DEFAULT PRIVILEGES FOR ROLE %I REVOKE ALL ON %s FROM %s', o.rolname, w.noun, w.grantee) AS mend
  FROM iso_own o
  JOIN pg_default_acl d ON d.defaclrole = o.oid AND d.defaclnamespace = 0
 CROSS JOIN LATERAL aclexplode(d.defaclacl) a
 CROSS JOIN LATERAL (
       SELECT CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS'
                                   WHEN 'T' THEN 'TYPES' ELSE 'SCHEMAS' END AS noun,
              CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END AS grantee) w
 WHERE o.kind IN ('app', 'readonly') AND a.grantee <> o.oid
 GROUP BY o.tenant_id, o.rolname, w.grantee, w.noun
