-- An exclusion holds rows of one tenant against each other only where it compares tenant_id with =.
SELECT NULL::uuid AS tenant_id, NULL::uuid AS other_id, format('index %s', i.indexrelid::regclass) AS object,
       format('it is unique over all tenants of %s', s.name) AS evidence, NULL::text AS mend
  FROM iso_shared s
  JOIN pg_index i ON i.indrelid = s.oid AND (i.indisunique OR i.indisexclusion)
 WHERE s.tenant_attnum IS NOT NULL
   AND NOT EXISTS (SELECT FROM generate_series(0, i.indnkeyatts - 1) k
                    WHERE i.indkey[k] = s.tenant_attnum
                      AND (NOT i.indisexclusion
                           OR EXISTS (SELECT FROM pg_constraint x
                                       WHERE x.conrelid = s.oid AND x.conindid = i.indexrelid
                                         AND x.conexclop[k + 1] = 'pg_catalog.=(uuid,uuid)'::regoperator)))
