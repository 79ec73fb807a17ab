SELECT o.tenant_id, NULL::uuid AS other_id, format('role %s', o.rolname) AS object,
       'it has CREATEDB' AS evidence, format('ALTER ROLE %I NOCREATEDB', o.rolname) AS mend
  FROM iso_power o
 WHERE o.rolcreatedb
