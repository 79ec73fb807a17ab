-- Whose data is in there cannot be told.
WITH held AS (
    SELECT s.nspname, string_agg(DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END, ', ')
           AS holders
      FROM iso_common s
     CROSS JOIN LATERAL aclexplode(s.nspacl) a
     WHERE a.privilege_type = 'USAGE'
       AND (a.grantee = 0 OR a.grantee IN (SELECT o.oid FROM iso_own o) OR a.grantee IN (SELECT u.role FROM iso_reach u))
     GROUP BY s.nspname
)
SELECT NULL::uuid AS tenant_id, NULL::uuid AS other_id, format('schema %I', t.nspname) AS object,
       format('tenants may use what is in it: %s, things in all: %s', min(pg_describe_object(t.classid, t.objid, 0)), count(*))
       AS evidence,
       -- These are everybody's.
       CASE WHEN t.nspname NOT IN ('pg_catalog', 'information_schema', 'tenantry_ext')
            THEN format('REVOKE ALL ON SCHEMA %I FROM %s', t.nspname, min(h.holders)) END AS mend
  FROM iso_thing t
  JOIN held h USING (nspname)
 GROUP BY t.nspname
