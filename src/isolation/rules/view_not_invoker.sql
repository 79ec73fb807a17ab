SELECT NULL::uuid AS tenant_id, NULL::uuid AS other_id, format('view %I.%I', p.nspname, c.relname) AS object,
       'it has no security_invoker' AS evidence,
       format('ALTER VIEW %I.%I SET (security_invoker = true)', p.nspname, c.relname) AS mend
  FROM iso_relation c
  JOIN iso_place p USING (nspoid)
 WHERE p.kind = 'row' AND c.relkind = 'v'
   AND NOT EXISTS (SELECT FROM unnest(c.reloptions) o (option)
                    WHERE split_part(o.option, '=', 1) = 'security_invoker'
                      AND lower(split_part(o.option, '=', 2)) IN ('true', 'on', 'yes', '1', 't', 'y'))
