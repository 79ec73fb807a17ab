SELECT p.tenant_id, NULL::uuid AS other_id, format('%s %s', a.kind, a.name) AS object,
       format('%s has %s', pg_get_userbyid(a.grantee), string_agg(DISTINCT a.privilege_type, ', ')) AS evidence,
       format('REVOKE %s%s ON %s FROM %I', string_agg(DISTINCT a.privilege_type, ', '),
              ' (' || quote_ident(a.column_name) || ')', a.name, pg_get_userbyid(a.grantee)) AS mend
  FROM iso_acl a
  JOIN iso_place p USING (nspoid)
 WHERE a.grantee = p.readonly AND p.kind <> 'control' AND a.kind IN ('table', 'view', 'column')
   AND a.privilege_type IN ('INSERT', 'UPDATE', 'DELETE')
 GROUP BY p.tenant_id, a.kind, a.name, a.column_name, a.grantee
