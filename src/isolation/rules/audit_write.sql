SELECT r.tenant_id, NULL::uuid AS other_id, format('%s %s', o.kind, o.name) AS object,
       format('%s has %s', CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee) END,
              string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type)) AS evidence,
       format('REVOKE ALL ON %s FROM %s', o.name,
              CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END) AS mend
  FROM iso_object o
  JOIN iso_place p USING (nspoid)
 CROSS JOIN LATERAL aclexplode(o.acl) a
  LEFT JOIN tenantry.roles r ON r.name = pg_get_userbyid(a.grantee)
 WHERE p.nspname = 'tenantry_audit' AND o.kind = 'table' AND a.grantee <> p.owner
   AND a.privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER')
 GROUP BY r.tenant_id, o.kind, o.name, a.grantee
