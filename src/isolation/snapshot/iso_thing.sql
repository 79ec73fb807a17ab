-- What tenants may use in schemas that are of no place, PostgreSQL's own among them. Extensions' own things are left out, and
-- what initdb made.
WITH all_of (role) AS (
    SELECT 0::oid UNION ALL SELECT o.oid FROM iso_own o UNION ALL SELECT u.role FROM iso_reach u
), thing AS (
    SELECT r.relnamespace AS nspoid, 'pg_class'::regclass::oid AS classid, r.oid AS objid, r.relacl AS acl FROM iso_free r
    UNION ALL
    SELECT r.relnamespace, 'pg_class'::regclass, r.oid, c.attacl -- OFFSET: by index, not the columns of the fleet
      FROM iso_free r
     CROSS JOIN LATERAL (SELECT x.attacl FROM pg_attribute x WHERE x.attrelid = r.oid AND x.attacl IS NOT NULL OFFSET 0) c
    UNION ALL
    SELECT f.pronamespace, 'pg_proc'::regclass, f.oid, f.proacl FROM iso_loose f WHERE NOT f.is_extension AND NOT f.is_builtin
)
SELECT DISTINCT s.nspname, t.classid, t.objid
  FROM thing t
  JOIN iso_common s USING (nspoid)
 WHERE EXISTS (SELECT FROM aclexplode(t.acl) a WHERE a.grantee IN (SELECT role FROM all_of))
   AND EXISTS (SELECT FROM aclexplode(s.nspacl) a WHERE a.privilege_type = 'USAGE' AND a.grantee IN (SELECT role FROM all_of))
