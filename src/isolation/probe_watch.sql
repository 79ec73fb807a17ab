-- Looks whether the session whose number comes in a setting waits for this one: until it does, has waited for others, or the
-- time in another setting is over. true or false goes the same way. search_path is set again before: what made the rows left
-- it as the role has it.
DO $probe$
DECLARE
    prober pg_catalog.int4 := pg_catalog.current_setting('tenantry_probe.prober');
    until pg_catalog.timestamptz := pg_catalog.clock_timestamp()
        + pg_catalog.current_setting('tenantry_probe.watch')::pg_catalog.interval;
    ahead pg_catalog.int4[] := '{}';
    has_waited pg_catalog.bool := false;
    is_seen pg_catalog.bool := false;
BEGIN
    WHILE NOT is_seen AND NOT (has_waited AND ahead = '{}') AND pg_catalog.clock_timestamp() < until LOOP
        PERFORM pg_catalog.pg_sleep(0.001);
        ahead := pg_catalog.pg_blocking_pids(prober);
        has_waited := has_waited OR ahead <> '{}';
        is_seen := pg_catalog.pg_backend_pid() = ANY (ahead);
    END LOOP;
    PERFORM pg_catalog.set_config('tenantry_probe.answers', is_seen::pg_catalog.text, true);
END
$probe$
