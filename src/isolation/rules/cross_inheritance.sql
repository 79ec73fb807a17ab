SELECT kt.id AS tenant_id, ft.id AS other_id, format('table %s', i.inhrelid::regclass) AS object,
       format('it is a child of %s', i.inhparent::regclass) AS evidence,
       CASE WHEN k.relispartition
            THEN format('ALTER TABLE %s DETACH PARTITION %s', i.inhparent::regclass, i.inhrelid::regclass)
            ELSE format('ALTER TABLE %s NO INHERIT %s', i.inhrelid::regclass, i.inhparent::regclass) END AS mend
  FROM iso_kin i
  JOIN pg_class k ON k.oid = i.inhrelid
  JOIN pg_class f ON f.oid = i.inhparent
  JOIN pg_namespace kn ON kn.oid = k.relnamespace
  JOIN pg_namespace fn ON fn.oid = f.relnamespace
  LEFT JOIN tenantry.places kp ON kp.schema_name = kn.nspname AND kp.tier = 'schema'
  LEFT JOIN tenantry.tenants kt ON kt.place_id = kp.id
  LEFT JOIN tenantry.places fp ON fp.schema_name = fn.nspname AND fp.tier = 'schema'
  LEFT JOIN tenantry.tenants ft ON ft.place_id = fp.id
 WHERE k.relkind IN ('r', 'p', 'f')
