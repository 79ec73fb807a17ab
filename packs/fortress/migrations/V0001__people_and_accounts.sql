-- Types that all tables share, people, and the accounts whose balance the ledger (V0002) keeps.

-- Where tenant_id stands in an index: last, where an id or a code before it says which few rows are
-- meant, so that the index also serves the schema tier, where no policy compares tenant_id; first,
-- where a time or a state follows, since the row tier would read all tenants' rows of that time.

-- A check of one column is that of a domain: it is in the catalogue once per place, not once per
-- table and partition. numeric accepts NaN, which is greater than every number, so it is kept out.
CREATE DOMAIN currency_code AS text CHECK (VALUE ~ '^[A-Z]{3}$');
CREATE DOMAIN email_address AS text
    CHECK (VALUE = lower(VALUE) AND VALUE ~ '^[^@[:space:]]+@[^@[:space:]]+$');
CREATE DOMAIN phone_number AS text CHECK (VALUE ~ '^\+[1-9][0-9]{6,14}$');
CREATE DOMAIN short_text AS text CHECK (VALUE ~ '[^[:space:]]' AND length(VALUE) <= 200);
CREATE DOMAIN json_map AS jsonb CHECK (jsonb_typeof(VALUE) = 'object');
CREATE DOMAIN amount AS numeric(20, 6) CHECK (VALUE < 'NaN');
CREATE DOMAIN unsigned_amount AS numeric(20, 6) CHECK (VALUE >= 0 AND VALUE < 'NaN');
CREATE DOMAIN account_type AS text
    CHECK (VALUE IN ('wallet', 'bank', 'credit', 'savings', 'cash', 'investment'));

-- Addresses are kept in lower case: under row-level security an index on lower(email) could keep
-- them unique but not find one, because lower() is not leakproof.
CREATE TABLE users (
    tenant_id     uuid        NOT NULL DEFAULT tenancy.current_tenant(),
    id            uuid        NOT NULL DEFAULT gen_random_uuid(),
    email         email_address,
    phone         phone_number,
    password_hash text,
    profile       json_map NOT NULL DEFAULT '{}',
    is_active     boolean     NOT NULL DEFAULT true,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    last_login_at timestamptz,
    deleted_at    timestamptz,
    PRIMARY KEY (id, tenant_id)
);

CREATE UNIQUE INDEX ux_users_tenant_email ON users (email, tenant_id) WHERE email IS NOT NULL;
CREATE UNIQUE INDEX ux_users_tenant_phone ON users (phone, tenant_id) WHERE phone IS NOT NULL;
CREATE INDEX ix_users_deleted ON users (tenant_id, deleted_at) WHERE deleted_at IS NOT NULL;

-- An account of nobody in particular (user_id is null) is the organisation's.
CREATE TABLE accounts (
    tenant_id  uuid          NOT NULL DEFAULT tenancy.current_tenant(),
    id         uuid          NOT NULL DEFAULT gen_random_uuid(),
    user_id    uuid,
    name       short_text    NOT NULL,
    type       account_type  NOT NULL,
    currency   currency_code NOT NULL,
    balance    amount        NOT NULL DEFAULT 0,
    metadata   json_map      NOT NULL DEFAULT '{}',
    closed_at  timestamptz,
    created_at timestamptz   NOT NULL DEFAULT now(),
    updated_at timestamptz   NOT NULL DEFAULT now(),
    PRIMARY KEY (id, tenant_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);

CREATE INDEX ix_accounts_tenant_type ON accounts (tenant_id, type);
CREATE INDEX ix_accounts_user ON accounts (user_id, tenant_id) WHERE user_id IS NOT NULL;

CREATE FUNCTION touch_updated_at() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    NEW.updated_at := pg_catalog.now();
    RETURN NEW;
END
$$;

CREATE TRIGGER users_touch BEFORE UPDATE ON users
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- SET search_path FROM CURRENT, here and below: whatever the session's search_path is, and whatever
-- temporary tables it has, a trigger finds the tables of its own place.

-- Whether a statement comes from a trigger of these tables. Where a role may make temporary tables,
-- it can make a trigger on one, and that is as deep; so is a CHECK of its own that a foreign key
-- between two runs. In a session with such a trigger, a constraint's included, nothing counts.
CREATE FUNCTION comes_from_trigger() RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF pg_trigger_depth() < 2 OR pg_my_temp_schema() = 0 THEN
        RETURN pg_trigger_depth() >= 2;
    END IF;
    RETURN NOT EXISTS (
        SELECT FROM pg_depend d JOIN pg_trigger t ON t.tgrelid = d.objid
        WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = pg_my_temp_schema()
          AND d.classid = 'pg_class'::regclass);
END
$$;

-- Whether a tenant is being purged: rows are deleted by the owner of their table, whom no login is
-- or can become. Asked only where nothing cascades, which is the owner's doing too.
CREATE FUNCTION is_purge(operation text, relation oid) RETURNS boolean
LANGUAGE sql STABLE
RETURN operation = 'DELETE' AND EXISTS (
    SELECT FROM pg_class c WHERE c.oid = relation AND pg_get_userbyid(c.relowner) = current_user);

-- The balance is what the ledger says: only the ledger's trigger changes it.
CREATE FUNCTION guard_account() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.balance <> 0 THEN
            RAISE EXCEPTION 'an account begins with a balance of zero'
                USING ERRCODE = 'check_violation', HINT = 'Insert a transaction.';
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.balance <> OLD.balance AND NOT comes_from_trigger() THEN
        RAISE EXCEPTION 'the balance of an account is changed by transactions only'
            USING ERRCODE = 'restrict_violation', HINT = 'Insert a transaction.';
    END IF;
    IF NEW.currency <> OLD.currency THEN
        RAISE EXCEPTION 'the currency of an account cannot change'
            USING ERRCODE = 'restrict_violation', HINT = 'Open another account.';
    END IF;
    IF NEW.closed_at IS NOT NULL AND NEW.balance <> 0 THEN
        RAISE EXCEPTION 'an account with a balance cannot be closed'
            USING ERRCODE = 'check_violation', HINT = 'Transfer the balance first.';
    END IF;
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

CREATE TRIGGER accounts_guard BEFORE INSERT OR UPDATE ON accounts
    FOR EACH ROW EXECUTE FUNCTION guard_account();
