SELECT o.tenant_id, NULL::uuid AS other_id, format('role %s', o.rolname) AS object,
       'it has LOGIN' AS evidence, format('ALTER ROLE %I NOLOGIN', o.rolname) AS mend
  FROM iso_power o
 WHERE o.rolcanlogin AND (o.kind LIKE '%owner' OR o.kind LIKE 'group%' OR o.kind = 'tenants')
