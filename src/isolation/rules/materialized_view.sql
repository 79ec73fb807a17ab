SELECT NULL::uuid AS tenant_id, NULL::uuid AS other_id, format('materialized view %I.%I', p.nspname, c.relname) AS object,
       'policies do not hold it' AS evidence,
       format('DROP MATERIALIZED VIEW %I.%I', p.nspname, c.relname) AS mend
  FROM iso_relation c
  JOIN iso_place p USING (nspoid)
 WHERE p.kind = 'row' AND c.relkind = 'm'
