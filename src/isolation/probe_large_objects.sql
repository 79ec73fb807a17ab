-- Large objects of the roles $1 (separated by commas), by the index of pg_shdepend.
SELECT 'large_object' AS kind, '' AS nspname, d.objid::text AS name, d.objid AS oid, 0 AS arguments,
       NULL AS column_name, NULL AS canary, false AS has_tenant_id
  FROM pg_roles r
  JOIN pg_shdepend d ON d.refclassid = 'pg_authid'::regclass AND d.refobjid = r.oid
   AND d.classid = 'pg_largeobject'::regclass
   AND d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
 WHERE r.rolname = ANY (string_to_array($1, ',')) AND d.deptype = 'o'
 ORDER BY d.objid LIMIT 3
