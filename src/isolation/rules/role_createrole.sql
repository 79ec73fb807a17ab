SELECT o.tenant_id, NULL::uuid AS other_id, format('role %s', o.rolname) AS object,
       'it has CREATEROLE' AS evidence, format('ALTER ROLE %I NOCREATEROLE', o.rolname) AS mend
  FROM iso_power o
 WHERE o.rolcreaterole
