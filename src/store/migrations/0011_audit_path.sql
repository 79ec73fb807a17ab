-- Where a path does not name pg_temp it begins with it: temporary types would stand in for the catalogue's in functions
-- that work with the rights of the audit log's owner.
ALTER FUNCTION tenantry_audit.append(uuid, bigint, bigint, text, text, bigint, json, bytea, bytea)
    SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION tenantry_audit.ensure_partition(timestamptz) SET search_path = pg_catalog, pg_temp;
ALTER FUNCTION tenantry_audit.refuse() SET search_path = pg_catalog, pg_temp;
