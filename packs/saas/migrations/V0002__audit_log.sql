-- The audit log, in monthly partitions. Tenantry makes them; entries outside all of them go to the
-- default partition. user_id has no foreign key: an entry outlives the user whom it names.

CREATE TABLE audit_log (
    tenant_id       uuid         NOT NULL DEFAULT tenancy.current_tenant(),
    id              uuid         NOT NULL DEFAULT gen_random_uuid(),
    timestamp       timestamptz  NOT NULL DEFAULT now(),
    user_id         uuid,
    action          varchar(100) NOT NULL,
    severity        varchar(10)  NOT NULL DEFAULT 'INFO',
    resource        varchar(100),
    resource_id     uuid,
    ip_address      inet,
    custom_metadata jsonb        NOT NULL DEFAULT '{}',
    CONSTRAINT audit_log_pkey PRIMARY KEY (tenant_id, id, timestamp),
    CONSTRAINT audit_log_action_not_blank CHECK (btrim(action) <> ''),
    CONSTRAINT audit_log_severity_check
        CHECK (severity IN ('DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL')),
    CONSTRAINT audit_log_custom_metadata_is_object CHECK (jsonb_typeof(custom_metadata) = 'object')
) PARTITION BY RANGE (timestamp);

CREATE TABLE audit_log_default PARTITION OF audit_log DEFAULT;

CREATE INDEX idx_audit_tenant_timestamp ON audit_log (tenant_id, timestamp);
CREATE INDEX idx_audit_tenant_action ON audit_log (tenant_id, action);
CREATE INDEX idx_audit_tenant_severity ON audit_log (tenant_id, severity);
CREATE INDEX idx_audit_tenant_user ON audit_log (tenant_id, user_id, timestamp);
CREATE INDEX idx_audit_high_severity ON audit_log (tenant_id, timestamp)
    WHERE severity IN ('ERROR', 'CRITICAL');
CREATE INDEX idx_audit_metadata_search ON audit_log USING gin (tenant_id, custom_metadata);
