-- Tables, views and sequences in those schemas that are of no place, no extension (iso_loose says how that is told; numbers
-- of relations outlive an upgrade of the server) and not of initdb.
SELECT c.oid, c.relnamespace, c.relkind, c.relacl
  FROM (SELECT d.objid AS oid
          FROM iso_common s
         CROSS JOIN LATERAL (SELECT x.objid FROM pg_depend x
                              WHERE x.refclassid = 'pg_namespace'::regclass AND x.refobjid = s.nspoid
                                AND x.classid = 'pg_class'::regclass AND x.deptype = 'n' AND x.objid >= 16384 OFFSET 0) d
        UNION ALL
        SELECT b.oid FROM iso_buried b) f
  JOIN pg_class c ON c.oid = f.oid
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
   AND NOT EXISTS (SELECT
                     FROM pg_depend e
                     JOIN pg_extension x ON x.oid = e.refobjid AND x.oid >= 16384
                    WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e'
                      AND (c.relowner IN (10, x.extowner)
                           OR EXISTS (SELECT FROM pg_roles r WHERE r.oid = c.relowner AND r.rolsuper)))
