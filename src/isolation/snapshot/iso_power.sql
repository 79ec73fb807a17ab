-- Roles of tenants that are more than a role, and such roles that a tenant's can become: attributes are not inherited,
-- but SET ROLE has them. Tenantry's own role and superusers are told by the membership.
SELECT o.tenant_id, o.rolname, o.kind, r.rolsuper, r.rolbypassrls, r.rolcreaterole, r.rolreplication, r.rolcreatedb,
       r.rolcanlogin
  FROM (SELECT oid, rolname, tenant_id, kind FROM iso_own UNION ALL SELECT oid, rolname, tenant_id, kind FROM iso_wide) o
  JOIN pg_roles r ON r.oid = o.oid
 WHERE r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolreplication OR r.rolcreatedb
    OR (r.rolcanlogin AND o.kind NOT IN ('app', 'readonly'))
UNION
SELECT o.tenant_id, r.rolname, 'reached', r.rolsuper, r.rolbypassrls, r.rolcreaterole, r.rolreplication, r.rolcreatedb,
       r.rolcanlogin
  FROM iso_reach x
  JOIN (SELECT oid, tenant_id FROM iso_own UNION ALL SELECT oid, tenant_id FROM iso_wide) o ON o.oid = x.member
  JOIN LATERAL (SELECT a.* FROM pg_roles a WHERE a.oid = x.role OFFSET 0) r ON true -- not held against all roles
 WHERE NOT r.rolsuper AND (r.rolbypassrls OR r.rolcreaterole OR r.rolreplication OR r.rolcreatedb)
   AND r.oid <> (SELECT n.nspowner FROM pg_namespace n WHERE n.nspname = 'tenantry')
