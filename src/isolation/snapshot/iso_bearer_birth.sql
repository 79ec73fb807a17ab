-- The same but for PUBLIC: what everybody may do, the tenants that are there may too, and no create changes it.
SELECT r.oid, r.tenant_id, r.name, r.sql FROM iso_reached r
