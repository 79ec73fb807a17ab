-- Runs of "isolation verify", what they found, and what somebody answers for. Names of objects are in it, data of
-- tenants never.
CREATE TABLE tenantry.isolation_runs (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    tenant_id uuid REFERENCES tenantry.tenants (id), -- NULL: the whole fleet
    has_probes boolean NOT NULL,
    actor text NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz NOT NULL,
    catalogue text,                                  -- SHA-256 over what the rules read
    tenants bigint NOT NULL,
    rules bigint NOT NULL,
    probes bigint NOT NULL,                          -- attempts
    unchecked json NOT NULL                          -- [{check, reason}]
);
-- "The last run of this kind" is one look-up.
CREATE INDEX isolation_runs_kind ON tenantry.isolation_runs (tenant_id, has_probes, id);

CREATE TABLE tenantry.isolation_findings (
    run_id bigint NOT NULL REFERENCES tenantry.isolation_runs (id) ON DELETE CASCADE,
    id text NOT NULL CHECK (id ~ '^[0-9a-f]{16}$'),  -- the same in every run
    check_id text NOT NULL,
    severity text NOT NULL CHECK (severity IN ('critical', 'high', 'medium', 'low')),
    tenant_id uuid,
    other_id uuid,
    object text NOT NULL,
    evidence text NOT NULL,
    mend text,
    is_accepted boolean NOT NULL,                    -- when it was found
    PRIMARY KEY (run_id, id)
);
CREATE INDEX isolation_findings_id ON tenantry.isolation_findings (id, run_id);

CREATE TABLE tenantry.isolation_acceptances (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    finding_id text NOT NULL CHECK (finding_id ~ '^[0-9a-f]{16}$'),
    evidence text NOT NULL,                          -- what was accepted; when there is more to it, it counts again
    reason text NOT NULL CHECK (char_length(reason) BETWEEN 1 AND 1000),
    actor text NOT NULL,
    accepted_at timestamptz NOT NULL DEFAULT now(),
    until timestamptz NOT NULL,
    ended_at timestamptz                             -- revoked, or replaced by a newer one
);
CREATE UNIQUE INDEX isolation_acceptances_one ON tenantry.isolation_acceptances (finding_id) WHERE ended_at IS NULL;
