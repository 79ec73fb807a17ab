-- Rights to make objects in schemas that are of no place, but for their owners'.
SELECT s.nspname, a.grantee
  FROM iso_common s
 CROSS JOIN LATERAL aclexplode(s.nspacl) a
 WHERE a.privilege_type = 'CREATE' AND a.grantee <> s.nspowner
