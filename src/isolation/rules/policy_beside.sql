SELECT NULL::uuid AS tenant_id, NULL::uuid AS other_id, format('policy %I on %s', p.polname, s.name) AS object,
       concat('it is ', CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END,
              CASE WHEN p.polroles = '{0}' THEN ', for PUBLIC' END,
              CASE WHEN concat(pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
                        LIKE '%current_setting%' THEN ', keyed on a setting that the tenant can set' END,
              CASE WHEN pg_get_expr(p.polwithcheck, p.polrelid) = 'true' THEN ', open in WITH CHECK' END) AS evidence,
       -- A restrictive policy only hides rows, and somebody meant it to.
       CASE WHEN p.polpermissive THEN format('DROP POLICY %I ON %s', p.polname, s.name) END AS mend
  FROM iso_shared s
  JOIN pg_policy p ON p.polrelid = s.oid AND p.polname <> 'tenant_guard'
 WHERE NOT EXISTS (SELECT FROM pg_policy g
                    WHERE g.polrelid = 'tenantry.guard'::regclass AND g.polname = 'tenant_rows'
                      AND p.polname = g.polname AND p.polpermissive = g.polpermissive AND p.polcmd = g.polcmd
                      AND p.polroles = g.polroles
                      AND pg_get_expr(p.polqual, p.polrelid) IS NOT DISTINCT FROM pg_get_expr(g.polqual, g.polrelid)
                      AND pg_get_expr(p.polwithcheck, p.polrelid)
                          IS NOT DISTINCT FROM pg_get_expr(g.polwithcheck, g.polrelid))
