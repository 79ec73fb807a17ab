-- Dependencies on things of the schemas, and on the types that come with them: of rows, of several ranges, of arrays. With
-- every tenant at hand, what uses another's is found from the other's side. Schema `tenancy` is there for all to use, so it is
-- left out.
WITH kind (nspoid, oid) AS (
    SELECT c.nspoid, c.reltype FROM iso_relation c
    UNION ALL
    SELECT t.nspoid, t.oid FROM iso_type t
    UNION ALL
    SELECT t.nspoid, g.rngmultitypid FROM iso_type t JOIN pg_range g ON g.rngtypid = t.oid
), used (nspoid, classid, objid) AS (
    SELECT o.nspoid, o.classid, o.objid FROM iso_object o WHERE o.classid <> 'pg_namespace'::regclass
    UNION ALL
    SELECT k.nspoid, 'pg_type'::regclass, a.oid
      FROM kind k
      JOIN pg_type y ON y.oid = k.oid
     CROSS JOIN LATERAL (VALUES (y.oid), (y.typarray)) a (oid)
)
SELECT DISTINCT d.classid, d.objid, d.refclassid, d.refobjid
  FROM iso_place p
  JOIN used u USING (nspoid)
  JOIN pg_depend d ON d.refclassid = u.classid AND d.refobjid = u.objid AND d.deptype = 'n'
 WHERE p.nspname <> 'tenancy'
