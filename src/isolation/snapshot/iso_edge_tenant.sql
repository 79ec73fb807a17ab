-- Dependencies of the tenant's things on others' and of others on them: the other side is not in the snapshot of one
-- tenant. What stays within a schema is left out here, so that nothing is left where all is well.
SELECT p.classid, p.objid, d.refclassid, d.refobjid
  FROM iso_part p
  JOIN pg_depend d ON d.classid = p.classid AND d.objid = p.objid AND d.deptype = 'n'
 WHERE d.refclassid IN ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_type'::regclass) AND d.refobjid >= 16384
   AND (p.nspoid, d.refclassid, d.refobjid) NOT IN (SELECT o.nspoid, o.classid, o.objid FROM iso_object o)
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
  JOIN iso_object o USING (nspoid)
  JOIN pg_depend d ON d.refclassid = o.classid AND d.refobjid = o.objid AND d.deptype = 'n'
 WHERE o.classid <> 'pg_namespace'::regclass AND p.nspname <> 'tenancy'
   AND (o.nspoid, d.classid, d.objid) NOT IN (SELECT a.nspoid, a.classid, a.objid FROM iso_part a)
