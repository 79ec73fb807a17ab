SELECT o.tenant_id, NULL::uuid AS other_id, pg_describe_object(s.classid, s.objid, s.objsubid) AS object,
       format('%s has rights on it', r.rolname) AS evidence,
       'REVOKE ALL' || coalesce(
           (SELECT format('%s ON %s %s', ' (' || quote_ident(a.attname) || ')', CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
                          c.oid::regclass)
              FROM pg_class c
              LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = s.objsubid AND a.attnum > 0
             WHERE s.classid = 'pg_class'::regclass AND c.oid = s.objid),
           CASE s.classid
               WHEN 'pg_proc'::regclass THEN format(' ON ROUTINE %s', s.objid::regprocedure)
               WHEN 'pg_namespace'::regclass THEN format(' ON SCHEMA %s', s.objid::regnamespace)
               WHEN 'pg_tablespace'::regclass
                   THEN (SELECT format(' ON TABLESPACE %I', b.spcname) FROM pg_tablespace b WHERE b.oid = s.objid)
               WHEN 'pg_type'::regclass
                   THEN (SELECT format(' ON TYPE %s.%I', t.typnamespace::regnamespace, t.typname) FROM pg_type t WHERE t.oid = s.objid)
           END) || format(' FROM %I', r.rolname) AS mend
  FROM (SELECT DISTINCT role, classid, objid, objsubid FROM iso_outside WHERE deptype = 'a') s
  JOIN iso_role r ON r.oid = s.role AND r.kind IN ('owner', 'app', 'readonly', 'group', 'tenants')
  JOIN iso_own o ON o.oid = s.role
 WHERE s.classid NOT IN ('pg_parameter_acl'::regclass, 'pg_foreign_server'::regclass, 'pg_foreign_data_wrapper'::regclass,
                         'pg_language'::regclass, 'pg_largeobject'::regclass)
   AND NOT EXISTS (SELECT FROM iso_far f WHERE f.classid = s.classid AND f.objid = s.objid)
