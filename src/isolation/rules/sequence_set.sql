SELECT a.tenant_id, NULL::uuid AS other_id, format('sequence %s', a.name) AS object,
       format('%s has UPDATE%s', a.grantee_name, a.granted_by) AS evidence,
       format('REVOKE UPDATE ON SEQUENCE %s FROM %I%s', a.name, a.grantee_name, a.then_sql) AS mend
  FROM iso_excess a
 WHERE a.privilege_type = 'UPDATE' AND a.kind = 'sequence' AND a.place_kind = 'row'
