SELECT a.tenant_id, NULL::uuid AS other_id, format('%s %s%s', a.kind, a.name, '.' || quote_ident(a.column_name)) AS object,
       format('%s has TRIGGER%s', a.grantee_name, a.granted_by) AS evidence,
       format('REVOKE TRIGGER%s ON %s %s FROM %I%s', ' (' || quote_ident(a.column_name) || ')',
              CASE a.kind WHEN 'schema' THEN 'SCHEMA' ELSE 'TABLE' END, a.name, a.grantee_name, a.then_sql) AS mend
  FROM iso_excess a
 WHERE a.privilege_type = 'TRIGGER' AND a.kind IN ('table', 'view')
