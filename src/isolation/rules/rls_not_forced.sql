SELECT NULL::uuid AS tenant_id, NULL::uuid AS other_id, format('table %s', s.name) AS object,
       'row-level security does not hold the owner' AS evidence,
       format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', s.name) AS mend
  FROM iso_shared s
 WHERE s.tenant_attnum IS NOT NULL AND NOT s.relforcerowsecurity
