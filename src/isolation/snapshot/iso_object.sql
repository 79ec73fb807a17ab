-- Everything of the schemas in one form: class, object, owner, rights (spelled out where they are the default), and what
-- people call it.
SELECT p.nspoid, 'pg_namespace'::regclass::oid AS classid, p.nspoid AS objid, 'schema' AS kind,
       p.nspowner AS owner, p.nspacl AS acl, format('%I', p.nspname) AS name
  FROM iso_place p
UNION ALL
SELECT p.nspoid, 'pg_class'::regclass, c.oid,
       CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence'
                      WHEN 'f' THEN 'foreign table' ELSE 'table' END,
       c.relowner, c.relacl, format('%I.%I', p.nspname, c.relname)
  FROM iso_relation c
  JOIN iso_place p USING (nspoid)
UNION ALL
SELECT p.nspoid, 'pg_proc'::regclass, f.oid,
       CASE f.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END,
       f.proowner, coalesce(f.proacl, acldefault('f', f.proowner)),
       format('%I.%I(%s)', p.nspname, f.proname,
              -- That of an ordered-set aggregate has ORDER BY, which only statements about aggregates know.
              CASE f.prokind WHEN 'a' THEN (SELECT oidvectortypes(x.proargtypes) FROM pg_proc x WHERE x.oid = f.oid)
                             ELSE pg_get_function_identity_arguments(f.oid) END)
  FROM iso_function f
  JOIN iso_place p USING (nspoid)
UNION ALL
SELECT p.nspoid, 'pg_type'::regclass, t.oid, 'type', t.typowner, coalesce(t.typacl, acldefault('T', t.typowner)),
       format('%I.%I', p.nspname, t.typname)
  FROM iso_type t
  JOIN iso_place p USING (nspoid)
