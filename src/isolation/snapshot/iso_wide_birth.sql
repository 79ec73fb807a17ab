-- A tenant is not refused for what its neighbours are.
SELECT NULL::oid AS oid, NULL::name AS rolname, NULL::uuid AS tenant_id, NULL::text AS kind
 WHERE false
