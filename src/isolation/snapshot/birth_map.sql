-- Whether the map knows every role of the tenant $1 as its own: a part of birth.sql that has to be planned each time, since
-- the map has row-level security and the create made roles.
SELECT EXISTS (SELECT
                 FROM tenantry.roles g
                 LEFT JOIN tenancy.role_tenants m ON m.role_name = g.name
                WHERE g.tenant_id = $1::uuid AND m.tenant_id IS DISTINCT FROM g.tenant_id)
