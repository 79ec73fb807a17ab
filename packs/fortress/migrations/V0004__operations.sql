-- What surrounds the data: the audit log, the outbox of events, and files.

-- user_id has no foreign key: an entry outlives the user whom it names.
CREATE TABLE audit_logs (
    tenant_id  uuid        NOT NULL DEFAULT tenancy.current_tenant(),
    id         uuid        NOT NULL DEFAULT gen_random_uuid(),
    created_at timestamptz NOT NULL DEFAULT now(),
    entity     short_text  NOT NULL,
    entity_id  uuid,
    action     short_text  NOT NULL,
    user_id    uuid,
    diff       json_map NOT NULL DEFAULT '{}',
    PRIMARY KEY (id, created_at, tenant_id)
) PARTITION BY RANGE (created_at);

CREATE TABLE audit_logs_default PARTITION OF audit_logs DEFAULT;

CREATE INDEX ix_audit_logs_tenant_created ON audit_logs (tenant_id, created_at DESC);
CREATE INDEX ix_audit_logs_entity_created
    ON audit_logs (entity, entity_id, created_at DESC, tenant_id);
CREATE INDEX ix_audit_logs_user_created ON audit_logs (user_id, created_at DESC, tenant_id)
    WHERE user_id IS NOT NULL;

CREATE TRIGGER audit_logs_are_final BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_logs
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Notes that a row was made, changed or deleted, by whom (app.current_user_id, where the application
-- sets it) and which columns changed. Not their values: a log that cannot be changed is no place for
-- personal data.
CREATE FUNCTION audit_change() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
DECLARE
    before  jsonb := CASE WHEN TG_OP = 'INSERT' THEN '{}' ELSE to_jsonb(OLD) END;
    after   jsonb := CASE WHEN TG_OP = 'DELETE' THEN '{}' ELSE to_jsonb(NEW) END;
    changed jsonb;
BEGIN
    IF is_purge(TG_OP, TG_RELID) THEN
        RETURN NULL; -- the log goes as well
    END IF;
    IF TG_OP = 'UPDATE' THEN
        SELECT jsonb_agg(a.key ORDER BY a.key) INTO changed
        FROM jsonb_each(after) AS a
        WHERE a.value IS DISTINCT FROM before -> a.key
          AND a.key NOT IN ('updated_at', 'last_login_at', 'balance', 'total_amount');
        IF changed IS NULL THEN
            RETURN NULL;
        END IF;
    END IF;
    INSERT INTO audit_logs (tenant_id, entity, entity_id, action, user_id, diff)
    VALUES ((before || after ->> 'tenant_id')::uuid, TG_TABLE_NAME, (before || after ->> 'id')::uuid,
            lower(TG_OP), nullif(current_setting('app.current_user_id', true), '')::uuid,
            CASE WHEN changed IS NULL THEN '{}' ELSE jsonb_build_object('changed', changed) END);
    RETURN NULL;
END
$$;

-- An application may note what no trigger sees (a sign-in, an export), as of now. Such an entry cannot
-- look like one of a trigger.
CREATE FUNCTION guard_audit_logs() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
    IF NOT comes_from_trigger() AND EXISTS (
            SELECT FROM added
            WHERE lower(action) ~ '^[^a-z]*(insert|update|delete)[^a-z]*$'
               OR created_at <> now()) THEN
        RAISE EXCEPTION 'changes of rows are audited by triggers, and every entry as of now'
            USING ERRCODE = 'restrict_violation',
                  HINT = 'Give another action, and leave created_at out.';
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER audit_logs_guard AFTER INSERT ON audit_logs
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION guard_audit_logs();

CREATE TRIGGER users_audit AFTER INSERT OR UPDATE OR DELETE ON users
    FOR EACH ROW EXECUTE FUNCTION audit_change();
CREATE TRIGGER accounts_audit AFTER INSERT OR DELETE ON accounts
    FOR EACH ROW EXECUTE FUNCTION audit_change();
CREATE TRIGGER accounts_audit_update AFTER UPDATE ON accounts
    FOR EACH ROW WHEN (NEW.balance = OLD.balance) EXECUTE FUNCTION audit_change();
CREATE TRIGGER orders_audit AFTER UPDATE OF status ON orders
    FOR EACH ROW EXECUTE FUNCTION audit_change();

-- Events wait here until a publisher has sent them. id counts 1, 2, 3 ... for each tenant, in the
-- order of commits and without gaps: whoever writes events holds outbox_positions until the end of
-- its transaction, so a reader that has seen n has seen all before it.
CREATE DOMAIN event_status AS text CHECK (VALUE IN ('pending', 'sent', 'failed'));

CREATE TABLE outbox_positions (
    tenant_id uuid   NOT NULL DEFAULT tenancy.current_tenant(),
    last_id   bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id)
);

CREATE TABLE events_outbox (
    tenant_id    uuid         NOT NULL DEFAULT tenancy.current_tenant(),
    id           bigint       NOT NULL,
    event_id     uuid         NOT NULL DEFAULT gen_random_uuid(),
    aggregate    short_text   NOT NULL,
    aggregate_id uuid,
    event_type   short_text   NOT NULL,
    version      integer      NOT NULL DEFAULT 1,
    payload      json_map     NOT NULL,
    occurred_at  timestamptz  NOT NULL DEFAULT now(),
    status       event_status NOT NULL DEFAULT 'pending',
    attempts     integer      NOT NULL DEFAULT 0,
    claimed_by   short_text,
    claimed_at   timestamptz,
    created_at   timestamptz  NOT NULL DEFAULT now(),
    sent_at      timestamptz,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT events_outbox_sent_has_time CHECK ((status = 'sent') = (sent_at IS NOT NULL))
);

CREATE UNIQUE INDEX ux_events_outbox_event ON events_outbox (event_id, tenant_id);
CREATE INDEX ix_outbox_status ON events_outbox (tenant_id, id) WHERE status = 'pending';

-- The number of the last row is kept in a setting during one statement, so that a statement with
-- many events writes the position once. The setting is anybody's to change, so the end of the
-- statement holds the numbers against the position.
CREATE FUNCTION outbox_begin() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
DECLARE
    position bigint;
BEGIN
    INSERT INTO outbox_positions DEFAULT VALUES ON CONFLICT DO NOTHING;
    SELECT last_id INTO position FROM outbox_positions
    WHERE tenant_id = tenancy.current_tenant() FOR UPDATE;
    PERFORM set_config('fortress.outbox_position', position::text, true);
    RETURN NULL;
END
$$;

CREATE FUNCTION outbox_number() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
    NEW.id := current_setting('fortress.outbox_position')::bigint + 1;
    NEW.created_at := now();
    PERFORM set_config('fortress.outbox_position', NEW.id::text, true);
    RETURN NEW;
END
$$;

CREATE FUNCTION outbox_end() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
DECLARE
    numbers record;
BEGIN
    SELECT count(*) AS total, min(id) AS first, max(id) AS last INTO numbers FROM added;
    IF numbers.total = 0 THEN
        RETURN NULL;
    END IF;
    UPDATE outbox_positions SET last_id = numbers.last
    WHERE tenant_id = tenancy.current_tenant() AND last_id = numbers.first - 1
      AND numbers.last - numbers.first + 1 = numbers.total;
    IF NOT FOUND OR EXISTS (
            SELECT FROM added WHERE tenant_id <> (SELECT tenancy.current_tenant())) THEN
        RAISE EXCEPTION 'events are numbered one by one'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END
$$;

-- What was said stays said; a publisher notes what became of it. A year after it was written down a
-- sent event may go.
CREATE FUNCTION guard_outbox() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.status = 'sent' AND OLD.created_at < now() - INTERVAL '1 year'
           OR is_purge(TG_OP, TG_RELID) THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'an event is kept until it is sent, and for a year'
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.status = 'sent' OR
       (NEW.tenant_id, NEW.id, NEW.event_id, NEW.aggregate, NEW.event_type, NEW.version,
        NEW.payload::text, NEW.occurred_at, NEW.created_at)
       <> (OLD.tenant_id, OLD.id, OLD.event_id, OLD.aggregate, OLD.event_type, OLD.version,
           OLD.payload::text, OLD.occurred_at, OLD.created_at)
       OR NEW.aggregate_id IS DISTINCT FROM OLD.aggregate_id THEN
        RAISE EXCEPTION 'an event does not change, and not at all once it is sent'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER events_outbox_begin BEFORE INSERT ON events_outbox
    FOR EACH STATEMENT EXECUTE FUNCTION outbox_begin();
CREATE TRIGGER events_outbox_number BEFORE INSERT ON events_outbox
    FOR EACH ROW EXECUTE FUNCTION outbox_number();
CREATE TRIGGER events_outbox_end AFTER INSERT ON events_outbox
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION outbox_end();
CREATE TRIGGER events_outbox_guard BEFORE UPDATE OR DELETE ON events_outbox
    FOR EACH ROW EXECUTE FUNCTION guard_outbox();

CREATE TRIGGER outbox_positions_are_derived
    BEFORE INSERT OR UPDATE OR DELETE ON outbox_positions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_direct_change();

-- The oldest events that nobody works on: claimed for this publisher, and given back. What a
-- publisher claimed and did not finish within the lease is free again. (Materialized: as the inner
-- side of a join the subquery could run several times, and take other rows each time.)
CREATE FUNCTION claim_events(publisher text, most integer DEFAULT 100,
                             lease interval DEFAULT INTERVAL '1 minute')
RETURNS SETOF events_outbox
LANGUAGE sql
BEGIN ATOMIC
    WITH free AS MATERIALIZED (
        SELECT tenant_id, id FROM events_outbox
        WHERE tenant_id = tenancy.current_tenant() AND status = 'pending'
          AND (claimed_at IS NULL OR claimed_at < now() - lease)
        ORDER BY id LIMIT most FOR UPDATE SKIP LOCKED)
    UPDATE events_outbox e
    SET claimed_by = publisher, claimed_at = now(), attempts = e.attempts + 1
    FROM free
    WHERE e.tenant_id = free.tenant_id AND e.id = free.id
    RETURNING e.*;
END;

-- The contents are in an object store.
CREATE TABLE attachments (
    tenant_id    uuid        NOT NULL DEFAULT tenancy.current_tenant(),
    id           uuid        NOT NULL DEFAULT gen_random_uuid(),
    entity       short_text  NOT NULL,
    entity_id    uuid        NOT NULL,
    user_id      uuid,
    s3_key       short_text  NOT NULL,
    file_name    short_text  NOT NULL,
    content_type short_text  NOT NULL,
    size_bytes   bigint      NOT NULL,
    sha256       bytea       NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, tenant_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id),
    CONSTRAINT attachments_contents CHECK (size_bytes >= 0 AND length(sha256) = 32)
);

CREATE INDEX ix_attachments_entity ON attachments (entity, entity_id, tenant_id);
CREATE INDEX ix_attachments_user ON attachments (user_id, tenant_id) WHERE user_id IS NOT NULL;
