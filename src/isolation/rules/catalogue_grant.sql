SELECT o.tenant_id, NULL::uuid AS other_id, pg_describe_object(x.classid, x.objid, x.objsubid) AS object,
       format('%s has %s', coalesce(o.rolname, 'PUBLIC'),
              string_agg(x.privilege_type, ', ' ORDER BY x.privilege_type)) AS evidence,
       format('REVOKE ALL%s ON %s FROM %s', ' (' || quote_ident(t.attname) || ')',
              CASE x.classid WHEN 'pg_proc'::regclass THEN 'ROUTINE ' || x.objid::regprocedure
                             ELSE 'TABLE ' || x.objid::regclass END,
              coalesce(quote_ident(o.rolname), 'PUBLIC')) AS mend
  FROM iso_given x
  LEFT JOIN iso_own o ON o.oid = x.grantee
  LEFT JOIN pg_attribute t ON x.objsubid <> 0 AND t.attrelid = x.objid AND t.attnum = x.objsubid
 GROUP BY o.tenant_id, o.rolname, x.classid, x.objid, x.objsubid, t.attname
