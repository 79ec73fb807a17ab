-- Most functions of these extensions check for a superuser themselves; those that the extension closes have initial
-- rights, and whoever has more was given it.
SELECT o.tenant_id, NULL::uuid AS other_id, format('function %s', f.oid::regprocedure) AS object,
       format('%s of extension %s may be called by %s', f.proname, e.extname, o.name) AS evidence,
       format('REVOKE EXECUTE ON FUNCTION %s FROM %s', f.oid::regprocedure, o.sql) AS mend
  FROM iso_extension e
  JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
   AND d.classid = 'pg_proc'::regclass
  JOIN pg_proc f ON f.oid = d.objid
 CROSS JOIN LATERAL aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) a
  JOIN iso_bearer o ON o.oid = a.grantee
  LEFT JOIN pg_init_privs i ON i.classoid = 'pg_proc'::regclass AND i.objoid = f.oid AND i.objsubid = 0
 WHERE (e.extname <> 'dblink'
        AND (a.grantee <> 0 OR i.objoid IS NOT NULL))
    OR (e.extname = 'dblink' AND f.proname LIKE 'dblink%'
        AND has_schema_privilege(coalesce(nullif(o.oid, 0), (SELECT t.oid FROM iso_own t WHERE t.kind = 'tenants')),
                                 f.pronamespace, 'USAGE'))
