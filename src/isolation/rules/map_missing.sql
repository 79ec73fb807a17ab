SELECT o.tenant_id, NULL::uuid AS other_id, format('role %s', o.rolname) AS object,
       'tenancy.role_tenants does not have it' AS evidence,
       format('INSERT INTO tenancy.role_tenants (role_name, tenant_id) VALUES (%L, %L)', o.rolname, o.tenant_id) AS mend
  FROM iso_own o
  JOIN iso_target t ON t.tenant_id = o.tenant_id AND t.state <> 'archived'
   AND NOT (t.tier = 'row' AND t.state IN ('suspended', 'draining'))
  LEFT JOIN iso_map m ON m.role_name = o.rolname
 WHERE m.role_name IS NULL AND NOT row_security_active('tenancy.role_tenants') -- what is hidden is not missing: map_open
