-- A role keeps its number when it is renamed: with it the rules of isolation tell whether the registry's names are still those
-- of the roles that it made. Where a dump was restored on another server, all roles have other numbers, the group of tenants
-- too.
ALTER TABLE tenantry.installation ADD COLUMN tenants_role_oid oid;
ALTER TABLE tenantry.roles ADD COLUMN role_oid oid;
UPDATE tenantry.installation SET tenants_role_oid = to_regrole(quote_ident(tenants_role));
UPDATE tenantry.roles SET role_oid = to_regrole(quote_ident(name));
