-- Domains, enumerations, composite and range types that somebody made as such.
SELECT p.nspoid, t.oid, t.typname, t.typowner, t.typacl, t.typtype
  FROM (SELECT x.nspoid, d.objid
          FROM iso_place x
          JOIN pg_depend d ON d.refclassid = 'pg_namespace'::regclass AND d.refobjid = x.nspoid
           AND d.classid = 'pg_type'::regclass AND d.deptype = 'n'
         WHERE x.nspname <> 'tenancy_kept'
        UNION ALL
        SELECT k.nspoid, k.objid FROM iso_kept k WHERE k.classid = 'pg_type'::regclass) p
  JOIN pg_type t ON t.oid = p.objid
 WHERE t.typtype IN ('c', 'd', 'e', 'r')
