-- The audit trail of a tenant starts with its own beginning.
INSERT INTO audit_log (action, resource, resource_id)
VALUES ('tenant.provisioned', 'tenant', tenancy.current_tenant());
