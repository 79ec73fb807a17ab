-- The map that the policies read.
SELECT m.role_name, m.tenant_id FROM tenancy.role_tenants m
