SELECT o.tenant_id, NULL::uuid AS other_id, pg_describe_object(s.classid, s.objid, s.objsubid) AS object,
       format('%s has rights on it', r.rolname) AS evidence, NULL::text AS mend
  FROM (SELECT DISTINCT role, classid, objid, objsubid FROM iso_outside WHERE deptype = 'a') s
  JOIN iso_role r ON r.oid = s.role AND r.kind IN ('owner', 'app', 'readonly', 'group', 'tenants')
  JOIN iso_own o ON o.oid = s.role
 WHERE s.classid NOT IN ('pg_parameter_acl'::regclass, 'pg_foreign_server'::regclass, 'pg_foreign_data_wrapper'::regclass,
                         'pg_language'::regclass, 'pg_largeobject'::regclass)
   AND NOT EXISTS (SELECT FROM iso_far f WHERE f.classid = s.classid AND f.objid = s.objid)
