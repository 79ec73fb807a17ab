-- What a create does when the place is there already (a spare, a shared place): roles, memberships, the map, the schema's
-- own rights. The place itself was checked when it was made. Gives the check's id and the columns of a finding; one row
-- with the id '?' when the place was made in this very transaction, so that everything must be asked.
WITH target AS (
    SELECT t.id AS tenant_id, t.tier, t.place_id FROM tenantry.tenants t WHERE t.id = $1::uuid
), place AS (
    SELECT t.tenant_id, t.tier, p.schema_name, p.owner_role, p.app_role, p.readonly_role,
           p.xmin = pg_current_xact_id()::xid AS is_new
      FROM target t
      JOIN tenantry.places p ON p.id = t.place_id
), own AS (
    SELECT r.oid, r.rolname, o.tenant_id, o.kind, r.rolsuper, r.rolbypassrls, r.rolcreaterole, r.rolreplication,
           r.rolcreatedb, r.rolcanlogin,
           CASE WHEN p.tier = 'row' THEN CASE o.kind WHEN 'app' THEN p.app_role ELSE p.readonly_role END END AS group_role
      FROM place p
      JOIN tenantry.roles o ON o.tenant_id = p.tenant_id
      JOIN pg_roles r ON r.rolname = o.name
)
SELECT '?' AS check_id, NULL::uuid AS tenant_id, NULL::uuid AS other_id, NULL::text AS object, NULL::text AS evidence,
       NULL::text AS mend
  FROM place p
 WHERE p.is_new AND p.tier = 'schema'
UNION ALL
SELECT CASE WHEN o.rolsuper THEN 'role_superuser' WHEN o.rolbypassrls THEN 'role_bypassrls'
            WHEN o.rolcreaterole THEN 'role_createrole' WHEN o.rolreplication THEN 'role_replication'
            WHEN o.rolcreatedb THEN 'role_createdb' ELSE 'owner_login' END,
       o.tenant_id, NULL, format('role %s', o.rolname), 'it is more than a tenant''s role', NULL
  FROM own o
 WHERE o.rolsuper OR o.rolbypassrls OR o.rolcreaterole OR o.rolreplication OR o.rolcreatedb
    OR (o.kind = 'owner' AND o.rolcanlogin)
UNION ALL
SELECT CASE WHEN m.admin_option THEN 'member_admin' WHEN g.rolname LIKE 'pg\_%' THEN 'member_predefined'
            WHEN r.name IS NOT NULL THEN 'member_of_tenant' ELSE 'member_outside' END,
       o.tenant_id, r.tenant_id, format('role %s', o.rolname), format('%s is a member of %s', o.rolname, g.rolname),
       format('REVOKE %I FROM %I', g.rolname, o.rolname)
  FROM own o
  JOIN pg_auth_members m ON m.member = o.oid
  JOIN pg_roles g ON g.oid = m.roleid
 CROSS JOIN tenantry.installation i
  LEFT JOIN tenantry.roles r ON r.name = g.rolname
 WHERE m.admin_option OR (g.rolname <> i.tenants_role AND g.rolname IS DISTINCT FROM o.group_role)
UNION ALL
SELECT 'member_of_tenant', o.tenant_id, r.tenant_id, format('role %s', o.rolname),
       format('%s is a member of %s', g.rolname, o.rolname), format('REVOKE %I FROM %I', o.rolname, g.rolname)
  FROM own o
  JOIN pg_auth_members m ON m.roleid = o.oid
  JOIN pg_roles g ON g.oid = m.member
  JOIN tenantry.roles r ON r.name = g.rolname
UNION ALL
SELECT CASE WHEN m.tenant_id IS NULL THEN 'map_missing' ELSE 'map_forged' END,
       o.tenant_id, m.tenant_id, format('role %s', o.rolname), 'tenancy.role_tenants does not take it for its tenant', NULL
  FROM own o
  LEFT JOIN tenancy.role_tenants m ON m.role_name = o.rolname
 WHERE m.tenant_id IS DISTINCT FROM o.tenant_id
UNION ALL
SELECT CASE WHEN a.grantee = 0 THEN 'public_grant_schema' ELSE 'grant_schema' END,
       p.tenant_id, r.tenant_id, format('schema %I', p.schema_name),
       format('%s has %s', CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee) END, a.privilege_type),
       format('REVOKE ALL ON SCHEMA %I FROM %s', p.schema_name,
              CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END)
  FROM place p
  JOIN pg_namespace n ON n.nspname = p.schema_name
 CROSS JOIN LATERAL aclexplode(n.nspacl) a
  LEFT JOIN tenantry.roles r ON r.name = pg_get_userbyid(a.grantee)
 WHERE p.tier = 'schema' AND (a.grantee = 0 OR pg_get_userbyid(a.grantee) NOT IN (p.owner_role, p.app_role, p.readonly_role))
