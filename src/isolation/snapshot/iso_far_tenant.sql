-- Rights that the tenant's roles have in schemas of other tenants, in the form of iso_acl with its place: those schemas
-- are not in the snapshot of one tenant.
WITH thing AS (
    SELECT DISTINCT s.role, s.classid, s.objid,
           coalesce(n.oid, c.relnamespace, f.pronamespace, t.typnamespace) AS nspoid,
           CASE WHEN n.oid IS NOT NULL THEN 'schema' WHEN f.oid IS NOT NULL THEN 'function' WHEN t.oid IS NOT NULL THEN 'type'
                WHEN c.relkind = 'v' THEN 'view' WHEN c.relkind = 'm' THEN 'materialized view'
                WHEN c.relkind = 'S' THEN 'sequence' WHEN c.relkind = 'f' THEN 'foreign table' ELSE 'table' END AS kind,
           coalesce(c.relname, f.proname, t.typname) AS label,
           '(' || CASE f.prokind WHEN 'a' THEN oidvectortypes(f.proargtypes)
                                  ELSE pg_get_function_identity_arguments(f.oid) END || ')' AS arguments,
           coalesce(n.nspacl, c.relacl, f.proacl, t.typacl) AS acl,
           coalesce(n.nspowner, c.relowner, f.proowner, t.typowner) AS owner
      FROM iso_outside s
      LEFT JOIN pg_namespace n ON s.classid = 'pg_namespace'::regclass AND n.oid = s.objid
      LEFT JOIN pg_class c ON s.classid = 'pg_class'::regclass AND c.oid = s.objid
      LEFT JOIN pg_proc f ON s.classid = 'pg_proc'::regclass AND f.oid = s.objid
      LEFT JOIN pg_type t ON s.classid = 'pg_type'::regclass AND t.oid = s.objid
     WHERE s.deptype = 'a' AND s.dbid <> 0
), placed AS (
    SELECT h.*, concat(format('%I', n.nspname), '.' || quote_ident(h.label), h.arguments) AS name,
           p.tier AS place_kind, t.id AS tenant_id,
           (SELECT r.oid FROM pg_roles r WHERE r.rolname = p.app_role) AS app,
           (SELECT r.oid FROM pg_roles r WHERE r.rolname = p.readonly_role) AS readonly
      FROM thing h
      JOIN pg_namespace n ON n.oid = h.nspoid
      JOIN tenantry.places p ON p.schema_name = n.nspname
      LEFT JOIN tenantry.tenants t ON t.place_id = CASE p.tier WHEN 'schema' THEN p.id END
)
SELECT p.nspoid, p.classid, p.objid, p.kind, p.name, NULL::name AS column_name, x.grantee, x.privilege_type,
       x.is_grantable, x.grantor, p.owner, p.place_kind, p.tenant_id, p.app, p.readonly
  FROM placed p, LATERAL aclexplode(p.acl) x
 WHERE x.grantee = p.role
UNION ALL
SELECT p.nspoid, p.classid, p.objid, 'column', p.name, c.attname, x.grantee, x.privilege_type, x.is_grantable,
       x.grantor, p.owner, p.place_kind, p.tenant_id, p.app, p.readonly
  FROM placed p
 CROSS JOIN LATERAL ( -- from the few relations, not from all columns of the fleet
       SELECT a.attname, a.attacl FROM pg_attribute a WHERE a.attrelid = p.objid AND a.attacl IS NOT NULL OFFSET 0) c
 CROSS JOIN LATERAL aclexplode(c.attacl) x
 WHERE p.classid = 'pg_class'::regclass AND x.grantee = p.role
