SELECT NULL::uuid AS tenant_id, NULL::uuid AS other_id, 'function tenancy.current_tenant()' AS object,
       'its body or its security is another' AS evidence, NULL::text AS mend
 WHERE NOT EXISTS (
       SELECT FROM pg_proc f
        WHERE f.oid = to_regprocedure('tenancy.current_tenant()') AND NOT f.prosecdef AND NOT f.proleakproof
          AND regexp_replace(pg_get_function_sqlbody(f.oid), '\s+', ' ', 'g') =
              'BEGIN ATOMIC SELECT m.tenant_id FROM tenancy.role_tenants m WHERE ((m.role_name = CURRENT_USER) AND '
              '(COALESCE(NULLIF(lower(current_setting(''app.current_tenant_id''::text, true)), ''''::text), '
              '(m.tenant_id)::text) = (m.tenant_id)::text)); END')
