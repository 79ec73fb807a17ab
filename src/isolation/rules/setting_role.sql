SELECT x.tenant_id, NULL::uuid AS other_id, format('role %s', x.rolname) AS object,
       format('it begins with %s = %s', x.name, left(x.value, 60)) AS evidence,
       format('ALTER ROLE %I RESET %s', x.rolname, x.name) AS mend
  FROM (SELECT o.tenant_id, o.rolname, o.nspoid, split_part(c.setting, '=', 1) AS name,
               substr(c.setting, strpos(c.setting, '=') + 1) AS value
          FROM iso_own o
          JOIN pg_db_role_setting s ON s.setrole = o.oid
           AND s.setdatabase IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
 CROSS JOIN LATERAL unnest(s.setconfig) c (setting)) x
 WHERE x.name IN ('role', 'session_authorization', 'row_security', 'session_replication_role', 'local_preload_libraries',
                  'session_preload_libraries', 'app.current_tenant_id', 'check_function_bodies', 'lo_compat_privileges',
                  'allow_system_table_mods', 'default_tablespace', 'temp_tablespaces', 'ignore_system_indexes')
