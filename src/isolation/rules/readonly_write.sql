SELECT a.tenant_id, NULL::uuid AS other_id, format('%s %s%s', a.kind, a.name, '.' || quote_ident(a.column_name)) AS object,
       format('%s has %s%s', a.grantee_name, a.privilege_type, a.granted_by) AS evidence,
       format('REVOKE %s%s ON %s%s FROM %I%s', a.privilege_type, ' (' || quote_ident(a.column_name) || ')',
              CASE a.kind WHEN 'sequence' THEN 'SEQUENCE ' END, a.name, a.grantee_name, a.then_sql) AS mend
  FROM iso_excess a
 WHERE a.grantee = a.readonly
   AND ((a.kind IN ('table', 'view', 'column') AND a.privilege_type IN ('INSERT', 'UPDATE', 'DELETE'))
        OR (a.kind = 'sequence' AND a.privilege_type IN ('UPDATE', 'USAGE')))
