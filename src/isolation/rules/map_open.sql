SELECT NULL::uuid AS tenant_id, NULL::uuid AS other_id, 'table tenancy.role_tenants' AS object,
       'row-level security or its policy own_row is not as Tenantry made it' AS evidence,
       -- As the migration of the control schema makes it; whatever policies are there go.
       concat((SELECT string_agg(format('DROP POLICY %I ON tenancy.role_tenants; ', p.polname), '' ORDER BY p.polname)
                 FROM pg_policy p WHERE p.polrelid = c.oid),
              'CREATE POLICY own_row ON tenancy.role_tenants FOR SELECT USING (role_name = current_user); '
              'ALTER TABLE tenancy.role_tenants ENABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY') AS mend
  FROM pg_class c
 WHERE c.oid = 'tenancy.role_tenants'::regclass
   -- Forced, it hides its rows from Tenantry, which owns it: nothing forged would be seen.
   AND (NOT c.relrowsecurity OR c.relforcerowsecurity
        OR 1 <> (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid)
        OR NOT EXISTS (SELECT FROM pg_policy p
                        WHERE p.polrelid = c.oid AND p.polname = 'own_row' AND p.polcmd = 'r' AND p.polpermissive
                          AND p.polroles = '{0}' AND p.polwithcheck IS NULL
                          AND pg_get_expr(p.polqual, p.polrelid) = '(role_name = CURRENT_USER)'))
