-- What the objects of findings are like, as one hash for each finding: an acceptance holds for what was looked at, and
-- evidence tells only what the rule asks. $1: [object, ...] as findings name them. Every name in the text of an object
-- counts, whatever stands before it: a name too many makes the hash stricter, never blind.
-- A name without a schema may be one of pg_catalog. Of some kinds nothing is read here; what stands in their names in
-- passing ("text" search, the arguments of an operator) must not look like their definition.
WITH token AS MATERIALIZED (
    SELECT o.n, m.parts[1] AS name,
           coalesce(substring(m.parts[1] FROM '^(?:"(?:[^"]|"")+"|[^."]+)[.](?:"(?:[^"]|"")+"|[^."]+)'),
                    'pg_catalog.' || m.parts[1]) AS pair
      FROM json_array_elements_text($1::json) WITH ORDINALITY o (object, n),
           LATERAL regexp_matches(o.object, '((?:"(?:[^"]|"")+"|[\w$]+)(?:[.](?:"(?:[^"]|"")+"|[\w$]+))*)', 'g') m (parts)
     WHERE o.object !~ ('^(access method|cast|collation|conversion|extension|line|operator|operator class|operator family|'
                        'statistics object|tablespace|text search \w+|transform) ')
), relation AS MATERIALIZED (
    SELECT t.n, c.*
      FROM pg_class c
      JOIN pg_namespace s ON s.oid = c.relnamespace
      JOIN (SELECT DISTINCT n, pair FROM token) t ON t.pair = format('%I.%I', s.nspname, c.relname)
     WHERE c.relkind <> 'c'
), role AS MATERIALIZED (
    SELECT DISTINCT t.n, r.* FROM pg_roles r JOIN token t ON t.name IN (quote_ident(r.rolname), r.rolname)
), part (n, what, text) AS (
    SELECT c.n, 'relation', concat_ws('|', c.oid::regclass, c.relkind, c.relowner::regrole, c.relrowsecurity,
               c.relforcerowsecurity, c.relispartition, c.reloptions,
               CASE WHEN c.relkind IN ('i', 'I') THEN pg_get_indexdef(c.oid) END)
      FROM relation c
    UNION ALL
    SELECT c.n, 'right', a.item::text FROM relation c, LATERAL unnest(c.relacl) a (item)
    UNION ALL
    SELECT c.n, 'policy', concat_ws('|', p.polname, p.polpermissive, p.polcmd,
               (SELECT string_agg(pg_get_userbyid(r), ',' ORDER BY r) FROM unnest(p.polroles) r),
               'USING', pg_get_expr(p.polqual, p.polrelid), 'CHECK', pg_get_expr(p.polwithcheck, p.polrelid))
      FROM relation c JOIN pg_policy p ON p.polrelid = c.oid
    UNION ALL
    SELECT c.n, 'rule', concat_ws('|', w.ev_enabled, pg_get_ruledef(w.oid))
      FROM relation c JOIN pg_rewrite w ON w.ev_class = c.oid
    UNION ALL
    SELECT c.n, 'trigger', concat_ws('|', g.tgenabled, pg_get_triggerdef(g.oid))
      FROM relation c JOIN pg_trigger g ON g.tgrelid = c.oid AND NOT g.tgisinternal
    UNION ALL
    SELECT c.n, 'constraint', concat_ws('|', k.conname, k.convalidated, pg_get_constraintdef(k.oid))
      FROM relation c JOIN pg_constraint k ON k.conrelid = c.oid
    UNION ALL
    SELECT c.n, 'parent', i.inhparent::regclass::text FROM relation c JOIN pg_inherits i ON i.inhrelid = c.oid
    UNION ALL
    SELECT c.n, 'column', concat_ws('|', a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
               a.attgenerated, a.attacl, pg_get_expr(d.adbin, d.adrelid), a.attfdwoptions)
      FROM relation c
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    UNION ALL
    SELECT c.n, 'foreign', concat_ws('|', f.ftoptions, v.srvname, v.srvowner::regrole, v.srvversion, v.srvoptions, w.fdwname,
               w.fdwhandler::regproc, w.fdwoptions, (SELECT string_agg(concat_ws('/', m.umid, m.usename, m.umoptions), ','
                                                                       ORDER BY m.umid)
                                                       FROM pg_user_mappings m WHERE m.srvid = v.oid))
      FROM relation c
      JOIN pg_foreign_table f ON f.ftrelid = c.oid
      JOIN pg_foreign_server v ON v.oid = f.ftserver
      JOIN pg_foreign_data_wrapper w ON w.oid = v.srvfdw
    UNION ALL
    SELECT t.n, 'function', concat_ws('|', f.oid::regprocedure, f.prokind, f.proowner::regrole, f.proacl, f.prosecdef,
               f.proleakproof, f.provolatile, f.proconfig, l.lanname, f.probin, f.prosrc, pg_get_function_sqlbody(f.oid),
               pg_get_function_arguments(f.oid), format_type(f.prorettype, NULL),
               -- Of an aggregate, which has no text of its own.
               (SELECT g::text FROM pg_aggregate g WHERE g.aggfnoid = f.oid))
      FROM pg_proc f
      JOIN pg_namespace s ON s.oid = f.pronamespace
      JOIN pg_language l ON l.oid = f.prolang
      JOIN (SELECT DISTINCT n, pair FROM token) t ON t.pair = format('%I.%I', s.nspname, f.proname)
    UNION ALL
    SELECT t.n, 'type', concat_ws('|', y.oid::regtype, y.typtype, y.typowner::regrole, y.typacl,
               format_type(y.typbasetype, y.typtypmod), y.typnotnull, y.typdefault,
               (SELECT string_agg(pg_get_constraintdef(k.oid), ',' ORDER BY k.conname) FROM pg_constraint k
                 WHERE k.contypid = y.oid))
      FROM pg_type y
      JOIN pg_namespace s ON s.oid = y.typnamespace
      JOIN (SELECT DISTINCT n, pair FROM token) t ON t.pair = format('%I.%I', s.nspname, y.typname)
    UNION ALL
    SELECT t.n, 'schema', concat_ws('|', s.nspname, s.nspowner::regrole, s.nspacl,
               (SELECT string_agg(concat_ws('/', d.defaclrole::regrole, d.defaclobjtype, d.defaclacl), ','
                                  ORDER BY d.defaclrole::regrole::text, d.defaclobjtype)
                  FROM pg_default_acl d WHERE d.defaclnamespace = s.oid))
      FROM pg_namespace s JOIN token t ON t.name IN (quote_ident(s.nspname), s.nspname)
    UNION ALL
    -- Of schemas that are of no place, all that is in them.
    SELECT t.n, 'thing', concat_ws('|', d.classid, c.oid::regclass, c.relkind, c.relowner::regrole, c.relacl, c.reloptions,
               (SELECT string_agg(concat_ws('/', a.attname, a.attacl), ',' ORDER BY a.attnum)
                  FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attacl IS NOT NULL),
               CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END,
               f.oid::regprocedure, f.proowner::regrole, f.proacl, f.prosecdef, f.prosrc, f.probin,
               pg_get_function_sqlbody(f.oid), (SELECT g::text FROM pg_aggregate g WHERE g.aggfnoid = f.oid))
      FROM pg_namespace s
      JOIN token t ON t.name IN (quote_ident(s.nspname), s.nspname)
      JOIN pg_depend d ON d.refclassid = 'pg_namespace'::regclass AND d.refobjid = s.oid AND d.deptype = 'n'
      LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
      LEFT JOIN pg_proc f ON d.classid = 'pg_proc'::regclass AND f.oid = d.objid
     WHERE s.nspname NOT IN (SELECT p.schema_name FROM tenantry.places p) AND s.nspname NOT LIKE 'tenan%'
       AND d.objid >= 16384 AND (c.oid IS NOT NULL OR f.oid IS NOT NULL)
       AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = d.classid AND e.objid = d.objid AND e.deptype = 'e')
    UNION ALL
    SELECT r.n, 'role', concat_ws('|', r.rolname, r.rolsuper, r.rolinherit, r.rolcreaterole, r.rolcreatedb, r.rolcanlogin,
               r.rolreplication, r.rolbypassrls, r.rolconnlimit, r.rolvaliduntil)
      FROM role r
    UNION ALL
    SELECT r.n, 'setting', concat_ws('|', s.setdatabase, s.setconfig)
      FROM role r JOIN pg_db_role_setting s ON s.setrole = r.oid
    UNION ALL
    SELECT r.n, 'member of', concat_ws('|', pg_get_userbyid(m.roleid), m.admin_option)
      FROM role r JOIN pg_auth_members m ON m.member = r.oid
    UNION ALL
    SELECT r.n, 'default', concat_ws('|', d.defaclnamespace::regnamespace, d.defaclobjtype, d.defaclacl)
      FROM role r JOIN pg_default_acl d ON d.defaclrole = r.oid
    UNION ALL
    SELECT t.n, 'database', concat_ws('|', b.datname, b.datdba::regrole, b.datacl,
               (SELECT s.setconfig FROM pg_db_role_setting s WHERE s.setdatabase = b.oid AND s.setrole = 0))
      FROM pg_database b JOIN token t ON t.name IN (quote_ident(b.datname), b.datname)
    UNION ALL
    SELECT t.n, 'server', concat_ws('|', v.srvname, v.srvowner::regrole, v.srvacl, v.srvoptions)
      FROM pg_foreign_server v JOIN token t ON t.name IN (quote_ident(v.srvname), v.srvname)
    UNION ALL
    -- Options that may hold a password are told to superusers only.
    SELECT t.n, 'mapping', concat_ws('|', m.umid, m.usename, m.umoptions)
      FROM pg_user_mappings m JOIN token t ON t.name IN (quote_ident(m.srvname), m.srvname)
    UNION ALL
    SELECT t.n, 'setting of all', concat_ws('|', s.setdatabase, c.setting)
      FROM pg_db_role_setting s
     CROSS JOIN LATERAL unnest(s.setconfig) c (setting)
      JOIN token t ON t.name = split_part(c.setting, '=', 1)
     WHERE s.setrole = 0
       AND s.setdatabase IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
    UNION ALL
    SELECT t.n, 'wrapper', concat_ws('|', w.fdwname, w.fdwowner::regrole, w.fdwacl, w.fdwoptions)
      FROM pg_foreign_data_wrapper w JOIN token t ON t.name IN (quote_ident(w.fdwname), w.fdwname)
    UNION ALL
    SELECT t.n, 'language', concat_ws('|', l.lanname, l.lanowner::regrole, l.lanpltrusted, l.lanacl)
      FROM pg_language l JOIN token t ON t.name IN (quote_ident(l.lanname), l.lanname)
    UNION ALL
    SELECT t.n, 'publication', concat_ws('|', b.pubname, b.pubowner::regrole, b.puballtables, b.pubinsert, b.pubupdate,
               b.pubdelete, b.pubtruncate, (SELECT string_agg(concat_ws('/', r.prrelid::regclass, r.prattrs,
                                                  pg_get_expr(r.prqual, r.prrelid)), ',' ORDER BY r.prrelid)
                                              FROM pg_publication_rel r WHERE r.prpubid = b.oid))
      FROM pg_publication b JOIN token t ON t.name IN (quote_ident(b.pubname), b.pubname)
    UNION ALL
    -- Where it connects to is told to superusers only. A name that this PostgreSQL has no column for is that of "later".
    SELECT t.n, 'subscription', b.text
      FROM (SELECT NULL AS subpasswordrequired, NULL AS subrunasowner, NULL AS suborigin, NULL AS subfailover) later
     CROSS JOIN LATERAL (SELECT subname, concat_ws('|', subdbid, subname, subowner::regrole, subenabled, subbinary, substream,
                                subtwophasestate, subdisableonerr, subslotname, subsynccommit, subpublications,
                                'later', subpasswordrequired, subrunasowner, suborigin, subfailover) AS text
                           FROM pg_subscription) b
      JOIN token t ON t.name IN (quote_ident(b.subname), b.subname)
    UNION ALL
    SELECT t.n, 'event trigger', concat_ws('|', e.evtname, e.evtevent, e.evtowner::regrole, e.evtfoid::regprocedure,
               e.evtenabled, e.evttags, f.prosrc)
      FROM pg_event_trigger e
      JOIN pg_proc f ON f.oid = e.evtfoid
      JOIN token t ON t.name IN (quote_ident(e.evtname), e.evtname)
    UNION ALL
    SELECT t.n, 'large object', concat_ws('|', l.oid, l.lomowner::regrole, l.lomacl)
      FROM pg_largeobject_metadata l JOIN token t ON t.name = l.oid::text
    UNION ALL
    SELECT t.n, 'parameter', p.paracl::text
      FROM pg_parameter_acl p JOIN token t ON t.name = p.parname
)
SELECT p.n, left(encode(sha256(convert_to(string_agg(DISTINCT format('%s:%s', p.what, p.text), E'\n'), 'UTF8')), 'hex'), 32)
  FROM part p
 GROUP BY p.n
 ORDER BY p.n
