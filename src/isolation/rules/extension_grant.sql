-- What the extension gave stays, so the rights are named one by one.
SELECT o.tenant_id, NULL::uuid AS other_id, pg_describe_object(x.classid, x.objid, x.objsubid) AS object,
       format('%s has %s', o.name, string_agg(x.privilege_type, ', ' ORDER BY x.privilege_type)) AS evidence,
       format('REVOKE %s ON %s FROM %s',
              string_agg(x.privilege_type || coalesce(' (' || quote_ident(t.attname) || ')', ''), ', ' ORDER BY x.privilege_type),
              CASE WHEN x.classid = 'pg_proc'::regclass THEN 'ROUTINE ' || x.objid::regprocedure
                   ELSE CASE c.relkind WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END || x.objid::regclass END, o.sql) AS mend
  FROM iso_opened x
  JOIN iso_bearer o ON o.oid = x.grantee
  LEFT JOIN pg_class c ON x.classid = 'pg_class'::regclass AND c.oid = x.objid
  LEFT JOIN pg_attribute t ON x.objsubid <> 0 AND t.attrelid = x.objid AND t.attnum = x.objsubid
 GROUP BY o.tenant_id, o.name, o.sql, x.classid, x.objid, x.objsubid, t.attname, c.relkind
