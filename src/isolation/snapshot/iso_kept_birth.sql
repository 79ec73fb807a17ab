-- Of that only what the tenant's roles, the group of all tenants and the roles that these are in own or have rights on: a
-- tenant is not refused for what is there for PUBLIC; what its own things use there, iso_edge finds from their side.
SELECT DISTINCT n.oid AS nspoid, s.classid, s.objid
  FROM (SELECT oid FROM iso_own UNION SELECT role FROM iso_reach) r
 CROSS JOIN LATERAL (
       SELECT x.classid, x.objid FROM pg_shdepend x
        WHERE x.refclassid = 'pg_authid'::regclass AND x.refobjid = r.oid
          AND x.dbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()) OFFSET 0) s
 CROSS JOIN LATERAL ( -- from these few to their schema: that of the guards has one for each place
       SELECT x.refclassid, x.refobjid FROM pg_depend x WHERE x.classid = s.classid AND x.objid = s.objid OFFSET 0) d
  JOIN pg_namespace n ON n.oid = d.refobjid AND d.refclassid = 'pg_namespace'::regclass AND n.nspname = 'tenancy_kept'
  LEFT JOIN pg_proc f ON s.classid = 'pg_proc'::regclass AND f.oid = s.objid
 WHERE NOT (f.oid IS NOT NULL AND oidvectortypes(f.proargtypes) = 'text, text[]'
            AND EXISTS (SELECT FROM tenantry.places p WHERE p.owner_role = f.proname))
