-- Tries statements as the role of the session, each in a subtransaction that is rolled back whatever comes of it. They
-- come as JSON in a setting and go the same way, as one line each: how far it came (setup, statement, done), SQLSTATE,
-- rows. A block that catches the errors keeps them out of the server's log, and is one round trip.
--
-- Nobody waits behind an attempt. A relation on which others hold a lock that we would wait for is not tried
-- (lock_not_available), nor are a partition's parents. A statement that locks the relation against everybody, once
-- rights allow it, comes with a question whether they do: if so, it is tried only while nobody has any lock there. A lock
-- that was not to be had says nothing about rights (of anything, a catalogue too); where they allow the statement, the
-- answer says so: how far it came is then "right".
--
-- A call is what a tenant wrote: it runs first, read-only, and whatever it does, raises or sets is undone before the
-- statement looks at what it read.
--
-- A time-out ends the round: what is left has no answers, and is sent again.
DO $probe$
DECLARE
    attempts pg_catalog.json := pg_catalog.current_setting('tenantry_probe.attempts');
    attempt pg_catalog.record;
    step pg_catalog.text;
    phase pg_catalog.text;
    busy pg_catalog.oid[];
    may_lock pg_catalog.bool;
    found_rows pg_catalog.int8;
    is_late pg_catalog.bool;
    answers pg_catalog.text := '';
BEGIN
    FOR attempt IN
        SELECT * FROM pg_catalog.json_to_recordset(attempts)
            AS a (sql pg_catalog.text, setup pg_catalog.text[], call pg_catalog.text, may pg_catalog.text,
                  relation pg_catalog.oid)
    LOOP
        found_rows := 0;
        may_lock := false;
        phase := 'setup';
        BEGIN
            IF attempt.relation IS NOT NULL AND busy IS NULL THEN
                busy := ARRAY(
                    SELECT other.oid
                      FROM pg_catalog.pg_locks l
                     CROSS JOIN LATERAL (
                        SELECT l.relation AS oid
                         UNION ALL
                        SELECT p.relid FROM pg_catalog.pg_partition_ancestors(l.relation) p) other
                     WHERE l.locktype = 'relation' AND l.pid <> pg_catalog.pg_backend_pid()
                       AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d
                                          WHERE d.datname = pg_catalog.current_database())
                       AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'));
            END IF;
            IF attempt.relation = ANY (busy) THEN
                IF attempt.may IS NOT NULL THEN
                    EXECUTE attempt.may INTO may_lock;
                END IF;
                RAISE lock_not_available;
            END IF;
            IF attempt.call IS NOT NULL THEN
                BEGIN
                    SET LOCAL transaction_read_only = on;
                    SET LOCAL search_path TO DEFAULT;
                    EXECUTE attempt.call;
                    RAISE EXCEPTION USING ERRCODE = 'TNROL';
                EXCEPTION
                    WHEN OTHERS OR ASSERT_FAILURE THEN
                        NULL;
                END;
            END IF;
            FOREACH step IN ARRAY attempt.setup LOOP
                EXECUTE step;
            END LOOP;
            phase := 'statement';
            IF attempt.may IS NOT NULL THEN
                EXECUTE attempt.may INTO may_lock;
                IF may_lock AND EXISTS (SELECT FROM pg_catalog.pg_locks l
                                         WHERE l.locktype = 'relation' AND l.relation = attempt.relation
                                           AND l.pid <> pg_catalog.pg_backend_pid()) THEN
                    RAISE lock_not_available;
                END IF;
            END IF;
            EXECUTE attempt.sql;
            GET DIAGNOSTICS found_rows = ROW_COUNT;
            phase := 'done';
            RAISE EXCEPTION USING ERRCODE = 'TNROL';
        EXCEPTION
            WHEN OTHERS OR QUERY_CANCELED OR ASSERT_FAILURE THEN
                is_late := SQLSTATE = '57014';
                IF SQLSTATE = '55P03' AND may_lock THEN
                    phase := 'right';
                END IF;
                answers := answers || phase || ' ' || SQLSTATE || ' ' || found_rows || E'\n';
        END;
        EXIT WHEN is_late;
    END LOOP;
    PERFORM pg_catalog.set_config('tenantry_probe.answers', answers, true);
END
$probe$
