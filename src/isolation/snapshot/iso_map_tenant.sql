-- The part of the map that has the tenant, or the tenant's roles. It has no index by tenant; reading all of it (three
-- short rows for each tenant) costs a tenth of a millisecond for a thousand rows.
SELECT m.role_name, m.tenant_id
  FROM tenancy.role_tenants m
 WHERE m.tenant_id IN (SELECT t.tenant_id FROM iso_target t) OR m.role_name IN (SELECT o.rolname FROM iso_own o)
