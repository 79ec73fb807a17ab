-- With every tenant at hand, such neighbours are among the roles anyway.
SELECT NULL::oid AS oid, NULL::name AS rolname, NULL::uuid AS tenant_id, NULL::text AS kind
 WHERE false
