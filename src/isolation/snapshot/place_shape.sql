-- One text that two places of one version have in common, for a place that was made in this transaction and its tenant $1:
-- what the stamp made and with which rights, what its roles are and lead to, and what such places hang on. Names of the
-- place are random tokens, so they are neutralised in the whole text. What only the stamp's text decides (columns,
-- expressions) is not read again, but it is counted. With it the place and the text for which the rules last passed. All by
-- index.
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
      JOIN pg_depend d ON d.refclassid = 'pg_namespace'::regclass AND d.refobjid = p.nspoid
), item (value) AS (
    SELECT concat_ws(' ', 'schema', p.nspowner = p.owner_id, p.nspacl) FROM place p
    UNION ALL
    SELECT concat_ws(' ', 'role', r.rolname, r.rolsuper, r.rolbypassrls, r.rolcreaterole, r.rolreplication, r.rolcreatedb,
                     r.rolcanlogin)
      FROM pg_roles r WHERE r.oid = ANY (ARRAY(SELECT b.oid FROM bearer b))
    UNION ALL
    SELECT concat_ws(' ', 'member', m.roleid::regrole, m.member::regrole, m.admin_option)
      FROM pg_auth_members m WHERE m.member = ANY (ARRAY(SELECT b.oid FROM bearer b))
    UNION ALL
    SELECT concat_ws(' ', 'has member', m.roleid::regrole, m.member::regrole, m.admin_option)
      FROM place p JOIN pg_auth_members m ON m.roleid = ANY (p.roles)
    UNION ALL
    SELECT concat_ws(' ', 'setting', s.setrole::regrole, s.setdatabase, c.setting)
      FROM place p
      JOIN pg_db_role_setting s ON s.setrole = ANY (p.roles)
     CROSS JOIN LATERAL unnest(s.setconfig) c (setting)
     WHERE c.setting ~ '^(search_path|role|session_authorization|row_security|session_replication_role|.*preload.*|app\.)'
    UNION ALL -- what the roles own or may do: how much of it the place's own, and what exactly those that were there
    SELECT concat_ws(' ', 'right', b.oid::regrole, s.dbid, s.classid, s.deptype, count(*),
                     CASE WHEN b.oid <> ALL (p.roles) THEN array_agg(s.objid ORDER BY s.objid) END)
      FROM place p
     CROSS JOIN bearer b
     CROSS JOIN LATERAL (SELECT x.dbid, x.classid, x.objid, x.deptype FROM pg_shdepend x
                          WHERE x.refclassid = 'pg_authid'::regclass AND x.refobjid = b.oid OFFSET 0) s
     GROUP BY p.roles, b.oid, s.dbid, s.classid, s.deptype
    UNION ALL
    SELECT concat_ws(' ', 'default rights', d.defaclrole::regrole, d.defaclnamespace = p.nspoid, d.defaclobjtype, d.defaclacl)
      FROM place p JOIN pg_default_acl d ON d.defaclrole = ANY (p.roles)
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
    UNION ALL -- Tenantry's schemas: without a right on them, rights in them are of no use
    SELECT concat_ws(' ', 'control', n.oid, n.xmin)
      FROM pg_namespace n WHERE n.nspname IN ('tenantry', 'tenantry_audit', 'tenancy', 'tenancy_guards')
    UNION ALL -- what tenants may call and read there
    SELECT concat_ws(' ', 'tenancy', d.classid, d.objid, coalesce(c.xmin, f.xmin))
      FROM pg_depend d
      LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
      LEFT JOIN pg_proc f ON d.classid = 'pg_proc'::regclass AND f.oid = d.objid
     WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = to_regnamespace('tenancy')
    UNION ALL -- a superuser's code that runs within the stamp
    SELECT concat_ws(' ', 'event trigger', e.oid, e.xmin) FROM pg_event_trigger e
)
SELECT p.id, s.digest,
       (SELECT encode(sha256(convert_to(replace(replace(replace(replace(string_agg(i.value, E'\n' ORDER BY i.value COLLATE "C"),
                   p.owner, '{owner}'), p.app, '{app}'), p.readonly, '{readonly}'), p.schema, '{schema}'), 'UTF8')), 'hex')
          FROM item i)
  FROM place p
  LEFT JOIN tenantry.place_shapes s ON s.blueprint = p.blueprint AND s.version = p.version
