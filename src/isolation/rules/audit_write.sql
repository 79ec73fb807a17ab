SELECT r.tenant_id, NULL::uuid AS other_id, format('%s %s', o.kind, o.name) AS object,
       format('%s has %s', CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee) END,
              string_agg(DISTINCT concat(a.privilege_type, ' (' || quote_ident(a.attname) || ')'), ', ')) AS evidence,
       format('REVOKE %s ON %s FROM %s',
              string_agg(DISTINCT concat(a.privilege_type, ' (' || quote_ident(a.attname) || ')'), ', '), o.name,
              CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END) AS mend
  FROM iso_object o
  JOIN iso_place p USING (nspoid)
 CROSS JOIN LATERAL (
       SELECT x.grantee, x.privilege_type, NULL::name AS attname FROM aclexplode(o.acl) x
       UNION ALL
       SELECT x.grantee, x.privilege_type, c.attname
         FROM pg_attribute c, LATERAL aclexplode(c.attacl) x
        WHERE c.attrelid = o.objid) a
  LEFT JOIN tenantry.roles r ON r.name = pg_get_userbyid(a.grantee)
 WHERE p.nspname = 'tenantry_audit' AND o.kind = 'table' AND a.grantee <> p.owner
   AND a.privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER')
 GROUP BY r.tenant_id, o.kind, o.name, a.grantee
