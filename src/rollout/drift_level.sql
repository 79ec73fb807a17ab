-- Which of the views and functions of one place stand on which: (kind, name, level, routine, is_held). 0 stands on nothing
-- of the place, or is a table; every other is above all that it needs. What the text of a body names is not known to
-- PostgreSQL.
-- routine: a function as statements name it, with the schema and its arguments' types, which name has not; or NULL.
-- is_held: something stands on it that is not in $3, or stands on what is held.
-- $1: the schema; $2: the name that stands for it in names (NULL: none), as in drift_mend.sql; $3: a JSON list of views and
-- functions that go ("view x"), or NULL.
WITH RECURSIVE object (class, oid, kind, name) AS MATERIALIZED (
    SELECT 'pg_class'::regclass::oid, c.oid,
           CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'table' END, c.relname::text
      FROM pg_namespace n
      JOIN pg_class c ON c.relnamespace = n.oid
     WHERE n.nspname = $1::text AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    UNION ALL
    SELECT 'pg_proc'::regclass::oid, f.oid, 'function', concat(f.proname, '(', pg_get_function_identity_arguments(f.oid), ')')
      FROM pg_namespace n
      JOIN pg_proc f ON f.pronamespace = n.oid
     WHERE n.nspname = $1
), named AS MATERIALIZED (
    SELECT class, oid, kind, CASE WHEN $2::text IS NULL THEN replace(replace(name, $1 || '.', ''), $1, '{schema}')
                                  ELSE replace(name, $1, $2) END AS name
      FROM object
), edge AS (
    SELECT o.class, o.oid, d.refclassid, d.refobjid
      FROM object o
      JOIN pg_rewrite w ON w.ev_class = o.oid AND w.rulename = '_RETURN'
      JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
     WHERE o.kind IN ('view', 'materialized view')
    UNION
    SELECT o.class, o.oid, d.refclassid, d.refobjid
      FROM object o
      JOIN pg_depend d ON d.classid = o.class AND d.objid = o.oid
     WHERE o.kind = 'function'
), need AS MATERIALIZED ( -- a row type, or an array of it, stands for its relation
    SELECT e.class, e.oid, o.class AS needed_class, o.oid AS needed
      FROM edge e
      LEFT JOIN pg_type t ON e.refclassid = 'pg_type'::regclass AND t.oid = e.refobjid
      LEFT JOIN pg_type element ON element.oid = t.typelem
      JOIN object o ON o.class = CASE WHEN t.oid IS NULL THEN e.refclassid ELSE 'pg_class'::regclass END
                   AND o.oid = CASE WHEN t.oid IS NULL THEN e.refobjid ELSE coalesce(nullif(t.typrelid, 0), element.typrelid) END
     WHERE (o.class, o.oid) <> (e.class, e.oid)
), climb AS (
    SELECT class, oid, 0 AS level FROM object
    UNION
    SELECT n.class, n.oid, b.level + 1
      FROM climb b
      JOIN need n ON n.needed_class = b.class AND n.needed = b.oid
     WHERE b.level < 100 -- CREATE OR REPLACE can close a circle
), used AS (
    SELECT o.class, o.oid -- by a policy, a default, a check, an index, ...
      FROM object o
      JOIN pg_depend d ON d.refclassid = o.class AND d.refobjid = o.oid AND d.deptype = 'n'
      LEFT JOIN pg_rewrite w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid
     WHERE d.classid <> 'pg_proc'::regclass AND w.rulename IS DISTINCT FROM '_RETURN'
    UNION
    SELECT n.needed_class, n.needed -- by a view or function that stays
      FROM need n
      JOIN named o ON o.class = n.class AND o.oid = n.oid
     WHERE concat(o.kind, ' ', o.name) NOT IN (SELECT json_array_elements_text($3::json))
), held AS (
    SELECT class, oid FROM used
    UNION
    SELECT n.needed_class, n.needed
      FROM held h
      JOIN need n ON n.class = h.class AND n.oid = h.oid
)
SELECT o.kind, o.name, max(b.level), CASE o.kind WHEN 'function' THEN o.oid::regprocedure::text END,
       EXISTS (SELECT FROM held h WHERE h.class = o.class AND h.oid = o.oid)
  FROM named o
  JOIN climb b USING (class, oid)
 WHERE o.kind <> 'table'
 GROUP BY o.class, o.oid, o.kind, o.name
