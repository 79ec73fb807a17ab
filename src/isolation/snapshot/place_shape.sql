-- One text for a place that was made in this transaction and its tenant $1. The place is what the stamp made of it, so what
-- the stamp's text alone decides (columns, expressions) is only counted; told are owners, rights and functions, what its
-- roles are, own and may do, and what was there before that every place depends on, by the versions of its rows (xmin). Names
-- of the place are random tokens, so they are neutralised in the whole text, and two places of one version have it in common.
-- There is none where an event trigger could have made the place another. $2 is the version of the program, which has the
-- rules. With it the place, and the text again if the rules passed for it. All by index.
WITH RECURSIVE place AS MATERIALIZED (
    SELECT p.id, p.blueprint, p.version, p.schema_name::text AS schema, p.owner_role::text AS owner,
           p.app_role::text AS app, p.readonly_role::text AS readonly, n.oid AS nspoid, n.nspowner, n.nspacl,
           to_regrole(quote_ident(p.owner_role))::oid AS owner_id,
           ARRAY[to_regrole(quote_ident(p.owner_role)), to_regrole(quote_ident(p.app_role)),
                 to_regrole(quote_ident(p.readonly_role))]::oid[] AS roles
      FROM tenantry.tenants t
      JOIN tenantry.places p ON p.id = t.place_id
      JOIN pg_namespace n ON n.nspname = p.schema_name
     WHERE t.id = $1::uuid AND p.xmin = pg_current_xact_id()::xid
), bearer (oid) AS (
    -- The place's roles, the group of all tenants, and every role that these are members of.
    SELECT unnest(p.roles) FROM place p
    UNION
    SELECT to_regrole(quote_ident(i.tenants_role)) FROM tenantry.installation i
    UNION
    SELECT m.roleid
      FROM bearer b CROSS JOIN LATERAL (SELECT x.roleid FROM pg_auth_members x WHERE x.member = b.oid OFFSET 0) m
), made AS MATERIALIZED (
    SELECT d.classid, d.objid
      FROM place p
     CROSS JOIN LATERAL (SELECT x.classid, x.objid FROM pg_depend x
                          WHERE x.refclassid = 'pg_namespace'::regclass AND x.refobjid = p.nspoid OFFSET 0) d
), space AS MATERIALIZED (
    SELECT n.oid, n.nspname, n.nspowner, n.xmin AS version
      FROM pg_namespace n
     WHERE n.nspname IN ('tenantry', 'tenantry_audit', 'tenancy', 'tenancy_guards', 'tenancy_kept', 'tenantry_ext', 'public',
                         'pg_catalog')
), item (value) AS (
    SELECT concat_ws(' ', 'schema', $2::text, p.nspowner = p.owner_id, p.nspacl) FROM place p
    UNION ALL
    SELECT concat_ws(' ', 'role', r.rolname, r.rolsuper, r.rolbypassrls, r.rolcreaterole, r.rolreplication, r.rolcreatedb,
                     r.rolcanlogin)
      FROM pg_roles r WHERE r.oid = ANY (ARRAY(SELECT b.oid FROM bearer b))
    UNION ALL
    SELECT concat_ws(' ', 'member', m.roleid::regrole, m.member::regrole, m.admin_option)
      FROM bearer b CROSS JOIN LATERAL (
           SELECT x.roleid, x.member, x.admin_option FROM pg_auth_members x WHERE x.member = b.oid OFFSET 0) m
    UNION ALL
    SELECT concat_ws(' ', 'has member', m.roleid::regrole, m.member::regrole, m.admin_option)
      FROM (SELECT unnest(p.roles) AS role FROM place p) r CROSS JOIN LATERAL (
           SELECT x.roleid, x.member, x.admin_option FROM pg_auth_members x WHERE x.roleid = r.role OFFSET 0) m
    UNION ALL
    SELECT concat_ws(' ', 'setting', r.role::regrole, s.setdatabase, c.setting)
      FROM (SELECT b.oid AS role FROM bearer b UNION SELECT n.nspowner FROM space n
            UNION SELECT to_regrole(quote_ident(SESSION_USER))) r
     CROSS JOIN LATERAL (
           SELECT x.setdatabase, x.setconfig FROM pg_db_role_setting x WHERE x.setrole = r.role
              AND x.setdatabase IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())) OFFSET 0) s
     CROSS JOIN LATERAL unnest(s.setconfig) c (setting)
     WHERE split_part(c.setting, '=', 1) IN ('search_path', 'role', 'session_authorization', 'row_security',
               'session_replication_role', 'local_preload_libraries', 'session_preload_libraries', 'app.current_tenant_id',
               'check_function_bodies', 'lo_compat_privileges', 'allow_system_table_mods', 'default_tablespace',
               'temp_tablespaces', 'ignore_system_indexes')
    UNION ALL -- how much the place's own roles own or may do
    SELECT concat_ws(' ', 'own', b.role::regrole, s.dbid, s.classid, s.deptype, count(*))
      FROM (SELECT unnest(p.roles) AS role FROM place p) b
     CROSS JOIN LATERAL (SELECT x.dbid, x.classid, x.deptype FROM pg_shdepend x
                          WHERE x.refclassid = 'pg_authid'::regclass AND x.refobjid = b.role OFFSET 0) s
     GROUP BY b.role, s.dbid, s.classid, s.deptype
    UNION ALL -- and what exactly the others
    SELECT concat_ws(' ', 'right', b.oid, s.dbid, s.classid, s.objid, s.objsubid, s.deptype,
                     CASE s.classid
                          WHEN 'pg_class'::regclass THEN (SELECT c.xmin::text FROM pg_class c WHERE c.oid = s.objid)
                          WHEN 'pg_proc'::regclass THEN (SELECT f.xmin::text FROM pg_proc f WHERE f.oid = s.objid)
                          WHEN 'pg_namespace'::regclass THEN (SELECT n.xmin::text FROM pg_namespace n WHERE n.oid = s.objid)
                          WHEN 'pg_type'::regclass THEN (SELECT y.xmin::text FROM pg_type y WHERE y.oid = s.objid)
                          WHEN 'pg_database'::regclass THEN (SELECT e.datacl::text FROM pg_database e WHERE e.oid = s.objid)
                     END,
                     CASE WHEN s.objsubid <> 0
                          THEN (SELECT a.attacl FROM pg_attribute a WHERE a.attrelid = s.objid AND a.attnum = s.objsubid) END)
      FROM place p
     CROSS JOIN bearer b
     CROSS JOIN LATERAL (SELECT x.dbid, x.classid, x.objid, x.objsubid, x.deptype FROM pg_shdepend x
                          WHERE x.refclassid = 'pg_authid'::regclass AND x.refobjid = b.oid OFFSET 0) s
     WHERE b.oid <> ALL (p.roles)
    UNION ALL
    SELECT concat_ws(' ', 'default rights', d.defaclrole::regrole, d.defaclnamespace = p.nspoid, d.defaclobjtype, d.defaclacl)
      FROM place p
      JOIN pg_default_acl d
        ON d.defaclrole = ANY (p.roles || ARRAY(SELECT s.nspowner FROM space s) || to_regrole(quote_ident(SESSION_USER))::oid)
    UNION ALL
    SELECT concat_ws(' ', 'relation', c.relname, c.relkind, c.relowner = p.owner_id, c.relrowsecurity, c.relforcerowsecurity,
                     c.relhasrules, c.relhastriggers, c.relnatts, c.relacl)
      FROM place p CROSS JOIN made m JOIN pg_class c ON c.oid = m.objid WHERE m.classid = 'pg_class'::regclass
    UNION ALL
    SELECT concat_ws(' ', 'function', f.proname, f.proowner = p.owner_id, f.prosecdef, f.proleakproof, f.prolang, f.pronargs,
                     f.proacl, f.proconfig, f.prosrc, f.probin)
      FROM place p CROSS JOIN made m JOIN pg_proc f ON f.oid = m.objid WHERE m.classid = 'pg_proc'::regclass
    UNION ALL
    SELECT concat_ws(' ', 'made', m.classid, count(*)) FROM made m GROUP BY m.classid
    UNION ALL -- without a right on Tenantry's schemas, rights in them are of no use
    SELECT concat_ws(' ', 'space', s.oid, s.version) FROM space s
    UNION ALL -- what else a search_path can have: who may make things in the schemas of extensions, pg_database_owner too
    SELECT concat_ws(' ', 'searched', d.datdba,
                     (SELECT array_agg(concat_ws(' ', e.oid, n.oid, n.xmin) ORDER BY e.oid)
                        FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace))
      FROM pg_database d WHERE d.datname = current_database()
    UNION ALL -- what every tenant may call and read there, the map first of all
    SELECT concat_ws(' ', 'tenancy', d.classid, d.objid,
                     CASE d.classid WHEN 'pg_proc'::regclass THEN (SELECT f.xmin::text FROM pg_proc f WHERE f.oid = d.objid)
                          WHEN 'pg_class'::regclass THEN concat_ws(' ',
                               (SELECT c.xmin FROM pg_class c WHERE c.oid = d.objid),
                               (SELECT array_agg(a.attacl ORDER BY a.attnum) FROM pg_attribute a
                                 WHERE a.attrelid = d.objid AND a.attacl IS NOT NULL),
                               (SELECT array_agg(concat_ws(' ', y.oid, y.xmin) ORDER BY y.oid) FROM pg_policy y
                                 WHERE y.polrelid = d.objid),
                               (SELECT array_agg(concat_ws(' ', g.oid, g.xmin) ORDER BY g.oid) FROM pg_trigger g
                                 WHERE g.tgrelid = d.objid),
                               (SELECT array_agg(concat_ws(' ', w.oid, w.xmin) ORDER BY w.oid) FROM pg_rewrite w
                                 WHERE w.ev_class = d.objid)) END)
      FROM space s
     CROSS JOIN LATERAL (SELECT x.classid, x.objid FROM pg_depend x
                          WHERE x.refclassid = 'pg_namespace'::regclass AND x.refobjid = s.oid OFFSET 0) d
     WHERE s.nspname = 'tenancy'
)
SELECT p.id, s.digest, x.digest
  FROM place p
 CROSS JOIN LATERAL (
       SELECT encode(sha256(convert_to(replace(replace(replace(replace(string_agg(i.value, E'\n' ORDER BY i.value COLLATE "C"),
                   p.owner, '{owner}'), p.app, '{app}'), p.readonly, '{readonly}'), p.schema, '{schema}'), 'UTF8')), 'hex')
          AS digest
          FROM item i) x
  LEFT JOIN tenantry.place_shapes s ON s.blueprint = p.blueprint AND s.version = p.version AND s.digest = x.digest
 WHERE NOT EXISTS (SELECT FROM pg_event_trigger e
                    WHERE e.evtenabled <> 'D'
                      AND NOT EXISTS (SELECT
                                        FROM pg_depend d
                                        JOIN pg_extension x ON x.oid = d.refobjid AND x.oid BETWEEN 16384 AND e.oid
                                       WHERE d.classid = 'pg_event_trigger'::regclass AND d.objid = e.oid AND d.deptype = 'e'))
