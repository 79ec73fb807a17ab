SELECT NULL::uuid AS tenant_id, NULL::uuid AS other_id, format('table %s', s.name) AS object,
       concat('tenant_guard differs:', CASE WHEN p.polpermissive THEN ' it is permissive' END,
              CASE WHEN p.polcmd <> '*' THEN ' it is for some commands only' END,
              CASE WHEN p.polroles <> g.polroles THEN ' it is for some roles only' END,
              CASE WHEN pg_get_expr(p.polqual, p.polrelid) IS DISTINCT FROM pg_get_expr(g.polqual, g.polrelid)
                   THEN ' its USING is another' END,
              CASE WHEN pg_get_expr(p.polwithcheck, p.polrelid) IS DISTINCT FROM pg_get_expr(g.polwithcheck, g.polrelid)
                   THEN ' its WITH CHECK is another' END) AS evidence,
       format('DROP POLICY tenant_guard ON %s; ', s.name) || format('CREATE POLICY tenant_guard ON %s AS RESTRICTIVE USING (%s) WITH CHECK (%s)', s.name,
              pg_get_expr(g.polqual, g.polrelid), pg_get_expr(g.polwithcheck, g.polrelid)) AS mend
  FROM iso_shared s
  JOIN pg_policy p ON p.polrelid = s.oid AND p.polname = 'tenant_guard'
 CROSS JOIN (SELECT * FROM pg_policy g WHERE g.polrelid = 'tenantry.guard'::regclass AND g.polname = 'tenant_guard') g
 WHERE p.polpermissive OR p.polcmd <> g.polcmd OR p.polroles <> g.polroles
    OR pg_get_expr(p.polqual, p.polrelid) IS DISTINCT FROM pg_get_expr(g.polqual, g.polrelid)
    OR pg_get_expr(p.polwithcheck, p.polrelid) IS DISTINCT FROM pg_get_expr(g.polwithcheck, g.polrelid)
