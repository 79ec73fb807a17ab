-- The control schema `tenantry`: the registry and everything that the product remembers. It belongs to the role that
-- Tenantry connects as; no tenant has any right in it. `tenancy` is the small part that tenants may use.

CREATE TABLE tenantry.installation (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    id uuid NOT NULL,
    tenants_role name NOT NULL,  -- every role of a tenant is a member: CONNECT and `tenancy` hang on it
    audit_role name NOT NULL,    -- owns the audit log; nobody is a member
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Master keys by their public id; never key material. At most one is active.
CREATE TABLE tenantry.keys (
    id text PRIMARY KEY CHECK (id ~ '^[0-9a-f]{16}$'),
    state text NOT NULL CHECK (state IN ('next', 'active', 'retiring', 'retired')),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX keys_one_active ON tenantry.keys (state) WHERE state = 'active';

-- Secrets of the installation itself, such as the key of the audit chain.
CREATE TABLE tenantry.secrets (
    name text PRIMARY KEY,
    key_id text NOT NULL REFERENCES tenantry.keys (id),
    sealed bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX secrets_key_id ON tenantry.secrets (key_id);

CREATE TABLE tenantry.clusters (
    id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO tenantry.clusters (name) VALUES ('local');

CREATE TABLE tenantry.blueprints (
    name text PRIMARY KEY,
    title text NOT NULL,
    version bigint NOT NULL,
    checksum text NOT NULL,
    source text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- The whole definition of each version, so that a tenant can be made without the folder that it came from.
CREATE TABLE tenantry.blueprint_versions (
    blueprint text NOT NULL REFERENCES tenantry.blueprints (name),
    version bigint NOT NULL,
    checksum text NOT NULL,
    definition json NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (blueprint, version)
);

CREATE TABLE tenantry.plans (
    blueprint text NOT NULL REFERENCES tenantry.blueprints (name),
    name text NOT NULL,
    title text NOT NULL,
    is_default boolean NOT NULL,
    definition json NOT NULL,
    PRIMARY KEY (blueprint, name)
);

-- A place is where a tenant's data is: a schema and the roles around it. In the row tier the tenants of a blueprint
-- share one place; in the schema tier each has its own; a spare is a place without a tenant.
CREATE TABLE tenantry.places (
    id uuid PRIMARY KEY,
    blueprint text NOT NULL REFERENCES tenantry.blueprints (name),
    version bigint NOT NULL,
    tier text NOT NULL CHECK (tier IN ('row', 'schema')),
    cluster_id integer NOT NULL REFERENCES tenantry.clusters (id),
    schema_name name NOT NULL UNIQUE,
    owner_role name NOT NULL UNIQUE,
    app_role name NOT NULL UNIQUE,      -- schema tier: the tenant's login; row tier: the group its logins are members of
    readonly_role name NOT NULL UNIQUE, -- the same, for reading only
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX places_one_shared ON tenantry.places (blueprint, cluster_id) WHERE tier = 'row';

CREATE TABLE tenantry.place_migrations (
    place_id uuid NOT NULL REFERENCES tenantry.places (id) ON DELETE CASCADE,
    version bigint NOT NULL,
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (place_id, version)
);

CREATE TABLE tenantry.spares (
    place_id uuid PRIMARY KEY REFERENCES tenantry.places (id) ON DELETE CASCADE,
    tenant_id uuid NOT NULL UNIQUE, -- the id that the tenant who claims it will have
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE tenantry.tenants (
    id uuid PRIMARY KEY,
    slug text NOT NULL CHECK (slug ~ '^[a-z][a-z0-9-]{0,61}[a-z0-9]$'),
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    blueprint text NOT NULL,
    plan text NOT NULL,
    tier text NOT NULL CHECK (tier IN ('row', 'schema')),
    state text NOT NULL CHECK (state IN ('requested', 'provisioning', 'active', 'suspended', 'draining', 'archived',
                                         'purged', 'failed')),
    place_id uuid REFERENCES tenantry.places (id),
    created_at timestamptz NOT NULL DEFAULT now(),
    state_at timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (blueprint, plan) REFERENCES tenantry.plans (blueprint, name)
);
-- A slug is free again when its tenant is purged, or was never made.
CREATE UNIQUE INDEX tenants_slug ON tenantry.tenants (slug) WHERE state NOT IN ('purged', 'failed');
CREATE INDEX tenants_slug_ended ON tenantry.tenants (slug, state_at) WHERE state IN ('purged', 'failed');
CREATE INDEX tenants_place_id ON tenantry.tenants (place_id);

-- The roles of one tenant. (Those of a shared place are in the place itself.)
CREATE TABLE tenantry.roles (
    name name PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenantry.tenants (id),
    kind text NOT NULL CHECK (kind IN ('owner', 'app', 'readonly')),
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, kind)
);

-- Passwords of the login roles, sealed with AES-256-GCM; bound to tenant and role.
CREATE TABLE tenantry.credentials (
    role_name name PRIMARY KEY REFERENCES tenantry.roles (name) ON DELETE CASCADE,
    tenant_id uuid NOT NULL REFERENCES tenantry.tenants (id),
    key_id text NOT NULL REFERENCES tenantry.keys (id),
    sealed bytea NOT NULL,
    rotated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX credentials_tenant_id ON tenantry.credentials (tenant_id);
CREATE INDEX credentials_key_id ON tenantry.credentials (key_id, role_name);

-- Logins made ahead for tenants to come: two roles each, STEM_app and STEM_ro, that may not log in yet but have their
-- passwords. PostgreSQL takes some milliseconds to accept a password, which a create need not wait for then.
CREATE TABLE tenantry.ready_logins (
    id uuid PRIMARY KEY,          -- what the sealed passwords are bound to until a tenant claims them
    stem text NOT NULL UNIQUE,
    key_id text NOT NULL REFERENCES tenantry.keys (id),
    app_sealed bytea NOT NULL,
    readonly_sealed bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE tenantry.jobs (
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    token uuid NOT NULL UNIQUE,     -- made by the caller, so that it can tell after a lost COMMIT whether the job exists
    operation text NOT NULL,
    subject text NOT NULL,          -- what people know it by: a slug, a blueprint
    tenant_id uuid REFERENCES tenantry.tenants (id),
    args json NOT NULL,             -- never a secret
    -- running: also when its process died, until somebody resumes it. failed: stopped, can be resumed.
    -- undone: failed and cleaned up after. cancelled: cleaned up because somebody asked.
    state text NOT NULL CHECK (state IN ('running', 'done', 'failed', 'undone', 'cancelled')),
    steps_done integer NOT NULL DEFAULT 0,
    steps_total integer NOT NULL,
    progress_done bigint,           -- within the step that runs
    progress_total bigint,
    attempts integer NOT NULL DEFAULT 0,
    is_cancel_wanted boolean NOT NULL DEFAULT false,
    actor text NOT NULL,
    error json,
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz
);
CREATE INDEX jobs_open ON tenantry.jobs (id) WHERE state IN ('running', 'failed');
CREATE INDEX jobs_tenant_id ON tenantry.jobs (tenant_id) WHERE tenant_id IS NOT NULL;

CREATE TABLE tenantry.job_steps (
    job_id bigint NOT NULL REFERENCES tenantry.jobs (id) ON DELETE CASCADE,
    number integer NOT NULL,
    name text NOT NULL,
    attempts integer NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz NOT NULL,
    PRIMARY KEY (job_id, number)
);

-- Which tenant a role is. The policies of the row tier read it with the rights of the role that asks, so it lets each
-- role see its own row only; nobody but Tenantry may write it.
CREATE TABLE tenancy.role_tenants (
    role_name name PRIMARY KEY,
    tenant_id uuid NOT NULL
);
ALTER TABLE tenancy.role_tenants ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_row ON tenancy.role_tenants FOR SELECT USING (role_name = current_user);

-- The tenant that the role of this session is, or NULL. `app.current_tenant_id` can only narrow: unset or empty, the
-- role decides; set to anything but the role's own tenant, there is none.
CREATE FUNCTION tenancy.current_tenant() RETURNS uuid
    LANGUAGE sql STABLE SECURITY INVOKER
BEGIN ATOMIC
    SELECT m.tenant_id
      FROM tenancy.role_tenants m
     WHERE m.role_name = current_user
       AND coalesce(nullif(lower(current_setting('app.current_tenant_id', true)), ''), m.tenant_id::text)
           = m.tenant_id::text;
END;
REVOKE ALL ON FUNCTION tenancy.current_tenant() FROM PUBLIC;

-- The guard of the row tier, as every shared table has it: what a shared table's own policy is compared with, so that
-- one that was changed is noticed and made anew. Holds no rows.
CREATE TABLE tenantry.guard (tenant_id uuid NOT NULL);
CREATE POLICY tenant_guard ON tenantry.guard AS RESTRICTIVE
    USING (tenant_id = (SELECT m.tenant_id FROM tenancy.role_tenants m
                         WHERE m.role_name = current_user
                           AND coalesce(nullif(lower(current_setting('app.current_tenant_id', true)), ''),
                                        m.tenant_id::text) = m.tenant_id::text))
    WITH CHECK (tenant_id = (SELECT m.tenant_id FROM tenancy.role_tenants m
                              WHERE m.role_name = current_user
                                AND coalesce(nullif(lower(current_setting('app.current_tenant_id', true)), ''),
                                             m.tenant_id::text) = m.tenant_id::text));
CREATE POLICY tenant_rows ON tenantry.guard USING (true) WITH CHECK (true);
