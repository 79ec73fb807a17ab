SELECT p.tenant_id, NULL::uuid AS other_id, format('%s %s', a.kind, a.name) AS object,
       format('%s has %s WITH GRANT OPTION', pg_get_userbyid(a.grantee), a.privilege_type) AS evidence,
       format('REVOKE GRANT OPTION FOR %s%s ON %s %s FROM %I CASCADE', a.privilege_type,
              ' (' || quote_ident(a.column_name) || ')',
              CASE a.kind WHEN 'schema' THEN 'SCHEMA' WHEN 'sequence' THEN 'SEQUENCE' WHEN 'function' THEN 'FUNCTION'
                          WHEN 'procedure' THEN 'PROCEDURE' WHEN 'aggregate' THEN 'FUNCTION' WHEN 'type' THEN 'TYPE'
                          ELSE 'TABLE' END, a.name, pg_get_userbyid(a.grantee)) AS mend
  FROM iso_acl a
  JOIN iso_place p USING (nspoid)
 WHERE a.is_grantable AND a.grantee IN (p.app, p.readonly) AND p.kind <> 'control'
