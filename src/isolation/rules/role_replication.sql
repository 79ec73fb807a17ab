SELECT o.tenant_id, NULL::uuid AS other_id, format('role %s', o.rolname) AS object,
       'it has REPLICATION' AS evidence, format('ALTER ROLE %I NOREPLICATION', o.rolname) AS mend
  FROM iso_power o
 WHERE o.rolreplication
