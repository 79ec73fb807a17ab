SELECT m.member_tenant AS tenant_id, NULL::uuid AS other_id, format('role %s', m.role_name) AS object, m.evidence AS evidence,
       m.mend AS mend
  FROM iso_member m
  JOIN tenantry.places p ON p.owner_role = m.role_name
 WHERE m.member_kind IN ('owner', 'app', 'readonly', 'group', 'tenants')
   AND m.role_kind <> 'group' AND (m.member_tenant = m.role_tenant OR m.member_tenant IS NULL)
