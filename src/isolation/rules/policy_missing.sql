SELECT NULL::uuid AS tenant_id, NULL::uuid AS other_id, format('table %s', s.name) AS object,
       'it has no policy tenant_guard' AS evidence,
       format('CREATE POLICY tenant_guard ON %s AS RESTRICTIVE USING (%s) WITH CHECK (%s)', s.name,
              pg_get_expr(g.polqual, g.polrelid), pg_get_expr(g.polwithcheck, g.polrelid)) AS mend
  FROM iso_shared s
 CROSS JOIN (SELECT * FROM pg_policy g WHERE g.polrelid = 'tenantry.guard'::regclass AND g.polname = 'tenant_guard') g
 WHERE s.tenant_attnum IS NOT NULL
   AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = s.oid AND p.polname = 'tenant_guard')
