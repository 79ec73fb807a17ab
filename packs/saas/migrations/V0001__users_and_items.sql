-- Users and the items that they own. Keys start with tenant_id, so that the policy's comparison is
-- always the front of an index and no constraint looks across tenants.

CREATE FUNCTION touch_updated_at() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    NEW.updated_at := pg_catalog.now();
    RETURN NEW;
END
$$;

-- Addresses are kept in lower case: under row-level security an index on lower(email) could keep
-- them unique but not find one, because lower() is not leakproof.
CREATE TABLE users (
    tenant_id       uuid         NOT NULL DEFAULT tenancy.current_tenant(),
    id              uuid         NOT NULL DEFAULT gen_random_uuid(),
    email           varchar(255) NOT NULL,
    full_name       varchar(255),
    hashed_password varchar(255),
    role            varchar(20)  NOT NULL DEFAULT 'member',
    is_active       boolean      NOT NULL DEFAULT true,
    last_login_at   timestamptz,
    created_at      timestamptz  NOT NULL DEFAULT now(),
    updated_at      timestamptz  NOT NULL DEFAULT now(),
    CONSTRAINT users_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT users_email_key UNIQUE (tenant_id, email),
    CONSTRAINT users_email_is_lower_case CHECK (email = lower(email)),
    CONSTRAINT users_email_is_address CHECK (email ~ '^[^@[:space:]]+@[^@[:space:]]+$'),
    CONSTRAINT users_role_check CHECK (role IN ('owner', 'admin', 'member', 'viewer'))
);

CREATE INDEX idx_user_tenant_email_active ON users (tenant_id, email, is_active);
CREATE INDEX idx_user_tenant_role_active ON users (tenant_id, role, is_active);
CREATE INDEX idx_user_tenant_last_login ON users (tenant_id, last_login_at DESC);
CREATE INDEX idx_user_active_only ON users (tenant_id, email) WHERE is_active;

CREATE TRIGGER users_touch_updated_at BEFORE UPDATE ON users
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- The search vectors are columns, computed once per write: a search then reads them instead of
-- parsing the text of every row that it must compare.
CREATE TABLE items (
    tenant_id          uuid         NOT NULL DEFAULT tenancy.current_tenant(),
    id                 uuid         NOT NULL DEFAULT gen_random_uuid(),
    owner_id           uuid         NOT NULL,
    title              varchar(255) NOT NULL,
    description        text,
    created_at         timestamptz  NOT NULL DEFAULT now(),
    updated_at         timestamptz  NOT NULL DEFAULT now(),
    title_search       tsvector     NOT NULL GENERATED ALWAYS AS
                           (to_tsvector('pg_catalog.english', title)) STORED,
    description_search tsvector     NOT NULL GENERATED ALWAYS AS
                           (to_tsvector('pg_catalog.english', coalesce(description, ''))) STORED,
    CONSTRAINT items_pkey PRIMARY KEY (tenant_id, id),
    CONSTRAINT items_owner_fkey FOREIGN KEY (tenant_id, owner_id) REFERENCES users (tenant_id, id),
    CONSTRAINT items_title_not_blank CHECK (btrim(title) <> '')
);

CREATE INDEX idx_item_tenant_created_desc ON items (tenant_id, created_at DESC);
CREATE INDEX idx_item_tenant_owner_created ON items (tenant_id, owner_id, created_at DESC);
CREATE INDEX idx_item_title_tenant ON items (title, tenant_id);
CREATE INDEX idx_item_tenant_title_search ON items USING gin (tenant_id, title_search);
CREATE INDEX idx_item_description_search ON items USING gin (tenant_id, description_search);

CREATE TRIGGER items_touch_updated_at BEFORE UPDATE ON items
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
