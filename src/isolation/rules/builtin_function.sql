SELECT o.tenant_id, NULL::uuid AS other_id, format('function %s', f.oid::regprocedure) AS object,
       format('%s may execute it', o.name) AS evidence,
       format('REVOKE EXECUTE ON FUNCTION %s FROM %s', f.oid::regprocedure, o.sql) AS mend
  FROM unnest(ARRAY['pg_read_file', 'pg_read_binary_file', 'pg_stat_file', 'pg_ls_dir', 'pg_ls_logdir', 'pg_ls_waldir',
                    'pg_ls_tmpdir', 'pg_ls_archive_statusdir', 'lo_import', 'lo_export', 'pg_reload_conf',
                    'pg_rotate_logfile', 'pg_create_restore_point', 'pg_switch_wal', 'pg_hba_file_rules',
                    'pg_show_all_file_settings', 'pg_get_shmem_allocations', 'pg_get_backend_memory_contexts',
                    'pg_log_backend_memory_contexts', 'pg_stat_reset', 'pg_config', 'pg_promote',
                    'pg_current_logfile']) w (name)
  JOIN pg_proc f ON f.proname = w.name AND f.pronamespace = 'pg_catalog'::regnamespace
 CROSS JOIN LATERAL aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) a
  JOIN iso_bearer o ON o.oid = a.grantee
