-- Dependencies of the tenant's things on others' and of others on them: the other side is not in the snapshot of one
-- tenant. What stays within a schema is left out here, so that nothing is left where all is well. OFFSET: by index from each
-- thing, not all dependencies of the fleet held against these few.
SELECT p.classid, p.objid, d.refclassid, d.refobjid
  FROM iso_part p
 CROSS JOIN LATERAL (
       SELECT x.refclassid, x.refobjid FROM pg_depend x
        WHERE x.classid = p.classid AND x.objid = p.objid AND x.deptype = 'n' AND x.refobjid >= 16384
          AND x.refclassid IN ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_type'::regclass) OFFSET 0) d
 WHERE (p.nspoid, d.refclassid, d.refobjid) NOT IN (SELECT o.nspoid, o.classid, o.objid FROM iso_object o)
   AND (d.refclassid, d.refobjid) NOT IN (SELECT o.classid, o.objid
                                            FROM iso_object o JOIN iso_place s USING (nspoid) WHERE s.nspname = 'tenancy')
   -- Indexes, row types and arrays are no objects of their own. What is in the schema of extensions is for all.
   AND NOT (d.refclassid = 'pg_class'::regclass
            AND EXISTS (SELECT FROM pg_class c
                         WHERE c.oid = d.refobjid AND c.relnamespace IN (p.nspoid, to_regnamespace('tenantry_ext'))))
   AND NOT (d.refclassid = 'pg_type'::regclass
            AND EXISTS (SELECT FROM pg_type t
                         WHERE t.oid = d.refobjid AND t.typnamespace IN (p.nspoid, to_regnamespace('tenantry_ext'))))
   AND NOT (d.refclassid = 'pg_proc'::regclass
            AND EXISTS (SELECT FROM pg_proc f
                         WHERE f.oid = d.refobjid AND f.pronamespace = to_regnamespace('tenantry_ext')))
UNION
SELECT d.classid, d.objid, d.refclassid, d.refobjid
  FROM iso_place p
  JOIN (SELECT o.nspoid, o.classid, o.objid FROM iso_object o WHERE o.classid <> 'pg_namespace'::regclass
        UNION ALL -- the types that come with them: of rows, of several ranges, of arrays
        SELECT k.nspoid, 'pg_type'::regclass, a.oid
          FROM (SELECT c.nspoid, c.reltype AS oid FROM iso_relation c
                UNION ALL
                SELECT t.nspoid, t.oid FROM iso_type t
                UNION ALL
                SELECT t.nspoid, g.oid
                  FROM iso_type t
                 CROSS JOIN LATERAL (SELECT x.rngmultitypid AS oid FROM pg_range x WHERE x.rngtypid = t.oid OFFSET 0) g) k
         CROSS JOIN LATERAL (SELECT x.oid, x.typarray FROM pg_type x WHERE x.oid = k.oid OFFSET 0) y
         CROSS JOIN LATERAL (VALUES (y.oid), (y.typarray)) a (oid)) o USING (nspoid)
 CROSS JOIN LATERAL (
       SELECT x.classid, x.objid, x.refclassid, x.refobjid FROM pg_depend x
        WHERE x.refclassid = o.classid AND x.refobjid = o.objid AND x.deptype = 'n' OFFSET 0) d
 WHERE p.nspname <> 'tenancy'
   AND (o.nspoid, d.classid, d.objid) NOT IN (SELECT a.nspoid, a.classid, a.objid FROM iso_part a)
