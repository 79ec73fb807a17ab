SELECT NULL::uuid AS tenant_id, NULL::uuid AS other_id, format('table %s', s.name) AS object,
       format('%s may write it and its rows are of no tenant', pg_get_userbyid(p.app)) AS evidence,
       format('REVOKE INSERT, UPDATE, DELETE ON %s FROM %I', s.name, pg_get_userbyid(p.app)) AS mend
  FROM iso_shared s
  JOIN iso_place p USING (nspoid)
 WHERE s.tenant_attnum IS NULL AND NOT s.relispartition AND p.app IS NOT NULL
   AND (has_any_column_privilege(p.app, s.oid, 'INSERT') OR has_any_column_privilege(p.app, s.oid, 'UPDATE')
        OR has_table_privilege(p.app, s.oid, 'DELETE'))
