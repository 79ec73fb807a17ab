-- What hangs on functions and relations of no place: a trigger, a default, a policy, a view, a rule, a constraint, an index, a
-- function; at once, or by way of an operator, its class, a domain or a view of no place.
WITH RECURSIVE used (classid, objid, rootclass, root, depth) AS (
    SELECT 'pg_proc'::regclass::oid, f.oid, 'pg_proc'::regclass::oid, f.oid, 0
      FROM iso_loose f
     WHERE NOT f.is_extension AND NOT f.is_builtin
    UNION ALL
    SELECT 'pg_class'::regclass, r.oid, 'pg_class'::regclass, r.oid, 0 FROM iso_free r
    UNION
    SELECT coalesce(n.classid, d.classid), coalesce(n.objid, d.objid), u.rootclass, u.root, 1
      FROM used u
      JOIN pg_depend d ON d.refclassid = u.classid AND d.refobjid = u.objid AND d.deptype = 'n'
      -- The domain, the view or the operator class that the part is of; of what is in a place, the part itself is what counts.
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
              AND c.relnamespace NOT IN (SELECT p.nspoid FROM iso_place p)
           UNION ALL
           SELECT o.refclassid, o.refobjid
             FROM pg_depend o
            WHERE d.classid IN ('pg_amop'::regclass, 'pg_amproc'::regclass) AND o.classid = d.classid AND o.objid = d.objid
              AND o.refclassid = 'pg_opclass'::regclass AND o.deptype = 'i') n ON true
)
SELECT DISTINCT classid, objid, rootclass AS refclassid, root AS refobjid FROM used WHERE depth > 0
