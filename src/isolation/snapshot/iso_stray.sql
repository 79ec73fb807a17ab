-- What hangs on those functions: a trigger, a default, a policy, a view, a constraint, a function; at once, or by way of an
-- operator, a domain or a view of no place.
WITH RECURSIVE used (classid, objid, root, depth) AS (
    SELECT 'pg_proc'::regclass::oid, f.oid, f.oid, 0 FROM iso_loose f WHERE NOT f.is_extension AND NOT f.is_builtin
    UNION
    SELECT coalesce(n.classid, d.classid), coalesce(n.objid, d.objid), u.root, 1
      FROM used u
      JOIN pg_depend d ON d.refclassid = u.classid AND d.refobjid = u.objid AND d.deptype = 'n'
      -- The domain or the view that the part is of; of what is in a place, the part itself is what counts.
      LEFT JOIN LATERAL (
           SELECT 'pg_type'::regclass::oid AS classid, k.contypid AS objid
             FROM pg_constraint k
             JOIN pg_type t ON t.oid = k.contypid
            WHERE d.classid = 'pg_constraint'::regclass AND k.oid = d.objid
              AND t.typnamespace NOT IN (SELECT p.nspoid FROM iso_place p)
           UNION ALL
           SELECT 'pg_class'::regclass, w.ev_class
             FROM pg_rewrite w
             JOIN pg_class c ON c.oid = w.ev_class
            WHERE d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid AND c.relkind IN ('v', 'm')
              AND c.relnamespace NOT IN (SELECT p.nspoid FROM iso_place p)) n ON true
)
SELECT DISTINCT classid, objid, root AS refobjid FROM used WHERE depth > 0
