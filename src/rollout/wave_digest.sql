-- What the places of a wave ($2) of a rollout ($1) have that they had not when it began, as far as the rules of isolation
-- look at it, as one digest for each place: of each digest one place. Scripts mostly do the same everywhere, and then there is
-- one; a place where they did something else is told apart. What was there before was held against the rules before.
--
-- A row of the catalogue is new when a later transaction wrote it. The names of a place's own schema and roles are left out.
-- All by index, so that it costs the places of the wave and not those of the fleet: what is in a schema by its dependencies.
-- Each row carries its place along (names): a join with the places would take each place with each row.
WITH since AS MATERIALIZED (
    SELECT age(r.began::xid) AS age FROM tenantry.rollouts r WHERE r.job_id = $1
), moved AS MATERIALIZED (
    SELECT ARRAY[t.id::text, t.slug, p.app_role, p.readonly_role, p.owner_role, p.schema_name] AS names,
           n.oid AS nspoid, n.nspowner, n.nspacl, o.oid AS owner, ARRAY[o.oid, a.oid, y.oid] AS roles
      FROM tenantry.rollout_places r
      JOIN tenantry.places p ON p.id = r.place_id
      JOIN tenantry.tenants t ON t.place_id = p.id
      JOIN pg_namespace n ON n.nspname = p.schema_name
      JOIN pg_roles o ON o.rolname = p.owner_role
      JOIN pg_roles a ON a.rolname = p.app_role
      JOIN pg_roles y ON y.rolname = p.readonly_role
     WHERE r.job_id = $1 AND r.wave = $2 AND r.state = 'done' AND p.tier = 'schema' AND t.state IN ('active', 'suspended')
), member AS MATERIALIZED (
    SELECT m.names, m.owner, d.classid, d.objid
      FROM moved m
      JOIN pg_depend d ON d.refclassid = 'pg_namespace'::regclass AND d.refobjid = m.nspoid AND d.deptype = 'n'
), relation AS MATERIALIZED (
    SELECT m.names, m.owner, c.oid, c.relname, c.relhasrules, c.relhastriggers, c.relhassubclass, c.relispartition,
           CASE WHEN age(c.xmin) <= s.age
                THEN concat_ws(' ', c.relkind, c.relowner = m.owner, c.relacl, c.reloptions, c.relrowsecurity,
                               c.relforcerowsecurity) END AS news
      FROM since s CROSS JOIN member m JOIN pg_class c ON c.oid = m.objid
     WHERE m.classid = 'pg_class'::regclass
), item (names, value) AS (
    SELECT m.names, concat_ws(' ', 'schema', m.nspowner = m.owner, m.nspacl) FROM moved m
    UNION ALL
    SELECT r.names, concat_ws(' ', 'relation', r.relname, r.news) FROM relation r WHERE r.news IS NOT NULL
    UNION ALL
    SELECT r.names, concat_ws(' ', 'column', r.relname, a.attname, a.attacl)
      FROM since s CROSS JOIN relation r JOIN pg_attribute a ON a.attrelid = r.oid
     WHERE a.attacl IS NOT NULL AND age(a.xmin) <= s.age
    UNION ALL
    SELECT m.names, concat_ws(' ', 'function', f.proname, oidvectortypes(f.proargtypes), f.proowner = m.owner, f.proacl,
                              f.prosecdef, f.proleakproof, f.proconfig, l.lanname, f.prosrc, pg_get_function_sqlbody(f.oid))
      FROM since s CROSS JOIN member m JOIN pg_proc f ON f.oid = m.objid JOIN pg_language l ON l.oid = f.prolang
     WHERE m.classid = 'pg_proc'::regclass AND age(f.xmin) <= s.age
    UNION ALL
    SELECT m.names, concat_ws(' ', 'type', t.typname, t.typtype, t.typowner = m.owner, t.typacl)
      FROM since s CROSS JOIN member m JOIN pg_type t ON t.oid = m.objid
     WHERE m.classid = 'pg_type'::regclass AND age(t.xmin) <= s.age
    UNION ALL
    SELECT m.names, concat_ws(' ', 'type constraint', k.conname, pg_get_constraintdef(k.oid))
      FROM since s CROSS JOIN member m JOIN pg_constraint k ON k.contypid = m.objid
     WHERE m.classid = 'pg_type'::regclass AND age(k.xmin) <= s.age
    UNION ALL
    SELECT r.names, concat_ws(' ', 'constraint', r.relname, k.conname, pg_get_constraintdef(k.oid))
      FROM since s CROSS JOIN relation r JOIN pg_constraint k ON k.conrelid = r.oid WHERE age(k.xmin) <= s.age
    UNION ALL
    SELECT r.names, concat_ws(' ', 'default', r.relname, f.adnum, pg_get_expr(f.adbin, f.adrelid))
      FROM since s CROSS JOIN relation r JOIN pg_attrdef f ON f.adrelid = r.oid WHERE age(f.xmin) <= s.age
    UNION ALL
    SELECT r.names, concat_ws(' ', 'rule', r.relname, w.rulename, pg_get_ruledef(w.oid))
      FROM since s CROSS JOIN relation r JOIN pg_rewrite w ON w.ev_class = r.oid
     WHERE r.relhasrules AND age(w.xmin) <= s.age
    UNION ALL
    SELECT r.names, concat_ws(' ', 'trigger', pg_get_triggerdef(g.oid), g.tgenabled)
      FROM since s CROSS JOIN relation r JOIN pg_trigger g ON g.tgrelid = r.oid
     WHERE r.relhastriggers AND NOT g.tgisinternal AND age(g.xmin) <= s.age
    UNION ALL
    SELECT r.names, concat_ws(' ', 'policy', r.relname, y.polname, y.polcmd, y.polpermissive,
                              ARRAY(SELECT pg_get_userbyid(u.role) FROM unnest(y.polroles) u (role)),
                              pg_get_expr(y.polqual, y.polrelid), pg_get_expr(y.polwithcheck, y.polrelid))
      FROM since s CROSS JOIN relation r JOIN pg_policy y ON y.polrelid = r.oid WHERE age(y.xmin) <= s.age
    UNION ALL
    SELECT r.names, concat_ws(' ', 'parent', r.relname, h.inhparent::regclass)
      FROM since s CROSS JOIN relation r JOIN pg_inherits h ON h.inhrelid = r.oid WHERE age(h.xmin) <= s.age
    UNION ALL
    SELECT r.names, concat_ws(' ', 'child', r.relname, h.inhrelid::regclass)
      FROM since s CROSS JOIN relation r JOIN pg_inherits h ON h.inhparent = r.oid
     WHERE r.relhassubclass AND age(h.xmin) <= s.age
    UNION ALL
    SELECT m.names, concat_ws(' ', 'default rights', d.defaclnamespace = m.nspoid, pg_get_userbyid(d.defaclrole),
                              d.defaclobjtype, d.defaclacl)
      FROM since s CROSS JOIN moved m JOIN pg_default_acl d ON d.defaclrole = ANY (m.roles) WHERE age(d.xmin) <= s.age
    UNION ALL
    SELECT m.names, concat_ws(' ', 'setting', pg_get_userbyid(g.setrole), g.setconfig)
      FROM since s CROSS JOIN moved m
      JOIN pg_db_role_setting g ON g.setrole = ANY (m.roles)
       AND g.setdatabase IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
     WHERE age(g.xmin) <= s.age
    UNION ALL
    SELECT m.names, concat_ws(' ', 'member', pg_get_userbyid(x.roleid), pg_get_userbyid(x.member), x.admin_option)
      FROM since s CROSS JOIN moved m JOIN pg_auth_members x ON x.roleid = ANY (m.roles) WHERE age(x.xmin) <= s.age
    UNION ALL
    SELECT m.names, concat_ws(' ', 'member of', pg_get_userbyid(x.roleid), pg_get_userbyid(x.member), x.admin_option)
      FROM since s CROSS JOIN moved m JOIN pg_auth_members x ON x.member = ANY (m.roles) WHERE age(x.xmin) <= s.age
    UNION ALL -- large objects, which are in no schema
    SELECT m.names, concat_ws(' ', 'large object', b.lomacl)
      FROM since s CROSS JOIN moved m
      JOIN pg_shdepend h ON h.refclassid = 'pg_authid'::regclass AND h.refobjid = ANY (m.roles)
       AND h.classid = 'pg_largeobject'::regclass
      JOIN pg_largeobject_metadata b ON b.oid = h.objid
     WHERE age(b.xmin) <= s.age
), digest AS (
    SELECT i.names, sha256(convert_to(replace(replace(replace(replace(
               string_agg(i.value, E'\n' ORDER BY i.value COLLATE "C"), i.names[3], E'\001app'), i.names[4], E'\001readonly'),
               i.names[5], E'\001owner'), i.names[6], E'\001schema'), 'UTF8')) AS digest
      FROM item i
     GROUP BY i.names
)
SELECT DISTINCT ON (d.digest) d.names[1] AS id, d.names[2] AS slug FROM digest d ORDER BY d.digest, d.names[2]
