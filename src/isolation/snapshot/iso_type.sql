-- Domains, enumerations, composite and range types that somebody made as such.
SELECT p.nspoid, t.oid, t.typname, t.typowner, t.typacl, t.typtype
  FROM iso_in p
  JOIN pg_type t ON p.classid = 'pg_type'::regclass AND t.oid = p.objid
 WHERE t.typtype IN ('c', 'd', 'e', 'r')
