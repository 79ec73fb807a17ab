SELECT m.member_tenant AS tenant_id, NULL::uuid AS other_id, format('role %s', m.role_name) AS object, m.evidence AS evidence,
       m.mend AS mend
  FROM iso_member m
  JOIN tenantry.places p ON m.role_name IN (p.app_role, p.readonly_role)
  LEFT JOIN tenantry.tenants t ON t.id = m.member_tenant
 WHERE m.role_kind = 'group' AND m.member_kind IN ('owner', 'app', 'readonly', 'group')
   AND t.place_id IS DISTINCT FROM p.id
