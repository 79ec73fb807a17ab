-- Whose rights tenants have: PUBLIC's and those of the roles that they reach.
SELECT 0::oid AS oid, NULL::uuid AS tenant_id, 'PUBLIC' AS name, 'PUBLIC' AS sql
UNION ALL
SELECT r.oid, r.tenant_id, r.name, r.sql FROM iso_reached r
