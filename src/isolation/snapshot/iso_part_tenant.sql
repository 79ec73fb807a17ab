-- What depends on other things in the name of the tenant's things: they themselves, and their rules, triggers,
-- constraints, defaults, policies and computed indexes.
SELECT o.nspoid, o.classid, o.objid FROM iso_object o WHERE o.classid <> 'pg_namespace'::regclass
UNION ALL
SELECT c.nspoid, 'pg_rewrite'::regclass, w.oid FROM iso_relation c JOIN pg_rewrite w ON w.ev_class = c.oid
UNION ALL
SELECT c.nspoid, 'pg_trigger'::regclass, g.oid
  FROM iso_relation c JOIN pg_trigger g ON g.tgrelid = c.oid AND NOT g.tgisinternal
UNION ALL
SELECT c.nspoid, 'pg_constraint'::regclass, k.oid FROM iso_relation c JOIN pg_constraint k ON k.conrelid = c.oid
UNION ALL
SELECT c.nspoid, 'pg_attrdef'::regclass, f.oid FROM iso_relation c JOIN pg_attrdef f ON f.adrelid = c.oid
UNION ALL
SELECT c.nspoid, 'pg_policy'::regclass, y.oid
  FROM iso_relation c JOIN pg_policy y ON y.polrelid = c.oid
UNION ALL
SELECT t.nspoid, 'pg_constraint'::regclass, k.oid -- most constraints have no type, so it looks as if a type had very many
  FROM pg_constraint k
  JOIN iso_type t ON t.oid = k.contypid
 WHERE k.contypid = ANY (ARRAY(SELECT x.oid FROM iso_type x))
UNION ALL
SELECT c.nspoid, 'pg_class'::regclass, i.indexrelid
  FROM iso_relation c
  JOIN pg_index i ON i.indrelid = c.oid
 WHERE i.indexprs IS NOT NULL OR i.indpred IS NOT NULL
