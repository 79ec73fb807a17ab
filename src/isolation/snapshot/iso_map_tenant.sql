-- The part of the map that has the tenant's roles, and those that can become one of them.
SELECT m.role_name, m.tenant_id
  FROM (SELECT rolname FROM iso_own UNION SELECT r.rolname FROM iso_role r) o
  JOIN tenancy.role_tenants m ON m.role_name = o.rolname
