-- Judged by definer.c, which makes the evidence of the body. A function that one with its owner's rights calls has them too,
-- and so has the trigger of a table that it writes.
-- What has no tenant_id is written for all where tenants read it, or the manifest says that its rows are all's; the rest is
-- read by such code alone, by way of a view too, and nothing tells there whose a row is.
WITH RECURSIVE loose AS (
    SELECT s.nspoid, s.oid, s.relname,
           coalesce(has_any_column_privilege(p.app, s.oid, 'SELECT')
                    OR has_any_column_privilege(p.readonly, s.oid, 'SELECT'), false) AS is_read,
           EXISTS (SELECT FROM tenantry.places l
                     JOIN tenantry.blueprint_versions v ON v.blueprint = l.blueprint AND v.version = l.version,
                          LATERAL json_array_elements_text(v.head -> 'shared') h (name)
                     JOIN pg_class top ON top.oid = coalesce(pg_partition_root(s.oid), s.oid)
                    WHERE l.schema_name = p.nspname AND h.name = top.relname) AS is_shared
      FROM iso_shared s
      JOIN iso_place p USING (nspoid)
     WHERE s.tenant_attnum IS NULL
), hidden (nspoid, oid, relname) AS (
    SELECT l.nspoid, l.oid, l.relname FROM loose l WHERE NOT l.is_read AND NOT l.is_shared
    UNION
    SELECT c.nspoid, c.oid, c.relname FROM iso_row r JOIN iso_relation c USING (nspoid) WHERE c.relkind = 'S'
    UNION
    SELECT c.nspoid, c.oid, c.relname
      FROM hidden h
      JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = h.oid AND d.classid = 'pg_rewrite'::regclass
      JOIN pg_rewrite w ON w.oid = d.objid AND w.ev_type = '1'
      JOIN iso_relation c ON c.nspoid = h.nspoid AND c.oid = w.ev_class
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
        OR f.oid IN (SELECT g.tgfoid
                       FROM iso_relation r
                       JOIN pg_trigger g ON g.tgrelid = r.oid AND NOT g.tgisinternal
                      WHERE r.nspoid = c.nspoid AND strpos(lower(c.text), lower(r.relname)) > 0)
)
SELECT NULL::uuid AS tenant_id, NULL::uuid AS other_id, x.object,
       jsonb_build_object('schema', p.nspname, 'language', x.language, 'source', x.source, 'definition', x.definition,
                          'open', (SELECT coalesce(jsonb_agg(o.relname), '[]') FROM loose o
                                    WHERE o.nspoid = x.nspoid AND (o.is_read OR o.is_shared)),
                          'hidden', (SELECT coalesce(jsonb_agg(h.relname), '[]') FROM hidden h
                                      WHERE h.nspoid = x.nspoid)) AS evidence,
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
