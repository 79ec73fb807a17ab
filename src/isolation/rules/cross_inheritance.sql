SELECT p.tenant_id, t.id AS other_id, format('table %s', i.inhrelid::regclass) AS object,
       format('it is a child of %s', i.inhparent::regclass) AS evidence,
       CASE WHEN k.relispartition THEN format('ALTER TABLE %s DETACH PARTITION %s', i.inhparent::regclass, i.inhrelid::regclass)
            ELSE format('ALTER TABLE %s NO INHERIT %s', i.inhrelid::regclass, i.inhparent::regclass) END AS mend
  FROM (SELECT c.nspoid, i.inhrelid, i.inhparent FROM iso_relation c JOIN pg_inherits i ON i.inhrelid = c.oid
        UNION
        SELECT c.nspoid, i.inhrelid, i.inhparent FROM iso_relation c JOIN pg_inherits i ON i.inhparent = c.oid) i
  JOIN iso_place p USING (nspoid)
  JOIN pg_class k ON k.oid = i.inhrelid
  JOIN pg_class f ON f.oid = i.inhparent
  JOIN pg_namespace n ON n.oid = CASE WHEN k.relnamespace = i.nspoid THEN f.relnamespace ELSE k.relnamespace END
  LEFT JOIN tenantry.places q ON q.schema_name = n.nspname AND q.tier = 'schema'
  LEFT JOIN tenantry.tenants t ON t.place_id = q.id
 WHERE k.relnamespace <> f.relnamespace
