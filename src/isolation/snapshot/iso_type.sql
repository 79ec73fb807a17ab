-- Domains, enumerations, composite and range types that somebody made as such.
SELECT p.nspoid, t.oid, t.typname, t.typowner, t.typacl, t.typtype
  FROM iso_place p
  JOIN pg_depend d ON d.refclassid = 'pg_namespace'::regclass AND d.refobjid = p.nspoid
   AND d.classid = 'pg_type'::regclass AND d.deptype = 'n'
  JOIN pg_type t ON t.oid = d.objid
 WHERE t.typtype IN ('c', 'd', 'e', 'r')
