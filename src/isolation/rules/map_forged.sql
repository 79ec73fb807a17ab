SELECT m.tenant_id, o.tenant_id AS other_id, format('role %s', o.rolname) AS object,
       format('tenancy.role_tenants takes it for tenant %s', m.tenant_id) AS evidence,
       CASE WHEN o.tenant_id IS NULL THEN format('DELETE FROM tenancy.role_tenants WHERE role_name = %L', o.rolname)
            ELSE format('UPDATE tenancy.role_tenants SET tenant_id = %L WHERE role_name = %L', o.tenant_id, o.rolname)
            END AS mend
  FROM iso_own o
  JOIN iso_map m ON m.role_name = o.rolname
 WHERE m.tenant_id IS DISTINCT FROM o.tenant_id
