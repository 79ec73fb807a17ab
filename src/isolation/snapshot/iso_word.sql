-- Names of other places, which are random words, in what has no dependency on them: texts and settings of functions, arguments
-- of triggers, constants in views, rules, defaults and policies. A stored tree has a constant as the numbers of its bytes, so
-- these are looked for, by their beginning first: a search for a pattern, and spelling a tree out, take much longer. There are
-- most of checks and of expressions of indexes, and PostgreSQL takes them to call nothing that looks into tables.
WITH own AS (
    SELECT c.nspoid, c.oid FROM iso_relation c JOIN iso_place p USING (nspoid) WHERE p.kind <> 'control'
), tree (nspoid, classid, objid, tree) AS (
    SELECT c.nspoid, 'pg_rewrite'::regclass::oid, w.oid, concat(w.ev_qual, w.ev_action)
      FROM own c JOIN pg_rewrite w ON w.ev_class = c.oid
    UNION ALL
    SELECT c.nspoid, 'pg_attrdef'::regclass, f.oid, f.adbin::text FROM own c JOIN pg_attrdef f ON f.adrelid = c.oid
    UNION ALL
    -- Without "t_i": Tenantry's own have 'app.current_tenant_id', and no name of a place has that.
    SELECT c.nspoid, 'pg_policy'::regclass, y.oid, replace(concat(y.polqual, y.polwithcheck), '116 95 105 ', '')
      FROM own c JOIN pg_policy y ON y.polrelid = c.oid
    UNION ALL
    SELECT f.nspoid, 'pg_proc'::regclass, s.oid, s.prosqlbody::text
      FROM iso_function f JOIN pg_proc s ON s.oid = f.oid WHERE s.prosqlbody IS NOT NULL
), written (nspoid, classid, objid, text) AS (
    SELECT f.nspoid, 'pg_proc'::regclass::oid, f.oid, concat(s.prosrc, ' ', s.proconfig)
      FROM iso_function f JOIN pg_proc s ON s.oid = f.oid
    UNION ALL
    SELECT c.nspoid, 'pg_trigger'::regclass, g.oid, regexp_replace(encode(g.tgargs, 'escape'), '\\\d{3}', ' ', 'g')
      FROM own c JOIN pg_trigger g ON g.tgrelid = c.oid AND g.tgnargs > 0
    UNION ALL
    SELECT t.nspoid, t.classid, t.objid,
           (SELECT string_agg(chr(b.byte::int), '' ORDER BY b.at)
              FROM regexp_split_to_table(m.found[1], ' ') WITH ORDINALITY b (byte, at))
      FROM tree t
     CROSS JOIN LATERAL regexp_matches(
           t.tree, '((?:116 101 110 97 110 116|115 104 97 114 101 100) 95(?: (?:4[89]|5[0-7]|9[7-9]|10[0-2])){12})', 'g') m (found)
     WHERE strpos(t.tree, '116 101 110 97 110 116 95 ') > 0 OR strpos(t.tree, '115 104 97 114 101 100 95 ') > 0
)
SELECT DISTINCT x.classid, x.objid, p.nspname, p.tenant_id, m.found[1]::name AS word
  FROM written x
  JOIN iso_place p USING (nspoid)
 CROSS JOIN LATERAL regexp_matches(x.text, '\m((?:tenant|shared)_[0-9a-f]{12})(?=\M|_)', 'g') m (found)
 WHERE p.kind <> 'control' AND m.found[1] <> p.nspname
