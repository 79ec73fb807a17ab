-- Tries statements as the role of the session, each in a subtransaction that is rolled back whatever comes of it. They
-- come as JSON in a setting and go the same way, as one line each: how far it came (setup, statement, done), SQLSTATE,
-- rows. A block that catches the errors keeps them out of the server's log, and is one round trip.
DO $probe$
DECLARE
    attempts pg_catalog.json[] := ARRAY(SELECT pg_catalog.json_array_elements(
        pg_catalog.current_setting('tenantry_probe.attempts')::pg_catalog.json));
    attempt pg_catalog.json;
    step pg_catalog.text;
    statement pg_catalog.text;
    phase pg_catalog.text;
    found_rows pg_catalog.int8;
    answers pg_catalog.text := '';
BEGIN
    FOREACH attempt IN ARRAY attempts LOOP
        found_rows := 0;
        phase := 'setup';
        statement := attempt ->> 'sql'; -- now: the setup may put other operators in the way
        BEGIN
            IF pg_catalog.json_array_length(attempt -> 'setup') > 0 THEN
                FOR step IN SELECT pg_catalog.json_array_elements_text(attempt -> 'setup') LOOP
                    EXECUTE step;
                END LOOP;
            END IF;
            phase := 'statement';
            EXECUTE statement;
            GET DIAGNOSTICS found_rows = ROW_COUNT;
            phase := 'done';
            RAISE EXCEPTION USING ERRCODE = 'TNROL';
        EXCEPTION
            WHEN OTHERS THEN
                answers := answers || phase || ' ' || SQLSTATE || ' ' || found_rows || E'\n';
        END;
    END LOOP;
    PERFORM pg_catalog.set_config('tenantry_probe.answers', answers, true);
END
$probe$
