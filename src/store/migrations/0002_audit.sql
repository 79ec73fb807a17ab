-- The audit log. Run as its owner, a role that nobody is a member of afterwards: the role that Tenantry connects as
-- (SESSION_USER here) may read the log and append to it through one function, and has no other way to touch it.
--
-- Each tenant has a chain of its own; the installation's chain is the nil UUID. An entry's hash is an HMAC-SHA-256 by
-- Tenantry, with a key that is sealed under the master key, over the entry and the hash before it.

CREATE TABLE tenantry_audit.entries (
    chain uuid NOT NULL,
    seq bigint NOT NULL CHECK (seq > 0),
    at timestamptz NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    job_id bigint,
    detail json NOT NULL, -- json, not jsonb: the bytes that were hashed
    previous bytea NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (chain, seq, at)
) PARTITION BY RANGE (at);

-- Where each chain ends, so that a missing tail is noticed.
CREATE TABLE tenantry_audit.heads (
    chain uuid PRIMARY KEY,
    seq bigint NOT NULL,
    hash bytea NOT NULL
);

CREATE FUNCTION tenantry_audit.refuse() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog
AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON tenantry_audit.entries
    FOR EACH ROW EXECUTE FUNCTION tenantry_audit.refuse();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON tenantry_audit.entries
    FOR EACH STATEMENT EXECUTE FUNCTION tenantry_audit.refuse();

-- Makes the partition of the month that holds `at`, when it is not there.
CREATE FUNCTION tenantry_audit.ensure_partition(at timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog SET timezone = 'UTC'
AS $$
DECLARE
    first_day timestamptz := date_trunc('month', at);
    partition text := 'entries_' || to_char(at, 'YYYY_MM');
BEGIN
    IF to_regclass('tenantry_audit.' || partition) IS NOT NULL THEN
        RETURN;
    END IF;
    EXECUTE format('CREATE TABLE tenantry_audit.%I PARTITION OF tenantry_audit.entries FOR VALUES FROM (%L) TO (%L)',
                   partition, first_day, first_day + interval '1 month');
    EXECUTE format('CREATE TRIGGER no_truncate BEFORE TRUNCATE ON tenantry_audit.%I
                    FOR EACH STATEMENT EXECUTE FUNCTION tenantry_audit.refuse()', partition);
    EXECUTE format('GRANT SELECT ON tenantry_audit.%I TO SESSION_USER', partition);
EXCEPTION
    WHEN duplicate_table THEN
        NULL; -- another session made it at the same moment
END
$$;

-- The one way in. Refuses an entry that does not continue its chain; 40001 tells the caller to look again.
CREATE FUNCTION tenantry_audit.append(chain uuid, seq bigint, at_us bigint, actor text, action text, job_id bigint,
                                      detail json, previous bytea, hash bytea) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog SET timezone = 'UTC'
AS $$
DECLARE
    entry_at timestamptz := timestamptz 'epoch' + append.at_us * interval '1 microsecond';
BEGIN
    IF append.seq = 1 THEN
        INSERT INTO tenantry_audit.heads VALUES (append.chain, 1, append.hash) ON CONFLICT DO NOTHING;
    ELSE
        UPDATE tenantry_audit.heads h SET seq = append.seq, hash = append.hash
         WHERE h.chain = append.chain AND h.seq = append.seq - 1 AND h.hash = append.previous;
    END IF;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'audit chain "%" was continued by another session', append.chain
              USING ERRCODE = 'serialization_failure';
    END IF;
    PERFORM tenantry_audit.ensure_partition(entry_at);
    INSERT INTO tenantry_audit.entries
    VALUES (append.chain, append.seq, entry_at, append.actor, append.action, append.job_id, append.detail,
            append.previous, append.hash);
END
$$;

REVOKE ALL ON FUNCTION tenantry_audit.refuse() FROM PUBLIC;
REVOKE ALL ON FUNCTION tenantry_audit.ensure_partition(timestamptz) FROM PUBLIC;
REVOKE ALL ON FUNCTION tenantry_audit.append(uuid, bigint, bigint, text, text, bigint, json, bytea, bytea) FROM PUBLIC;
GRANT USAGE ON SCHEMA tenantry_audit TO SESSION_USER;
GRANT SELECT ON tenantry_audit.entries, tenantry_audit.heads TO SESSION_USER;
GRANT EXECUTE ON FUNCTION tenantry_audit.ensure_partition(timestamptz) TO SESSION_USER;
GRANT EXECUTE ON FUNCTION tenantry_audit.append(uuid, bigint, bigint, text, text, bigint, json, bytea, bytea)
    TO SESSION_USER;
SELECT tenantry_audit.ensure_partition(now());
