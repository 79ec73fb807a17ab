SELECT m.tenant_id, NULL::uuid AS other_id, format('role %s', m.role_name) AS object,
       'tenancy.role_tenants has it, tenantry.roles does not' AS evidence,
       format('DELETE FROM tenancy.role_tenants WHERE role_name = %L', m.role_name) AS mend
  FROM iso_map m
  LEFT JOIN iso_own o ON o.rolname = m.role_name
  LEFT JOIN tenantry.roles r ON r.name = m.role_name
  LEFT JOIN tenantry.places p ON m.role_name IN (p.owner_role, p.app_role, p.readonly_role)
 WHERE o.oid IS NULL AND r.name IS NULL AND p.id IS NULL
