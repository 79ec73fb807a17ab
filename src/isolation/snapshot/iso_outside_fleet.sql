-- What the tenants' roles, and every role that they are members of, own or have rights on outside the schemas above: by
-- the dependencies of roles, which are indexed. The database and the schema of extensions are for all tenants.
SELECT r.role, s.dbid, s.classid, s.objid, s.objsubid, s.deptype
  FROM (SELECT oid AS role FROM iso_own UNION SELECT role FROM iso_reach) r
  JOIN pg_shdepend s ON s.refclassid = 'pg_authid'::regclass AND s.refobjid = r.role AND s.deptype IN ('o', 'a')
  LEFT JOIN iso_object o ON o.classid = s.classid AND o.objid = s.objid
 WHERE o.objid IS NULL AND s.classid <> 'pg_default_acl'::regclass
   AND NOT (s.classid IN ('pg_database'::regclass, 'pg_namespace'::regclass) AND s.deptype = 'a'
            AND (s.classid = 'pg_database'::regclass OR s.objid = to_regnamespace('tenantry_ext')))
   AND s.dbid IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
   -- The guard of a place's owner is control_function's.
   AND NOT (s.deptype = 'o' AND s.classid = 'pg_proc'::regclass
            AND EXISTS (SELECT FROM pg_proc f
                          JOIN iso_own g ON g.oid = f.proowner AND g.rolname = f.proname AND g.kind IN ('owner', 'group_owner')
                         WHERE f.oid = s.objid AND f.pronamespace = to_regnamespace('tenancy_kept')))
   -- What else is in the role's own place: statistics, text search, collations, operators, types that come with ranges.
   AND NOT EXISTS (SELECT FROM pg_depend d
                     JOIN iso_place p ON p.nspoid = d.refobjid AND r.role IN (p.owner, p.app, p.readonly)
                    WHERE d.classid = s.classid AND d.objid = s.objid AND d.refclassid = 'pg_namespace'::regclass
                    OFFSET 0)
