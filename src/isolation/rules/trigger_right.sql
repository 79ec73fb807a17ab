SELECT p.tenant_id, NULL::uuid AS other_id, format('%s %s', a.kind, a.name) AS object,
       format('%s has TRIGGER', pg_get_userbyid(a.grantee)) AS evidence,
       format('REVOKE TRIGGER%s ON %s %s FROM %I', ' (' || quote_ident(a.column_name) || ')',
              CASE a.kind WHEN 'schema' THEN 'SCHEMA' ELSE 'TABLE' END, a.name, pg_get_userbyid(a.grantee)) AS mend
  FROM iso_acl a
  JOIN iso_place p USING (nspoid)
 WHERE a.grantee IN (p.app, p.readonly) AND a.privilege_type = 'TRIGGER' AND a.kind IN ('table', 'view') AND p.kind <> 'control'
