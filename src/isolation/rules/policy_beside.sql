SELECT NULL::uuid AS tenant_id, NULL::uuid AS other_id, format('policy %I on %s', p.polname, s.name) AS object,
       concat('it is ', CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END,
              CASE WHEN p.polroles = '{0}' THEN ', for PUBLIC' END,
              CASE WHEN concat(pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
                        LIKE '%current_setting%' THEN ', keyed on a setting that the tenant can set' END,
              CASE WHEN pg_get_expr(p.polwithcheck, p.polrelid) = 'true' THEN ', open in WITH CHECK' END) AS evidence,
       format('DROP POLICY %I ON %s', p.polname, s.name) AS mend
  FROM iso_shared s
  JOIN pg_policy p ON p.polrelid = s.oid AND p.polname NOT IN ('tenant_guard', 'tenant_rows')
