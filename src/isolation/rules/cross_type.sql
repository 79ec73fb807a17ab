SELECT d.tenant_id, u.tenant_id AS other_id, pg_describe_object(x.classid, x.objid, 0) AS object,
       format('it uses %s', pg_describe_object(x.refclassid, x.refobjid, 0)) AS evidence,
       NULL::text AS mend
  FROM iso_reference x
  JOIN iso_space u ON u.nspoid = x.user_nsp
  JOIN iso_space d ON d.nspoid = x.used_nsp AND d.kind <> 'other'
 WHERE x.classid = 'pg_type'::regclass OR (x.refclassid = 'pg_type'::regclass AND x.classid IN ('pg_class'::regclass, 'pg_proc'::regclass))
