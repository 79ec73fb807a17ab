-- What a create does when the place is there already (a spare, a shared place): roles, memberships, the schema's own
-- rights, and what logins made ahead were given meanwhile; what the place is like, place_digest.sql says. Says whether
-- every rule must be asked: the place was made in this very transaction, or something is not as Tenantry makes it. It
-- finds all that is odd and says nothing about it, so that planning it takes little. Also whether the place is the
-- tenant's own, and birth_map.sql is to be asked.
SELECT (p.tier = 'schema' AND p.xmin = pg_current_xact_id()::xid)
       OR coalesce(o.is_odd, true)
       OR EXISTS (SELECT FROM pg_auth_members m
                   WHERE m.member = ANY (o.oids)
                     AND (m.admin_option
                          OR m.roleid NOT IN (to_regrole(quote_ident(i.tenants_role)),
                                              CASE WHEN p.tier = 'row' THEN to_regrole(quote_ident(p.app_role)) ELSE 0 END,
                                              CASE WHEN p.tier = 'row' THEN to_regrole(quote_ident(p.readonly_role)) ELSE 0 END)))
       OR EXISTS (SELECT FROM pg_auth_members m
                   WHERE m.roleid = ANY (o.oids) AND m.member <> to_regrole(quote_ident(SESSION_USER)))
       OR (p.tier = 'row'
           AND EXISTS (SELECT FROM pg_shdepend s
                        WHERE s.refclassid = 'pg_authid'::regclass AND s.refobjid = ANY (o.oids)))
       OR (p.tier = 'row'
           AND EXISTS (SELECT FROM pg_db_role_setting s, unnest(s.setconfig) c (setting)
                        WHERE s.setdatabase IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
                          AND s.setrole = ANY (o.oids)
                          AND split_part(c.setting, '=', 1) <> 'search_path' -- Tenantry gives it
                          AND split_part(c.setting, '=', 1) IN (
                              'search_path', 'role', 'session_authorization', 'row_security', 'session_replication_role',
                              'local_preload_libraries', 'session_preload_libraries', 'app.current_tenant_id',
                              'check_function_bodies', 'lo_compat_privileges', 'allow_system_table_mods',
                              'default_tablespace', 'temp_tablespaces', 'ignore_system_indexes')))
       OR (p.tier = 'schema'
           AND EXISTS (SELECT FROM pg_namespace n, aclexplode(n.nspacl) a
                        WHERE n.nspname = p.schema_name AND a.grantee <> ALL (o.oids))),
       p.tier = 'schema'
  FROM tenantry.tenants t
  JOIN tenantry.places p ON p.id = t.place_id
 CROSS JOIN tenantry.installation i
 CROSS JOIN LATERAL (
       SELECT array_agg(r.oid) AS oids,
              bool_or(r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolreplication OR r.rolcreatedb
                      OR (g.kind = 'owner' AND r.rolcanlogin)) AS is_odd
         FROM tenantry.roles g
         JOIN pg_roles r ON r.rolname = g.name
        WHERE g.tenant_id = t.id) o
 WHERE t.id = $1::uuid
