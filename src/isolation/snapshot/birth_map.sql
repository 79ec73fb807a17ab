-- Whether the map does not know every role of the tenant $1 as its own. It has to be planned each time, since the map has
-- row-level security and the create made roles; so it is asked only where roles were there before (a spare's). In a shared
-- place the create has just put the rows there, and place_digest.sql says whether anything could have changed them.
SELECT EXISTS (SELECT
                 FROM tenantry.roles g
                 LEFT JOIN tenancy.role_tenants m ON m.role_name = g.name
                WHERE g.tenant_id = $1::uuid AND m.tenant_id IS DISTINCT FROM g.tenant_id)
