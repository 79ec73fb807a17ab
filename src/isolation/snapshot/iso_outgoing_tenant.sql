-- What the tenant's things use, whoever's that is: the other side is not in the snapshot of one tenant. Only what is in
-- a schema and not PostgreSQL's own.
WITH part (classid, objid) AS (
    SELECT o.classid, o.objid FROM iso_object o WHERE o.classid <> 'pg_namespace'::regclass
    UNION ALL
    SELECT 'pg_rewrite'::regclass, w.oid FROM iso_relation c JOIN pg_rewrite w ON w.ev_class = c.oid
    UNION ALL
    SELECT 'pg_trigger'::regclass, g.oid FROM iso_relation c JOIN pg_trigger g ON g.tgrelid = c.oid AND NOT g.tgisinternal
    UNION ALL
    SELECT 'pg_constraint'::regclass, k.oid FROM iso_relation c JOIN pg_constraint k ON k.conrelid = c.oid
    UNION ALL
    SELECT 'pg_attrdef'::regclass, f.oid FROM iso_relation c JOIN pg_attrdef f ON f.adrelid = c.oid
    UNION ALL
    SELECT 'pg_policy'::regclass, y.oid FROM iso_relation c JOIN pg_policy y ON y.polrelid = c.oid
     WHERE y.polname <> 'tenant_guard'
)
SELECT d.classid, d.objid, d.refclassid, d.refobjid
  FROM part p
  JOIN pg_depend d ON d.classid = p.classid AND d.objid = p.objid AND d.deptype = 'n'
 WHERE d.refclassid IN ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_type'::regclass) AND d.refobjid >= 16384
