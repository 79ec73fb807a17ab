SELECT d.tenant_id, u.tenant_id AS other_id, format('constraint %I on %s', x.part, CASE WHEN x.conrelid <> 0 THEN x.conrelid::regclass::text ELSE x.user_schema::text END) AS object,
       format('it uses %s', pg_describe_object(x.refclassid, x.refobjid, 0)) AS evidence,
       CASE WHEN x.conrelid <> 0 THEN format('ALTER TABLE %s DROP CONSTRAINT %I', x.conrelid::regclass, x.part) END AS mend
  FROM iso_reference x
  JOIN iso_space u ON u.nspoid = x.user_nsp
  JOIN iso_space d ON d.nspoid = x.used_nsp AND d.kind <> 'other'
 WHERE x.classid = 'pg_constraint'::regclass
