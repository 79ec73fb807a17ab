SELECT NULL::uuid AS tenant_id, NULL::uuid AS other_id, format('column %s.tenant_id', s.name) AS object,
       'it has no NOT NULL' AS evidence, format('ALTER TABLE %s ALTER COLUMN tenant_id SET NOT NULL', s.name) AS mend
  FROM iso_shared s
 WHERE s.tenant_attnum IS NOT NULL AND NOT s.attnotnull
