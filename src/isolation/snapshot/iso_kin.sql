-- Tables that inherit from, or are partitions of, tables of another schema.
SELECT n.inhrelid, n.inhparent
  FROM iso_relation c
  JOIN pg_inherits n ON n.inhrelid = c.oid
  JOIN pg_class o ON o.oid = n.inhparent
 WHERE o.relnamespace <> c.nspoid
UNION
SELECT n.inhrelid, n.inhparent
  FROM iso_relation c
  JOIN pg_inherits n ON n.inhparent = c.oid
  JOIN pg_class o ON o.oid = n.inhrelid
 WHERE o.relnamespace <> c.nspoid
