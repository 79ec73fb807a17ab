-- Tries statements as the role of the session, each in a subtransaction that is rolled back whatever comes of it. They
-- come as JSON in a setting and go the same way, as one line each: how far it came (setup, statement, done), SQLSTATE,
-- rows. A block that catches the errors keeps them out of the server's log, and is one round trip.
--
-- Nobody waits behind an attempt. A relation on which others hold a lock that we would wait for is not tried
-- (lock_not_available). A statement that locks the relation against everybody, once rights allow it, comes with a
-- question whether they do: if so, it is tried only while nobody has any lock there.
--
-- A call is what a tenant wrote: it runs first, read-only, and whatever it does, raises or sets is undone before the
-- statement looks at what it read.
--
-- A time-out ends the round: what is left has no answers, and is sent again.
DO $probe$
DECLARE
    attempts pg_catalog.json[] := ARRAY(SELECT pg_catalog.json_array_elements(
        pg_catalog.current_setting('tenantry_probe.attempts')::pg_catalog.json));
    attempt pg_catalog.json;
    step pg_catalog.text;
    statement pg_catalog.text;
    phase pg_catalog.text;
    relation_oid pg_catalog.oid;
    busy pg_catalog.oid[];
    may_lock pg_catalog.bool;
    found_rows pg_catalog.int8;
    answers pg_catalog.text := '';
BEGIN
    FOREACH attempt IN ARRAY attempts LOOP
        found_rows := 0;
        phase := 'setup';
        statement := attempt ->> 'sql'; -- now: the setup may put other operators in the way
        BEGIN
            relation_oid := attempt ->> 'relation';
            IF relation_oid IS NOT NULL AND busy IS NULL THEN
                busy := ARRAY(
                    SELECT COALESCE(p.relid::pg_catalog.oid, l.relation)
                      FROM pg_catalog.pg_locks l
                      LEFT JOIN LATERAL pg_catalog.pg_partition_ancestors(l.relation) p ON true
                     WHERE l.relation IS NOT NULL AND l.pid <> pg_catalog.pg_backend_pid()
                       AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d
                                          WHERE d.datname = pg_catalog.current_database())
                       AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'));
            END IF;
            IF relation_oid = ANY (busy) THEN
                RAISE lock_not_available;
            END IF;
            IF attempt ->> 'call' IS NOT NULL THEN
                BEGIN
                    SET LOCAL transaction_read_only = on;
                    SET LOCAL search_path TO DEFAULT;
                    EXECUTE attempt ->> 'call';
                    RAISE EXCEPTION USING ERRCODE = 'TNROL';
                EXCEPTION
                    WHEN OTHERS OR ASSERT_FAILURE THEN
                        NULL;
                END;
            END IF;
            IF pg_catalog.json_array_length(attempt -> 'setup') > 0 THEN
                FOR step IN SELECT pg_catalog.json_array_elements_text(attempt -> 'setup') LOOP
                    EXECUTE step;
                END LOOP;
            END IF;
            phase := 'statement';
            IF attempt ->> 'may' IS NOT NULL THEN
                EXECUTE attempt ->> 'may' INTO may_lock;
                IF may_lock AND EXISTS (SELECT FROM pg_catalog.pg_locks l
                                         WHERE l.relation = relation_oid AND l.pid <> pg_catalog.pg_backend_pid()) THEN
                    RAISE lock_not_available;
                END IF;
            END IF;
            EXECUTE statement;
            GET DIAGNOSTICS found_rows = ROW_COUNT;
            phase := 'done';
            RAISE EXCEPTION USING ERRCODE = 'TNROL';
        EXCEPTION
            WHEN OTHERS OR QUERY_CANCELED OR ASSERT_FAILURE THEN
                answers := answers || phase || ' ' || SQLSTATE || ' ' || found_rows || E'\n';
        END;
        EXIT WHEN answers LIKE E'% 57014 _\n';
    END LOOP;
    PERFORM pg_catalog.set_config('tenantry_probe.answers', answers, true);
END
$probe$
