SELECT o.tenant_id, NULL::uuid AS other_id, format('role %s', o.rolname) AS object,
       format('the tenant is %s and the role may log in', t.state) AS evidence,
       format('ALTER ROLE %I NOLOGIN', o.rolname) AS mend
  FROM iso_own o
  JOIN iso_target t ON t.tenant_id = o.tenant_id AND t.state IN ('suspended', 'draining', 'archived', 'spare')
  JOIN pg_roles r ON r.oid = o.oid
 WHERE r.rolcanlogin AND o.kind IN ('app', 'readonly')
   AND NOT EXISTS (SELECT FROM tenantry.tenants x
                    WHERE x.id = o.tenant_id AND x.state IN ('active', 'provisioning'))
