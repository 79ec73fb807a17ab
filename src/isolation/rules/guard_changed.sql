SELECT NULL::uuid AS tenant_id, NULL::uuid AS other_id, 'table tenantry.guard' AS object,
       'its policy tenant_guard is not the one that Tenantry made' AS evidence, NULL::text AS mend
 WHERE NOT EXISTS (
       SELECT FROM pg_policy g
        WHERE g.polrelid = 'tenantry.guard'::regclass AND g.polname = 'tenant_guard' AND NOT g.polpermissive
          AND g.polcmd = '*' AND g.polroles = '{0}'
          AND pg_get_expr(g.polqual, g.polrelid) = pg_get_expr(g.polwithcheck, g.polrelid)
          AND regexp_replace(pg_get_expr(g.polqual, g.polrelid), '\s+', ' ', 'g') =
              '(tenant_id = ( SELECT m.tenant_id FROM tenancy.role_tenants m WHERE ((m.role_name = CURRENT_USER) AND '
              '(COALESCE(NULLIF(lower(current_setting(''app.current_tenant_id''::text, true)), ''''::text), '
              '(m.tenant_id)::text) = (m.tenant_id)::text))))')
