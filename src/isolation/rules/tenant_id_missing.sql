-- What the manifest declares shared has the same rows for all by design, and nobody may write it.
SELECT NULL::uuid AS tenant_id, NULL::uuid AS other_id, format('table %s', s.name) AS object,
       format('%s may %s it and its rows are of no tenant', pg_get_userbyid(p.app),
              CASE WHEN w.is_written THEN 'write' ELSE 'read' END) AS evidence,
       format('REVOKE %s ON %s FROM %I, %I', CASE WHEN d.is_shared THEN 'INSERT, UPDATE, DELETE' ELSE 'ALL' END, s.name,
              pg_get_userbyid(p.app), pg_get_userbyid(p.readonly)) AS mend
  FROM iso_shared s
  JOIN iso_place p USING (nspoid)
 CROSS JOIN LATERAL (
       SELECT has_any_column_privilege(p.app, s.oid, 'INSERT') OR has_any_column_privilege(p.app, s.oid, 'UPDATE')
              OR has_table_privilege(p.app, s.oid, 'DELETE') AS is_written,
              has_any_column_privilege(p.app, s.oid, 'SELECT')
              OR has_any_column_privilege(p.readonly, s.oid, 'SELECT') AS is_read) w
 CROSS JOIN LATERAL (
       SELECT EXISTS (SELECT FROM tenantry.places l
                        JOIN tenantry.blueprint_versions v ON v.blueprint = l.blueprint AND v.version = l.version,
                             LATERAL json_array_elements_text(v.head -> 'shared') h (name)
                       WHERE l.schema_name = p.nspname AND h.name = s.relname) AS is_shared) d
 WHERE s.tenant_attnum IS NULL AND NOT s.relispartition AND p.app IS NOT NULL AND p.readonly IS NOT NULL
   AND (w.is_written OR (w.is_read AND NOT d.is_shared))
