-- Tables, partitions, views, sequences and the like.
SELECT p.nspoid, c.oid, c.relname, c.relkind, c.relowner, c.relacl, c.relrowsecurity, c.relforcerowsecurity,
       c.relispartition, c.reloptions, c.reltype
  FROM iso_in p
  JOIN pg_class c ON p.classid = 'pg_class'::regclass AND c.oid = p.objid
 WHERE c.relkind <> 'c'
