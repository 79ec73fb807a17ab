-- The same for one tenant: without statistics the objects are looked up in a hash, not joined.
SELECT r.role, s.dbid, s.classid, s.objid, s.objsubid, s.deptype
  FROM (SELECT oid AS role FROM iso_own UNION SELECT role FROM iso_reach) r
 CROSS JOIN LATERAL (
       SELECT x.dbid, x.classid, x.objid, x.objsubid, x.deptype FROM pg_shdepend x
        WHERE x.refclassid = 'pg_authid'::regclass AND x.refobjid = r.role AND x.deptype IN ('o', 'a') OFFSET 0) s
 WHERE s.dbid IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
   AND (s.classid, s.objid) NOT IN (SELECT o.classid, o.objid FROM iso_object o)
   AND s.classid <> 'pg_default_acl'::regclass
   AND NOT (s.classid IN ('pg_database'::regclass, 'pg_namespace'::regclass) AND s.deptype = 'a'
            AND (s.classid = 'pg_database'::regclass OR s.objid = to_regnamespace('tenantry_ext')))
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
