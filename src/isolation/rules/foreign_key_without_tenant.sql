SELECT NULL::uuid AS tenant_id, NULL::uuid AS other_id, format('constraint %I on %s', k.conname, s.name) AS object,
       format('it refers to %s without tenant_id', r.name) AS evidence,
       format('ALTER TABLE %s DROP CONSTRAINT %I', s.name, k.conname) AS mend
  FROM iso_shared s
  JOIN pg_constraint k ON k.conrelid = s.oid AND k.contype = 'f'
  JOIN iso_shared r ON r.oid = k.confrelid AND r.tenant_attnum IS NOT NULL
 WHERE s.tenant_attnum IS NULL
    OR NOT EXISTS (SELECT FROM generate_subscripts(k.conkey, 1) n
                    WHERE k.conkey[n] = s.tenant_attnum AND k.confkey[n] = r.tenant_attnum)
