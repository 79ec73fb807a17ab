-- Large objects of tenants' roles and those that they may use, and whosoever's that PUBLIC may use: rights of PUBLIC are in
-- no index, so the ones with rights are read.
SELECT s.objid FROM iso_outside s WHERE s.classid = 'pg_largeobject'::regclass
UNION
SELECT l.oid
  FROM pg_largeobject_metadata l
 WHERE l.lomacl IS NOT NULL AND EXISTS (SELECT FROM aclexplode(l.lomacl) a WHERE a.grantee = 0)
