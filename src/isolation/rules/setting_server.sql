-- What the configuration says; settings of databases and roles are other rules'. What ALTER SYSTEM sets wins over every file,
-- which to reset would not; nothing in SQL wins over the command line.
-- Not from pg_settings: PUBLIC may UPDATE that view, so any tenant may lock it and nobody reads it meanwhile.
SELECT NULL::uuid AS tenant_id, NULL::uuid AS other_id, format('setting %s', s.name) AS object,
       format('it is %s, by %s', s.reset_val, s.source) AS evidence,
       CASE WHEN s.source <> 'command line' THEN format('ALTER SYSTEM SET %I = %L', s.name, w.value) END AS mend
  FROM pg_show_all_settings() s
  JOIN (VALUES ('session_replication_role', 'origin'), ('lo_compat_privileges', 'off'), ('row_security', 'on'),
               ('allow_system_table_mods', 'off'))
       w (name, value) ON w.name = s.name AND s.reset_val <> w.value
 WHERE s.source IN ('configuration file', 'command line', 'environment variable')
