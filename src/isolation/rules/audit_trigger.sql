-- Every partition has them too. What refuse() does is control_function's.
SELECT NULL::uuid AS tenant_id, NULL::uuid AS other_id, format('table %s', c.oid::regclass) AS object,
       format('trigger %s is missing, off or another', w.name) AS evidence,
       CASE WHEN t.oid IS NOT NULL AND t.tgenabled NOT IN ('O', 'A')
            THEN format('ALTER TABLE %s ENABLE TRIGGER %I', c.oid::regclass, w.name) END AS mend
  FROM iso_relation c
  JOIN iso_place p USING (nspoid)
 -- Before each row that is updated or deleted; before a statement that truncates.
 CROSS JOIN (VALUES ('append_only', 27), ('no_truncate', 34)) w (name, type)
  LEFT JOIN pg_trigger t ON t.tgrelid = c.oid AND t.tgname = w.name
 WHERE p.nspname = 'tenantry_audit' AND c.relkind IN ('r', 'p') AND c.relname LIKE 'entries%'
   AND (t.oid IS NULL OR t.tgenabled NOT IN ('O', 'A') OR t.tgtype <> w.type OR t.tgqual IS NOT NULL OR t.tgattr <> ''
        OR t.tgfoid IS DISTINCT FROM to_regprocedure('tenantry_audit.refuse()'))
