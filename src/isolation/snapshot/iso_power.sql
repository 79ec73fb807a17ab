-- Roles of tenants that are more than a role.
SELECT o.tenant_id, o.rolname, o.kind, r.rolsuper, r.rolbypassrls, r.rolcreaterole, r.rolreplication, r.rolcreatedb,
       r.rolcanlogin
  FROM iso_own o
  JOIN pg_roles r ON r.oid = o.oid
 WHERE r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolreplication OR r.rolcreatedb
    OR (r.rolcanlogin AND o.kind NOT IN ('app', 'readonly'))
