DROP FUNCTION claim_events(text, integer, interval);
DROP TRIGGER orders_audit ON orders;
DROP TRIGGER accounts_audit_update ON accounts;
DROP TRIGGER accounts_audit ON accounts;
DROP TRIGGER users_audit ON users;
DROP TABLE attachments, events_outbox, outbox_positions, audit_logs;
DROP FUNCTION guard_outbox(), outbox_end(), outbox_number(), outbox_begin(), guard_audit_logs(),
    audit_change();
DROP DOMAIN event_status;
