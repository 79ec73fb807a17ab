SELECT o.tenant_id, NULL::uuid AS other_id, format('role %s', o.rolname) AS object,
       format('the tenant is %s and tenancy.role_tenants still has the role', t.state) AS evidence,
       format('DELETE FROM tenancy.role_tenants WHERE role_name = %L', o.rolname) AS mend
  FROM iso_own o
  JOIN iso_target t ON t.tenant_id = o.tenant_id AND (t.state = 'archived' OR (t.state = 'suspended' AND t.tier = 'row'))
  JOIN iso_map m ON m.role_name = o.rolname
