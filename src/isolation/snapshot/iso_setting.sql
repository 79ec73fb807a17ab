-- Settings of tenants' roles, and of Tenantry's own, that could matter. is_own: a tenant's login, like every role, may have
-- set it for itself.
SELECT o.tenant_id, o.rolname, split_part(c.setting, '=', 1) AS name,
       substr(c.setting, strpos(c.setting, '=') + 1) AS value,
       CASE WHEN s.setdatabase = 0 THEN '' ELSE format(' IN DATABASE %I', current_database()) END AS in_database,
       o.kind IN ('app', 'readonly')
       AND split_part(c.setting, '=', 1) NOT IN ('session_replication_role', 'session_preload_libraries',
               'app.current_tenant_id', 'lo_compat_privileges', 'allow_system_table_mods', 'ignore_system_indexes') AS is_own
  FROM (SELECT oid, rolname, tenant_id, kind, true AS is_tenant FROM iso_own
        UNION ALL
        SELECT r.oid, r.rolname, NULL, 'control', false
          FROM (SELECT p.owner AS oid FROM iso_place p WHERE p.kind = 'control'
                UNION
                SELECT u.oid FROM pg_roles u WHERE u.rolname = SESSION_USER) c
          JOIN pg_roles r USING (oid)) o
  JOIN pg_db_role_setting s ON s.setrole = o.oid
   AND s.setdatabase IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
 CROSS JOIN LATERAL unnest(s.setconfig) c (setting)
 WHERE split_part(c.setting, '=', 1) IN ('search_path', 'role', 'session_authorization', 'row_security',
           'session_replication_role', 'local_preload_libraries', 'session_preload_libraries', 'app.current_tenant_id',
           'check_function_bodies', 'lo_compat_privileges', 'allow_system_table_mods', 'default_tablespace',
           'temp_tablespaces', 'ignore_system_indexes')
   -- Where Tenantry puts its tables is its own choice.
   AND (o.is_tenant
        OR split_part(c.setting, '=', 1) NOT IN ('check_function_bodies', 'default_tablespace', 'temp_tablespaces'))
