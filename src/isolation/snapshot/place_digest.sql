-- One text that changes whenever something changes in a place that keeps tenants apart: of the tenant $1, or of the spare
-- that is to be its. With it the place and the text that it had when the rules last passed. A row of the catalogue is told
-- by its version (xmin), which every change of it renews, where that costs less than its columns. All by index: what is in
-- a schema by its dependencies. What a create itself changes is left out; snapshot/birth.sql asks that. $2: also where the
-- place was made in this very transaction; $3: the program's version, for another one has other rules.
WITH RECURSIVE place AS MATERIALIZED (
    SELECT p.id, p.tier, p.owner_role, n.oid AS nspoid, n.nspowner, n.nspacl, ARRAY[o.oid, a.oid, r.oid] AS roles
      FROM (SELECT t.place_id FROM tenantry.tenants t WHERE t.id = $1::uuid AND t.place_id IS NOT NULL
            UNION ALL
            SELECT s.place_id FROM tenantry.spares s WHERE s.tenant_id = $1::uuid) x
      JOIN tenantry.places p ON p.id = x.place_id
      JOIN pg_namespace n ON n.nspname = p.schema_name
      JOIN pg_roles o ON o.rolname = p.owner_role
      JOIN pg_roles a ON a.rolname = p.app_role
      JOIN pg_roles r ON r.rolname = p.readonly_role
     WHERE $2::boolean OR p.tier = 'row' OR p.xmin <> pg_current_xact_id()::xid
), control AS MATERIALIZED (
    SELECT n.oid, n.nspname, n.nspowner, n.xmin AS version
      FROM pg_namespace n
     WHERE n.nspname IN ('tenantry', 'tenantry_audit', 'tenancy', 'tenancy_guards', 'tenancy_kept', 'tenantry_ext',
                         'pg_catalog')
), space AS MATERIALIZED (
    SELECT p.nspoid, false AS is_shared FROM place p
    UNION ALL
    SELECT n.oid, true FROM control n WHERE n.nspname = 'tenancy'
), bearer (oid) AS (
    -- The place's roles, the group of all tenants, and every role that these are members of.
    SELECT unnest(p.roles) FROM place p
    UNION
    SELECT to_regrole(quote_ident(i.tenants_role)) FROM tenantry.installation i
    UNION
    SELECT m.roleid -- OFFSET: by index, not all members of the fleet held against these few
      FROM bearer b CROSS JOIN LATERAL (SELECT x.roleid FROM pg_auth_members x WHERE x.member = b.oid OFFSET 0) m
), member AS MATERIALIZED (
    SELECT s.is_shared, d.classid, d.objid
      FROM space s
     CROSS JOIN LATERAL (SELECT x.classid, x.objid FROM pg_depend x
                          WHERE x.refclassid = 'pg_namespace'::regclass AND x.refobjid = s.nspoid AND x.deptype = 'n'
                         OFFSET 0) d
), relation AS MATERIALIZED (
    SELECT c.oid, c.xmin AS version, c.reltype, c.relrowsecurity, c.relhasrules, c.relhastriggers
      FROM member m
      JOIN pg_class c ON c.oid = m.objid
     WHERE m.classid = 'pg_class'::regclass
), item (value) AS (
    SELECT concat_ws(' ', 'place', $3::text, p.nspoid, p.nspowner, p.nspacl, p.roles) FROM place p
    UNION ALL
    SELECT concat_ws(' ', 'role', r.oid, r.rolsuper, r.rolbypassrls, r.rolcreaterole, r.rolreplication, r.rolcreatedb,
                     CASE WHEN p.tier = 'row' OR r.oid <> ALL (p.roles) THEN r.rolcanlogin END)
      FROM place p CROSS JOIN pg_roles r WHERE r.oid = ANY (ARRAY(SELECT b.oid FROM bearer b))
    UNION ALL
    SELECT concat_ws(' ', 'member', m.roleid, m.member, m.admin_option)
      FROM pg_auth_members m
     WHERE m.member = ANY (ARRAY(SELECT b.oid FROM bearer b))
        OR (m.roleid = (SELECT p.roles[1] FROM place p) AND m.member <> to_regrole(quote_ident(SESSION_USER)))
    UNION ALL
    SELECT concat_ws(' ', 'setting', r.role, s.setdatabase, c.setting)
      FROM (SELECT unnest(p.roles) AS role FROM place p) r
     CROSS JOIN LATERAL (
           SELECT x.setdatabase, x.setconfig FROM pg_db_role_setting x WHERE x.setrole = r.role
              AND x.setdatabase IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())) OFFSET 0) s
     CROSS JOIN LATERAL unnest(s.setconfig) c (setting)
     WHERE split_part(c.setting, '=', 1) IN ('search_path', 'role', 'session_authorization', 'row_security',
               'session_replication_role', 'local_preload_libraries', 'session_preload_libraries', 'app.current_tenant_id',
               'check_function_bodies', 'lo_compat_privileges', 'allow_system_table_mods', 'default_tablespace',
               'temp_tablespaces', 'ignore_system_indexes')
    UNION ALL -- what the roles own or may do, here and elsewhere
    SELECT concat_ws(' ', 'right', b.oid, s.dbid, s.classid, s.deptype, array_agg(s.objid ORDER BY s.objid))
      FROM bearer b
     CROSS JOIN LATERAL (SELECT x.dbid, x.classid, x.objid, x.deptype FROM pg_shdepend x
                          WHERE x.refclassid = 'pg_authid'::regclass AND x.refobjid = b.oid OFFSET 0) s
     GROUP BY b.oid, s.dbid, s.classid, s.deptype
    UNION ALL
    SELECT concat_ws(' ', 'default rights', d.oid, d.xmin)
      FROM place p JOIN pg_default_acl d
        ON d.defaclrole = ANY (p.roles || (SELECT n.nspowner FROM control n WHERE n.nspname = 'tenantry'))
    UNION ALL -- those of others for the schema
    SELECT concat_ws(' ', 'default rights', d.oid, d.xmin)
      FROM place p
     CROSS JOIN LATERAL (SELECT x.classid, x.objid FROM pg_depend x
                          WHERE x.refclassid = 'pg_namespace'::regclass AND x.refobjid = p.nspoid OFFSET 0) n
      JOIN pg_default_acl d ON d.oid = n.objid AND n.classid = 'pg_default_acl'::regclass
    UNION ALL -- Tenantry's schemas: without a right on them, rights in them are of no use
    SELECT concat_ws(' ', 'control', n.oid, n.version) FROM control n
    UNION ALL -- what else a search_path can have: who may make things in the schemas of extensions, pg_database_owner too. And
              -- the rights on the database: that a role which had one has more, no dependency tells.
    SELECT concat_ws(' ', 'searched', d.datdba, d.datacl,
                     (SELECT array_agg(concat_ws(' ', e.oid, n.oid, n.xmin) ORDER BY e.oid)
                        FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace))
      FROM pg_database d WHERE d.datname = current_database()
    UNION ALL -- what policies are compared with
    SELECT concat_ws(' ', 'guard', y.oid, y.xmin)
      FROM place p JOIN pg_policy y ON y.polrelid = 'tenantry.guard'::regclass WHERE p.tier = 'row'
    UNION ALL -- what hangs on the place's things, here and elsewhere: children, views, foreign keys, other constraints, indexes,
              -- defaults, functions, triggers, policies; those that use the map are in every shared place. What is not a new
              -- object when it changes, keeps no tenants apart, or is told below.
              -- Hundreds, so they are added up: putting them in order and writing them out costs more than reading them.
    SELECT concat_ws(' ', 'used', count(*), sum(hashoidextended(u.objid, u.refobjid::bigint)),
                     sum(hashoidextended(u.refobjid, u.objid::bigint)))
      FROM (SELECT d.objid, d.refobjid
              FROM member m
              JOIN pg_depend d ON d.refclassid = m.classid AND d.refobjid = m.objid AND d.deptype IN ('a', 'n')
             WHERE NOT (m.is_shared AND d.classid IN ('pg_policy'::regclass, 'pg_trigger'::regclass))
            UNION ALL -- and on the types that come with them: of rows, of arrays
            SELECT d.objid, d.refobjid
              FROM pg_depend d
             WHERE d.refclassid = 'pg_type'::regclass AND d.deptype = 'n'
               AND d.refobjid = ANY (ARRAY(
                   SELECT unnest(ARRAY[y.oid, y.typarray])
                     FROM pg_type y
                    WHERE y.oid = ANY (ARRAY(SELECT c.reltype FROM relation c
                                             UNION ALL
                                             SELECT m.objid FROM member m WHERE m.classid = 'pg_type'::regclass))))) u
    UNION ALL
    SELECT concat_ws(' ', 'relation', c.oid, c.version) FROM relation c
    UNION ALL
    SELECT concat_ws(' ', 'column', a.attrelid, a.attnum, a.xmin)
      FROM relation c JOIN pg_attribute a ON a.attrelid = c.oid AND (a.attacl IS NOT NULL OR a.attname = 'tenant_id')
    UNION ALL
    SELECT concat_ws(' ', 'policy', y.oid, y.xmin)
      FROM relation c JOIN pg_policy y ON y.polrelid = c.oid WHERE c.relrowsecurity
    UNION ALL
    SELECT concat_ws(' ', 'rule', w.oid, w.xmin)
      FROM relation c JOIN pg_rewrite w ON w.ev_class = c.oid WHERE c.relhasrules
    UNION ALL
    SELECT concat_ws(' ', 'trigger', g.oid, g.xmin)
      FROM relation c JOIN pg_trigger g ON g.tgrelid = c.oid AND NOT g.tgisinternal WHERE c.relhastriggers
    UNION ALL
    SELECT concat_ws(' ', 'parent', h.inhrelid, h.inhparent) FROM relation c JOIN pg_inherits h ON h.inhrelid = c.oid
    UNION ALL
    SELECT concat_ws(' ', 'function', f.oid, f.xmin) -- and what Tenantry itself runs
      FROM (SELECT m.objid FROM member m WHERE m.classid = 'pg_proc'::regclass
            UNION ALL
            SELECT d.objid
              FROM control n
             CROSS JOIN LATERAL (SELECT x.objid FROM pg_depend x
                                  WHERE x.refclassid = 'pg_namespace'::regclass AND x.refobjid = n.oid
                                    AND x.classid = 'pg_proc'::regclass OFFSET 0) d
             WHERE n.nspname IN ('tenantry', 'tenantry_audit')) m
      JOIN pg_proc f ON f.oid = m.objid
    UNION ALL -- the guard that the place's owner keeps: who may execute it has that role's rights
    SELECT concat_ws(' ', 'kept', f.oid, f.xmin) FROM place p JOIN pg_proc f ON f.proname = p.owner_role
    UNION ALL
    SELECT concat_ws(' ', 'type', t.oid, t.xmin)
      FROM member m JOIN pg_type t ON t.oid = m.objid WHERE m.classid = 'pg_type'::regclass
)
SELECT p.id, d.digest,
       (SELECT encode(sha256(convert_to(string_agg(i.value, E'\n' ORDER BY i.value COLLATE "C"), 'UTF8')), 'hex')
          FROM item i)
  FROM place p
  LEFT JOIN tenantry.place_digests d ON d.place_id = p.id
