SELECT m.tenant_id, coalesce(o.tenant_id, r.tenant_id) AS other_id, format('role %s', m.role_name) AS object,
       format('tenancy.role_tenants takes it for tenant %s', m.tenant_id) AS evidence,
       CASE WHEN coalesce(o.tenant_id, r.tenant_id) IS NULL
            THEN format('DELETE FROM tenancy.role_tenants WHERE role_name = %L', m.role_name)
            ELSE format('UPDATE tenancy.role_tenants SET tenant_id = %L WHERE role_name = %L',
                        coalesce(o.tenant_id, r.tenant_id), m.role_name) END AS mend
  FROM iso_map m
  LEFT JOIN iso_own o ON o.rolname = m.role_name
  LEFT JOIN tenantry.roles r ON r.name = m.role_name
 WHERE (o.oid IS NOT NULL OR r.name IS NOT NULL) AND m.tenant_id IS DISTINCT FROM coalesce(o.tenant_id, r.tenant_id)
