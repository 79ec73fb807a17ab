SELECT NULL::uuid AS tenant_id, NULL::uuid AS other_id, 'table tenancy.role_tenants' AS object,
       'row-level security or its policy own_row is not as Tenantry made it' AS evidence,
       'ALTER TABLE tenancy.role_tenants ENABLE ROW LEVEL SECURITY' AS mend
  FROM pg_class c
 WHERE c.oid = 'tenancy.role_tenants'::regclass
   AND (NOT c.relrowsecurity
        OR 1 <> (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid)
        OR NOT EXISTS (SELECT FROM pg_policy p
                        WHERE p.polrelid = c.oid AND p.polname = 'own_row' AND p.polcmd = 'r'
                          AND pg_get_expr(p.polqual, p.polrelid) = '(role_name = CURRENT_USER)'))
