-- Large objects of the roles $1, a JSON array, by the index of pg_shdepend; the role stands where others have a schema.
SELECT 'large_object' AS kind, r.rolname AS nspname, o.objid::text AS name, o.objid AS oid, 0 AS arguments,
       NULL AS column_name, NULL AS canary, false AS has_tenant_id
  FROM pg_roles r
 CROSS JOIN LATERAL (
    SELECT d.objid
      FROM pg_shdepend d
     WHERE d.refclassid = 'pg_authid'::regclass AND d.refobjid = r.oid AND d.classid = 'pg_largeobject'::regclass
       AND d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND d.deptype = 'o'
     ORDER BY d.objid LIMIT 3) o
 WHERE r.rolname = ANY (ARRAY(SELECT json_array_elements_text($1)))
 ORDER BY r.rolname, o.objid
