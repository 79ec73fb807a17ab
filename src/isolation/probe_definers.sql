-- Functions of the place $1 that run with another role's rights.
SELECT 'definer' AS kind, n.nspname, p.proname AS name, p.oid, p.pronargs - p.pronargdefaults AS arguments,
       NULL AS column_name, NULL AS canary, false AS has_tenant_id
  FROM pg_namespace n
  JOIN pg_depend d ON d.refclassid = 'pg_namespace'::regclass AND d.refobjid = n.oid
   AND d.classid = 'pg_proc'::regclass
  JOIN pg_proc p ON p.oid = d.objid AND p.prokind = 'f' AND p.prosecdef
 WHERE n.nspname = $1 AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
 ORDER BY p.proname, p.oid
