-- What every tenant tries whoever its neighbours are: roles of the server and the platform, and the control schemas'
-- tables, sequences and functions. $1 the role that owns the audit log. Predefined roles, whose numbers are below 16384, are asked
-- for all at once by an attempt; 10 is the first superuser.
SELECT 'power_role' AS kind, '' AS nspname, rolname AS name, oid, 0 AS arguments, NULL AS column_name, NULL AS canary,
       false AS has_tenant_id
  FROM pg_roles WHERE oid = 10 OR rolname IN (current_user, $1)
UNION ALL
SELECT CASE c.relkind WHEN 'S' THEN 'control_sequence' ELSE 'control_table' END, n.nspname, c.relname, c.oid, 0, NULL, NULL,
       false
  FROM pg_namespace n
  JOIN pg_depend d ON d.refclassid = 'pg_namespace'::regclass AND d.refobjid = n.oid
   AND d.classid = 'pg_class'::regclass
  JOIN pg_class c ON c.oid = d.objid AND c.relkind IN ('r', 'p', 'S')
 WHERE n.nspname IN ('tenantry', 'tenantry_audit')
UNION ALL
SELECT 'control_function', n.nspname, p.proname, p.oid, p.pronargs - p.pronargdefaults, NULL, NULL, false
  FROM pg_namespace n
  JOIN pg_depend d ON d.refclassid = 'pg_namespace'::regclass AND d.refobjid = n.oid
   AND d.classid = 'pg_proc'::regclass
  JOIN pg_proc p ON p.oid = d.objid AND p.prokind = 'f'
 WHERE n.nspname IN ('tenantry', 'tenantry_audit')
   AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
 ORDER BY kind, nspname, name
