SELECT o.tenant_id, NULL::uuid AS other_id, format('role %s', o.rolname) AS object,
       'the tenant is archived and tenancy.role_tenants still has the role' AS evidence,
       format('DELETE FROM tenancy.role_tenants WHERE role_name = %L', o.rolname) AS mend
  FROM iso_own o
  JOIN iso_target t ON t.tenant_id = o.tenant_id AND t.state = 'archived'
  JOIN iso_map m ON m.role_name = o.rolname
