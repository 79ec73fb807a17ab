-- Rights that need looking into.
SELECT a.objid FROM iso_acl a
UNION ALL
SELECT s.objid FROM iso_outside s WHERE s.deptype = 'a'
