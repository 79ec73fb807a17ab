-- Judged by definer.c, which makes the evidence of the body. A function that one with its owner's rights calls has them too.
WITH RECURSIVE open AS (
    SELECT s.nspoid, jsonb_agg(s.relname) AS names
      FROM iso_shared s
      JOIN iso_place p USING (nspoid)
     WHERE s.tenant_attnum IS NULL
       AND (has_any_column_privilege(p.app, s.oid, 'SELECT') OR has_any_column_privilege(p.readonly, s.oid, 'SELECT'))
     GROUP BY s.nspoid
), code (nspoid, oid, text) AS (
    SELECT c.nspoid, c.funcid, concat(s.prosrc, pg_get_function_sqlbody(s.oid))
      FROM iso_code c
      JOIN pg_proc s ON s.oid = c.funcid
    UNION
    SELECT f.nspoid, f.oid, concat(s.prosrc, pg_get_function_sqlbody(s.oid))
      FROM code c
      JOIN iso_function f USING (nspoid)
      JOIN pg_proc s ON s.oid = f.oid
     WHERE strpos(lower(c.text), lower(f.proname)) > 0
)
SELECT NULL::uuid AS tenant_id, NULL::uuid AS other_id, x.object,
       jsonb_build_object('schema', p.nspname, 'language', x.language, 'source', x.source, 'definition', x.definition,
                          'open', coalesce(o.names, '[]')) AS evidence,
       x.mend
  FROM (SELECT c.nspoid, format('function %s', f.oid::regprocedure) AS object, l.lanname AS language, f.prosrc AS source,
               CASE WHEN l.lanname IN ('sql', 'plpgsql') THEN pg_get_functiondef(f.oid) END AS definition,
               CASE WHEN f.prosecdef THEN format('ALTER ROUTINE %s SECURITY INVOKER', f.oid::regprocedure) END AS mend
          FROM code c
          JOIN pg_proc f ON f.oid = c.oid
          JOIN pg_language l ON l.oid = f.prolang
         WHERE f.prokind IN ('f', 'p')
        UNION ALL
        SELECT c.nspoid, format('rule %I on %s', w.rulename, w.ev_class::regclass), 'sql', '', pg_get_ruledef(w.oid),
               format('DROP RULE %I ON %s', w.rulename, w.ev_class::regclass)
          FROM iso_code c
          JOIN pg_rewrite w ON w.oid = c.ruleid) x
  JOIN iso_place p USING (nspoid)
  LEFT JOIN open o USING (nspoid)
