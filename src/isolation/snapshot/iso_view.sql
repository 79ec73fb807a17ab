-- Views of PostgreSQL's own that are not as initdb makes them, and those two that initdb made without asking for rights until
-- the minor versions that mend CVE-2024-4317 (no update changes what initdb made). initdb writes a view's query in the
-- transaction of its row type, and the two rules of pg_settings right after; whoever changes a query leaves the row type
-- alone. PostgreSQL's script that mends the two is no change: the condition that it puts at their end is known.
SELECT c.oid, s.is_open
  FROM pg_rewrite w
 CROSS JOIN LATERAL (SELECT x.oid, x.relname, x.relowner, x.reltype, x.reloptions
                       FROM pg_class x WHERE x.oid = w.ev_class OFFSET 0) c
 CROSS JOIN LATERAL (SELECT x.xmin::text::bigint AS made FROM pg_type x WHERE x.oid = c.reltype OFFSET 0) t
 CROSS JOIN LATERAL (SELECT c.relname IN ('pg_stats_ext', 'pg_stats_ext_exprs') AS is_mendable) m
 CROSS JOIN LATERAL (
       SELECT m.is_mendable
              AND w.ev_action::text NOT LIKE '%:funcid ' || 'pg_has_role(oid,text)'::regprocedure::oid || ' %' AS is_open) s
 WHERE w.ev_class < 16384
   AND (s.is_open OR c.relowner <> 10 OR w.oid >= 16384
        -- Without it, functions of whoever reads see the rows that the view's conditions keep back.
        OR (c.relname IN ('pg_stats', 'pg_stats_ext', 'pg_stats_ext_exprs')
            AND 'security_barrier=true' <> ALL (coalesce(c.reloptions, '{}')))
        OR (w.xmin::text::bigint NOT BETWEEN t.made AND t.made + 2
            AND NOT (m.is_mendable
                     AND pg_get_viewdef(c.oid) LIKE '%WHERE (pg\_has\_role(c.relowner, ''USAGE''::text) AND'
                                                    ' ((c.relrowsecurity = false) OR (NOT row\_security\_active(c.oid))));')))
