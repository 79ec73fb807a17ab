SELECT a.tenant_id, NULL::uuid AS other_id, format('%s %s%s', a.kind, a.name, '.' || quote_ident(a.column_name)) AS object,
       format('%s has %s WITH GRANT OPTION', a.grantee_name,
              string_agg(a.privilege_type || coalesce(a.granted_by, ''), ', ' ORDER BY a.privilege_type)) AS evidence,
       format('REVOKE GRANT OPTION FOR ALL%s ON %s %s FROM %I CASCADE%s', ' (' || quote_ident(a.column_name) || ')',
              CASE a.kind WHEN 'schema' THEN 'SCHEMA' WHEN 'sequence' THEN 'SEQUENCE' WHEN 'function' THEN 'FUNCTION'
                          WHEN 'procedure' THEN 'PROCEDURE' WHEN 'aggregate' THEN 'FUNCTION' WHEN 'type' THEN 'TYPE'
                          ELSE 'TABLE' END, a.name, a.grantee_name,
              string_agg(DISTINCT a.passed_sql, '')) AS mend
  FROM iso_excess a
 WHERE a.is_grantable
 GROUP BY a.tenant_id, a.kind, a.name, a.column_name, a.grantee_name
