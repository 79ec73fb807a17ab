SELECT p.tenant_id, NULL::uuid AS other_id, format('foreign table %I.%I', p.nspname, c.relname) AS object,
       'its rows come from another server' AS evidence,
       format('DROP FOREIGN TABLE %I.%I', p.nspname, c.relname) AS mend
  FROM iso_relation c
  JOIN iso_place p USING (nspoid)
 WHERE c.relkind = 'f'
