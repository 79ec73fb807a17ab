SELECT d.tenant_id, u.tenant_id AS other_id, format('default of a column of %s', x.relid::regclass) AS object,
       format('it uses %s', pg_describe_object(x.refclassid, x.refobjid, 0)) AS evidence,
       NULL::text AS mend
  FROM iso_reference x
  JOIN iso_space u ON u.nspoid = x.user_nsp
  JOIN iso_space d ON d.nspoid = x.used_nsp AND d.kind <> 'other'
 WHERE x.classid = 'pg_attrdef'::regclass
