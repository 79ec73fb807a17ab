-- What tenants may use in schemas that are of no place. Extensions' own things are left out, and what initdb made.
WITH all_of (role) AS (
    SELECT 0::oid UNION ALL SELECT o.oid FROM iso_own o UNION ALL SELECT u.role FROM iso_reach u
), open AS MATERIALIZED ( -- few: what is in them is looked up by its dependency
    SELECT s.nspoid, s.nspname, s.nspowner
      FROM iso_common s
     WHERE s.nspname NOT IN ('pg_catalog', 'information_schema')
       AND EXISTS (SELECT FROM aclexplode(s.nspacl) a
                    WHERE a.privilege_type = 'USAGE' AND a.grantee IN (SELECT role FROM all_of))
), thing AS (
    SELECT o.nspname, d.classid, d.objid,
           coalesce(c.relacl, f.proacl, CASE WHEN f.oid IS NOT NULL THEN acldefault('f', f.proowner) END) AS acl
      FROM open o
      JOIN pg_depend d ON d.refclassid = 'pg_namespace'::regclass AND d.refobjid = o.nspoid AND d.deptype = 'n'
      LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
      LEFT JOIN pg_proc f ON d.classid = 'pg_proc'::regclass AND f.oid = d.objid
     WHERE (c.oid IS NOT NULL OR f.oid IS NOT NULL)
       AND NOT EXISTS (SELECT FROM pg_depend e
                        WHERE e.classid = d.classid AND e.objid = d.objid AND e.deptype = 'e')
)
SELECT t.nspname, t.classid, t.objid
  FROM thing t
 WHERE EXISTS (SELECT FROM aclexplode(t.acl) a WHERE a.grantee IN (SELECT role FROM all_of))
