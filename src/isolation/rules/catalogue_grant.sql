SELECT o.tenant_id, NULL::uuid AS other_id, pg_describe_object(x.classid, x.objid, x.objsubid) AS object,
       format('%s has %s', o.name, string_agg(x.privilege_type, ', ' ORDER BY x.privilege_type)) AS evidence,
       format('REVOKE ALL%s ON %s FROM %s', ' (' || quote_ident(t.attname) || ')',
              CASE x.classid WHEN 'pg_proc'::regclass THEN 'ROUTINE ' || x.objid::regprocedure
                             WHEN 'pg_namespace'::regclass THEN 'SCHEMA ' || x.objid::regnamespace
                             ELSE 'TABLE ' || x.objid::regclass END, o.sql) AS mend
  FROM iso_given x
  JOIN iso_bearer o ON o.oid = x.grantee
  LEFT JOIN pg_attribute t ON x.objsubid <> 0 AND t.attrelid = x.objid AND t.attnum = x.objsubid
 GROUP BY o.tenant_id, o.name, o.sql, x.classid, x.objid, x.objsubid, t.attname
