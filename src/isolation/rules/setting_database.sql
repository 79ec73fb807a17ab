SELECT NULL::uuid AS tenant_id, NULL::uuid AS other_id,
       format('setting %s%s', split_part(c.setting, '=', 1), CASE WHEN s.setdatabase = 0 THEN ' of every database' END)
       AS object,
       format('every session begins with %s', left(c.setting, 60)) AS evidence,
       CASE WHEN s.setdatabase = 0 THEN format('ALTER ROLE ALL RESET %s', split_part(c.setting, '=', 1))
            ELSE format('ALTER DATABASE %I RESET %s', current_database(), split_part(c.setting, '=', 1)) END AS mend
  FROM pg_db_role_setting s
 CROSS JOIN LATERAL unnest(s.setconfig) c (setting)
 WHERE s.setrole = 0
   AND s.setdatabase IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
   AND split_part(c.setting, '=', 1) IN ('role', 'row_security', 'session_replication_role', 'local_preload_libraries',
                                         'session_preload_libraries', 'app.current_tenant_id', 'lo_compat_privileges',
                                         'search_path', 'session_authorization', 'check_function_bodies',
                                         'allow_system_table_mods')
