-- With every tenant at hand, rights in another's schema are seen in that schema.
SELECT NULL::oid AS nspoid, NULL::oid AS classid, NULL::oid AS objid, NULL::text AS kind, NULL::text AS name,
       NULL::name AS column_name, NULL::oid AS grantee, NULL::text AS privilege_type, NULL::boolean AS is_grantable,
       NULL::oid AS grantor, NULL::oid AS owner, NULL::text AS place_kind, NULL::uuid AS tenant_id, NULL::oid AS app, NULL::oid AS readonly
 WHERE false
