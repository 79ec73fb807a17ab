SELECT NULL::uuid AS tenant_id, NULL::uuid AS other_id, format('table %s', c.oid::regclass) AS object,
       format('Tenantry did not make its %s', x.what) AS evidence, format('DROP %s ON %s', x.what, c.oid::regclass) AS mend
  FROM iso_relation c
  JOIN iso_place p USING (nspoid)
 CROSS JOIN LATERAL (
       SELECT format('TRIGGER %I', t.tgname) AS what
         FROM pg_trigger t
        WHERE t.tgrelid = c.oid AND NOT t.tgisinternal
          AND NOT (c.relname LIKE 'entries%' AND t.tgname IN ('append_only', 'no_truncate'))
       UNION ALL
       SELECT format('RULE %I', w.rulename) FROM pg_rewrite w WHERE w.ev_class = c.oid
       UNION ALL
       SELECT format('POLICY %I', y.polname) FROM pg_policy y WHERE y.polrelid = c.oid) x
 WHERE p.nspname = 'tenantry_audit' AND c.relkind IN ('r', 'p')
