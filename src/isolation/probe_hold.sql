-- Makes the rows whose statements come as JSON in a setting, and leaves them to the open transaction. One digit each goes
-- the same way: 1 when it was made, 2 when a lock of others was in its way, 0 otherwise. Errors are caught here, so that they
-- are not in the server's log.
DO $probe$
DECLARE
    inserts pg_catalog.json := pg_catalog.current_setting('tenantry_probe.attempts');
    step pg_catalog.text;
    answers pg_catalog.text := '';
BEGIN
    SET LOCAL search_path TO DEFAULT;
    FOR step IN SELECT pg_catalog.json_array_elements_text(inserts) LOOP
        BEGIN
            EXECUTE step;
            answers := pg_catalog.concat(answers, '1');
        EXCEPTION
            WHEN lock_not_available THEN
                answers := pg_catalog.concat(answers, '2');
            WHEN OTHERS OR QUERY_CANCELED OR ASSERT_FAILURE THEN
                answers := pg_catalog.concat(answers, '0');
        END;
    END LOOP;
    PERFORM pg_catalog.set_config('tenantry_probe.answers', answers, true);
END
$probe$
