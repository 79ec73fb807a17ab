SELECT o.tenant_id, NULL::uuid AS other_id, format('role %s', o.rolname) AS object,
       'it has BYPASSRLS' AS evidence, format('ALTER ROLE %I NOBYPASSRLS', o.rolname) AS mend
  FROM iso_power o
 WHERE o.rolbypassrls
