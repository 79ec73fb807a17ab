-- Webhooks, and the audit trail of the tenant.

-- Secrets are not kept here: secret_name says where the application finds the one that signs.
CREATE TABLE webhook_endpoints (
    id          uuid         PRIMARY KEY DEFAULT gen_random_uuid(),
    url         text         NOT NULL,
    events      text[]       NOT NULL,
    secret_name varchar(100) NOT NULL,
    is_active   boolean      NOT NULL DEFAULT true,
    created_at  timestamptz  NOT NULL DEFAULT now(),
    CONSTRAINT webhook_endpoints_url_is_https CHECK (
        url ~ '^https://[^[:space:]]+$' AND cardinality(events) > 0)
);

CREATE TABLE webhook_deliveries (
    id              uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    endpoint_id     uuid        NOT NULL REFERENCES webhook_endpoints (id) ON DELETE CASCADE,
    event           varchar(50) NOT NULL,
    payload         json_map NOT NULL,
    status          varchar(20) NOT NULL DEFAULT 'PENDING',
    attempts        integer     NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    last_error      text,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX ix_webhook_deliveries_due ON webhook_deliveries (next_attempt_at)
    WHERE status = 'PENDING';
CREATE INDEX ix_webhook_deliveries_endpoint_id ON webhook_deliveries (endpoint_id, created_at DESC);
CREATE TRIGGER webhook_deliveries_status BEFORE INSERT OR UPDATE ON webhook_deliveries
    FOR EACH ROW EXECUTE FUNCTION check_state_move();

-- Who did what to which row, and when. By month, because entries cannot be deleted: retention is
-- taking off an old month.
CREATE TABLE audit_log (
    at         timestamptz  NOT NULL DEFAULT now(),
    login      varchar(63)  NOT NULL DEFAULT current_user,
    actor      varchar(200),
    action     varchar(50)  NOT NULL,
    table_name varchar(63),
    row_id     varchar(100),
    changes    jsonb        NOT NULL DEFAULT '{}'
) PARTITION BY RANGE (at);

CREATE TABLE audit_log_default PARTITION OF audit_log DEFAULT;

CREATE INDEX ix_audit_log_at ON audit_log (at DESC);
CREATE INDEX ix_audit_log_row_id ON audit_log (row_id, at DESC) WHERE row_id IS NOT NULL;

-- login and at are what the database knows, actor is what the application says in app.actor. Foreign
-- keys cascade as the owner of the tables, so login is not current_user: it is the role that the
-- session took on, or else the one that it logged in with.
-- An entry that the application writes itself (a sign-in, an export) cannot look like one of a
-- trigger. The owner may add entries as they were: partition upkeep moves rows.
CREATE FUNCTION seal_audit_log() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    session_login name := coalesce(nullif(current_setting('role'), 'none'), session_user);
BEGIN
    PERFORM set_config('search_path', format('pg_catalog,%I,pg_temp', TG_TABLE_SCHEMA), true);
    IF TG_OP <> 'INSERT' THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = 'the audit log is append-only';
    ELSIF NOT comes_from_trigger(2) THEN
        IF (SELECT pg_has_role(session_login, c.relowner, 'USAGE')
            FROM pg_class c WHERE c.oid = TG_RELID) THEN
            RETURN NEW;
        ELSIF upper(NEW.action) ~ '^[^A-Z]*(INSERT|UPDATE|DELETE)[^A-Z]*$' THEN
            RAISE EXCEPTION USING ERRCODE = 'check_violation',
                MESSAGE = format('audit entries of action %s are written by triggers', NEW.action);
        ELSIF NEW.at <> now() THEN
            -- The partition is chosen by then, so the time could not be put right.
            RAISE EXCEPTION USING ERRCODE = 'check_violation',
                MESSAGE = 'the audit log dates its entries itself', HINT = 'Leave "at" out.';
        END IF;
    END IF;
    NEW.login := session_login;
    NEW.actor := left(nullif(current_setting('app.actor', true), ''), 200);
    RETURN NEW;
END
$$;

CREATE TRIGGER audit_log_seal BEFORE INSERT OR UPDATE OR DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION seal_audit_log();

-- Of an update {"column": [old, new]}, of a deletion the row, of an insertion nothing: the row
-- has it. The arguments are columns whose values must be erasable (personal data) or follow from
-- others: they are named and shown as null.
CREATE FUNCTION audit_row() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    row_then jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
    row_now  jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
    hidden   text[] := coalesce(TG_ARGV::text[], '{}');
    changes  jsonb := '{}';
BEGIN
    IF TG_OP = 'DELETE' THEN
        changes := row_then - hidden;
    ELSIF TG_OP = 'UPDATE' THEN
        SELECT jsonb_object_agg(n.key, CASE WHEN n.key <> ALL (hidden)
                                       THEN jsonb_build_array(row_then -> n.key, n.value) END)
        INTO changes FROM jsonb_each(row_now) n
        WHERE n.value IS DISTINCT FROM row_then -> n.key AND n.key <> 'updated_at';
        IF changes IS NULL THEN
            RETURN NULL;
        END IF;
    END IF;
    PERFORM set_config('search_path', format('pg_catalog,%I,pg_temp', TG_TABLE_SCHEMA), true);
    INSERT INTO audit_log (action, table_name, row_id, changes)
    VALUES (TG_OP, TG_TABLE_NAME,
            coalesce(row_now, row_then) ->> CASE TG_TABLE_NAME WHEN 'settings' THEN 'key'
                                            WHEN 'prices' THEN 'variant_id' ELSE 'id' END, changes);
    RETURN NULL;
END
$$;

CREATE TRIGGER settings_z_audit AFTER INSERT OR UPDATE OR DELETE ON settings
    FOR EACH ROW EXECUTE FUNCTION audit_row();
CREATE TRIGGER products_z_audit AFTER INSERT OR UPDATE OR DELETE ON products
    FOR EACH ROW EXECUTE FUNCTION audit_row('search');
CREATE TRIGGER prices_z_audit AFTER INSERT OR UPDATE OR DELETE ON prices
    FOR EACH ROW EXECUTE FUNCTION audit_row();
CREATE TRIGGER discounts_z_audit AFTER INSERT OR DELETE OR UPDATE OF code, rate, amount, currency,
    min_amount, valid_from, valid_until, max_uses, max_uses_per_customer ON discounts
    FOR EACH ROW EXECUTE FUNCTION audit_row();
CREATE TRIGGER customers_z_audit AFTER INSERT OR UPDATE OR DELETE ON customers
    FOR EACH ROW EXECUTE FUNCTION audit_row('email', 'name', 'phone', 'company', 'tax_number');
CREATE TRIGGER orders_z_audit AFTER INSERT OR UPDATE OR DELETE ON orders
    FOR EACH ROW EXECUTE FUNCTION audit_row('email', 'billing_address', 'shipping_address');
CREATE TRIGGER payments_z_audit AFTER INSERT OR UPDATE ON payments
    FOR EACH ROW EXECUTE FUNCTION audit_row();
CREATE TRIGGER refunds_z_audit AFTER INSERT OR UPDATE ON refunds
    FOR EACH ROW EXECUTE FUNCTION audit_row();
CREATE TRIGGER returns_z_audit AFTER INSERT OR UPDATE OR DELETE ON returns
    FOR EACH ROW EXECUTE FUNCTION audit_row();
CREATE TRIGGER webhook_endpoints_z_audit AFTER INSERT OR UPDATE OR DELETE ON webhook_endpoints
    FOR EACH ROW EXECUTE FUNCTION audit_row();
