-- It can only keep itself from working, so this stops nobody.
SELECT x.tenant_id, NULL::uuid AS other_id, format('role %s', x.rolname) AS object,
       format('it begins with %s', string_agg(format('%s = %s', x.name, left(x.value, 60)), ', ' ORDER BY x.name, x.value))
       AS evidence,
       string_agg(DISTINCT format('ALTER ROLE %I%s RESET %s', x.rolname, x.in_database, x.name), '; ') AS mend
  FROM iso_setting x
 WHERE x.name <> 'search_path' AND x.is_own
 GROUP BY x.tenant_id, x.rolname
