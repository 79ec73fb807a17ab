-- What places are made of, as comparable lines: (schema, kind, name, definition, raw). One query for any number of places;
-- $1 is a JSON list of {schema, owner, app, readonly} and, where they are told, {alias, is_locked}. Two places of one shape
-- give the same lines: names of the schema and its roles are neutralised, columns are numbered by rank (a dropped one
-- leaves no gap), and the date-ranged partitions that Tenantry makes (TABLE_2026_11 beside a TABLE partitioned by range) are
-- left out, attached or not, but for what makes them less guarded than their table. Rows are not structure, nor is where a
-- sequence stands. An ACL that is NULL and one that says the same in full are equal. Expressions are deparsed the pretty
-- way: otherwise the parentheses of a AND b AND c tell whether it was typed or dumped. An owner is a line only where it is
-- not the place's.
--
-- Run with search_path pg_catalog, so that deparsed names of the place's objects carry its schema. Names of places are
-- random tokens, so replacing them in text is unambiguous. A place of the row tier is named like its blueprint, and so may
-- be a table: its name is told as alias, and is left as it is; a place that it is compared with has a random name, which
-- becomes the alias. is_locked: the tenant is suspended or archived, or on the way there, and the rights on the schema that
-- this took away are added again.
--
-- raw is the definition before names are replaced. Whoever makes one digest of many lines replaces them there once, for
-- most of what a line costs would be those replacements. For the same reason nothing is asked per object that one join can
-- tell (comments), or that most objects do not have.
WITH place AS MATERIALIZED (
    SELECT p.schema, p.owner, p.app, p.readonly, p.alias, n.oid, n.nspowner,
           coalesce(n.nspacl, acldefault('n', n.nspowner))
           || CASE WHEN p.is_locked THEN ARRAY(
                  SELECT makeaclitem(l.role, n.nspowner, 'USAGE', false)
                    FROM (SELECT unnest(ARRAY[a.oid, r.oid]) EXCEPT
                          SELECT x.grantee FROM aclexplode(n.nspacl) x WHERE x.privilege_type = 'USAGE') l (role)
                   WHERE l.role IS NOT NULL) END AS acl,
           o.oid AS owner_id
      FROM json_to_recordset($1::json) AS p (schema text, owner text, app text, readonly text, alias text, is_locked boolean)
      JOIN pg_namespace n ON n.nspname = p.schema::name
      LEFT JOIN pg_roles o ON o.rolname = p.owner::name
      LEFT JOIN pg_roles a ON a.rolname = p.app::name
      LEFT JOIN pg_roles r ON r.rolname = p.readonly::name
), member AS MATERIALIZED (
    SELECT p.schema, p.owner_id, c.oid, c.relname, c.relkind, c.relowner, c.relam, c.relpersistence, c.reloptions,
           c.relrowsecurity, c.relforcerowsecurity, c.relreplident, c.relpartbound, c.reloftype,
           coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner)) AS acl,
           CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table'
                WHEN 'S' THEN 'sequence' WHEN 'c' THEN 'type' ELSE 'table' END AS kind,
           CASE WHEN c.relkind = 'r' AND c.relname ~ '_[0-9]{4}(_[0-9]{2}){0,2}$' THEN (
                SELECT parent.oid
                  FROM pg_class parent
                  JOIN pg_partitioned_table k ON k.partrelid = parent.oid AND k.partstrat = 'r'
                 WHERE parent.relname = regexp_replace(c.relname::text, '_[0-9]{4}(_[0-9]{2}){0,2}$', '')::name
                   AND parent.relnamespace = c.relnamespace) END AS parent -- of a partition that Tenantry made
      FROM place p
      -- Not by an index: the one on names would be read once per place.
      JOIN pg_class c ON c.relnamespace::bigint = p.oid::bigint
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c')
), relation AS MATERIALIZED (
    SELECT * FROM member WHERE parent IS NULL
), part AS MATERIALIZED (
    SELECT m.*, r.acl AS parent_acl, r.relrowsecurity AS is_guarded, r.relforcerowsecurity AS is_forced
      FROM member m
      JOIN relation r ON r.oid = m.parent
), routine AS MATERIALIZED (
    SELECT p.schema, p.owner_id, f.oid, f.proowner, f.prokind,
           concat(f.proname, '(', pg_get_function_identity_arguments(f.oid), ')') AS name,
           coalesce(f.proacl, acldefault('f', f.proowner)) AS acl
      FROM place p
      JOIN pg_proc f ON f.pronamespace::bigint = p.oid::bigint
), type AS MATERIALIZED (
    SELECT p.schema, p.owner_id, t.oid, t.typname::text AS name, t.typtype, t.typowner, t.typbasetype, t.typtypmod,
           t.typnotnull, t.typdefault, t.typcollation, coalesce(t.typacl, acldefault('T', t.typowner)) AS acl
      FROM place p
      JOIN pg_type t ON t.typnamespace::bigint = p.oid::bigint
     WHERE t.typtype IN ('d', 'e', 'r')
        OR (t.typtype = 'c' AND t.typrelid IN (SELECT oid FROM relation WHERE relkind = 'c'))
), names AS MATERIALIZED ( -- of columns; where there are holes, some were dropped
    SELECT r.oid, array_agg(a.attname ORDER BY a.attnum) AS list, bool_or(a.attacl IS NOT NULL) AS has_acl,
           array_agg(a.attnum) FILTER (WHERE a.attisdropped) AS holes
      FROM relation r
      JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0
     WHERE r.relkind <> 'S'
     GROUP BY r.oid
), acl AS MATERIALIZED ( -- each list of rights once; most tables of a place have the same
    SELECT x.acl, (SELECT string_agg(concat(CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee)::text END,
                                            ':', a.privilege_type, CASE WHEN a.is_grantable THEN '*' END), ','
                                     ORDER BY a.grantee = 0, pg_get_userbyid(a.grantee), a.privilege_type)
                     FROM aclexplode(x.acl) a) AS text
      FROM (SELECT acl FROM place
            UNION SELECT acl FROM relation
            UNION SELECT a.attacl FROM names n JOIN pg_attribute a ON a.attrelid = n.oid WHERE n.has_acl AND a.attacl <> '{}'
            UNION SELECT acl FROM routine
            UNION SELECT acl FROM type
            UNION SELECT d.defaclacl FROM pg_default_acl d
                   WHERE d.defaclnamespace IN (SELECT oid FROM place) OR d.defaclrole IN (SELECT owner_id FROM place)) x
), tree AS MATERIALIZED ( -- each default once, as text; those that name columns are not alike because their trees are
    SELECT min(d.oid) AS id, d.adbin::text AS tree
      FROM relation r
      JOIN pg_attrdef d ON d.adrelid = r.oid
     GROUP BY d.adbin::text
), expression AS MATERIALIZED (
    SELECT t.tree, CASE WHEN t.tree NOT LIKE '%{VAR %' THEN pg_get_expr(d.adbin, d.adrelid, true) END AS text
      FROM tree t
      JOIN pg_attrdef d ON d.oid = t.id
), key AS MATERIALIZED ( -- each way in which keys of an index are ordered, where it is not the usual one
    SELECT k.classes, k.collations, k.options,
           (SELECT string_agg(u.n || nullif(concat(
                       (SELECT concat(' ', nullif(c.opcnamespace, 'pg_catalog'::regnamespace)::regnamespace || '.', c.opcname)
                          FROM pg_opclass c WHERE c.oid = u.opclass AND NOT c.opcdefault),
                       (SELECT concat(' collate ', u.coll::regcollation) WHERE u.coll NOT IN (0, 100)),
                       CASE WHEN u.flags & 1 <> 0 THEN ' desc' END, CASE WHEN u.flags & 2 <> 0 THEN ' nulls first' END), ''),
                       ', ' ORDER BY u.n)
              FROM unnest(k.classes, k.collations, k.options) WITH ORDINALITY u (opclass, coll, flags, n)) AS text
      FROM (SELECT DISTINCT i.indclass::oid[] AS classes, i.indcollation::oid[] AS collations, i.indoption::int2[] AS options
              FROM relation r JOIN pg_index i ON i.indrelid = r.oid) k
), described AS MATERIALIZED (
    SELECT classoid, objoid, objsubid, description FROM pg_description WHERE objoid >= 16384 -- not the server's own
), owned (schema, kind, name, owner, owner_id) AS (
    SELECT schema, 'schema', '', nspowner, owner_id FROM place
    UNION ALL
    SELECT schema, kind, relname::text, relowner, owner_id FROM member
    UNION ALL
    SELECT p.schema, 'statistics', s.stxname::text, s.stxowner, p.owner_id
      FROM place p JOIN pg_statistic_ext s ON s.stxnamespace = p.oid
    UNION ALL
    SELECT schema, 'function', name, proowner, owner_id FROM routine
    UNION ALL
    SELECT schema, 'type', name, typowner, owner_id FROM type WHERE typtype <> 'c'
), line (schema, kind, name, raw) AS (
    SELECT p.schema, 'grants', 'schema', g.text
      FROM place p
      JOIN acl g ON g.acl = p.acl
    UNION ALL
    SELECT o.schema, 'owner', concat_ws(' ', o.kind, nullif(o.name, '')), pg_get_userbyid(o.owner)::text
      FROM owned o
     WHERE o.owner IS DISTINCT FROM o.owner_id
    UNION ALL
    -- Of partitions by date only what they have more, or less guarded, than their table.
    SELECT r.schema, 'partition', r.relname::text, concat_ws(' ',
           CASE WHEN r.is_guarded AND NOT r.relrowsecurity THEN 'no row security' END,
           CASE WHEN r.is_forced AND NOT r.relforcerowsecurity THEN 'not forced' END)
      FROM part r
     WHERE (r.is_guarded AND NOT r.relrowsecurity) OR (r.is_forced AND NOT r.relforcerowsecurity)
    UNION ALL
    SELECT r.schema, 'partition grants', r.relname::text, string_agg(concat(CASE a.grantee WHEN 0 THEN 'PUBLIC'
                ELSE pg_get_userbyid(a.grantee)::text END, ':', a.privilege_type), ',' ORDER BY a.grantee, a.privilege_type)
      FROM part r
     CROSS JOIN LATERAL (SELECT grantee, privilege_type FROM aclexplode(r.acl) WHERE grantee <> r.relowner
                         EXCEPT SELECT grantee, privilege_type FROM aclexplode(r.parent_acl)) a
     GROUP BY r.schema, r.relname
    UNION ALL
    SELECT r.schema, 'trigger', concat(r.relname, '.', g.tgname), pg_get_triggerdef(g.oid, true)
      FROM part r
      JOIN pg_trigger g ON g.tgrelid = r.oid AND NOT g.tgisinternal AND g.tgparentid = 0
      JOIN pg_class c ON c.oid = r.oid AND c.relispartition -- one that was detached has those of its table as its own
    UNION ALL
    -- LOGIN and the connection limit are the plan's and the tenant's state.
    SELECT p.schema, 'role', m.rolname::text, concat_ws(' ', CASE WHEN m.rolsuper THEN 'superuser' END,
           CASE WHEN m.rolbypassrls THEN 'bypassrls' END, CASE WHEN m.rolcreaterole THEN 'createrole' END,
           CASE WHEN m.rolcreatedb THEN 'createdb' END, CASE WHEN m.rolreplication THEN 'replication' END,
           CASE WHEN NOT m.rolinherit THEN 'noinherit' END,
           'member of ' || (SELECT string_agg(concat(pg_get_userbyid(g.roleid), CASE WHEN g.admin_option THEN '*' END), ', '
                                              ORDER BY pg_get_userbyid(g.roleid))
                              FROM pg_auth_members g WHERE g.member = m.oid))
      FROM place p
      JOIN pg_roles m ON m.rolname IN (p.owner::name, p.app::name, p.readonly::name)
    UNION ALL
    SELECT r.schema, r.kind, r.relname::text, concat_ws(' ',
           CASE r.relpersistence WHEN 'u' THEN 'unlogged' WHEN 't' THEN 'temporary' END,
           CASE WHEN r.relam <> 0 THEN (SELECT 'using ' || m.amname FROM pg_am m WHERE m.oid = r.relam) END,
           CASE WHEN r.reloftype <> 0 THEN 'of ' || r.reloftype::regtype::text END,
           'with ' || r.reloptions::text,
           CASE WHEN r.relrowsecurity THEN 'row security' END,
           CASE WHEN r.relforcerowsecurity THEN 'forced' END,
           CASE WHEN r.relreplident NOT IN ('d', 'n') THEN 'replica identity ' || r.relreplident::text END,
           CASE WHEN r.relkind = 'p' THEN 'partition by ' || pg_get_partkeydef(r.oid) END,
           (SELECT 'child of ' || string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno)
              FROM pg_inherits i WHERE i.inhrelid = r.oid),
           pg_get_expr(r.relpartbound, r.oid, true),
           CASE WHEN r.relkind = 'S' THEN
           (SELECT concat_ws(' ', s.seqtypid::regtype, 'start', s.seqstart, 'by', s.seqincrement, 'from', s.seqmin, 'to',
                             s.seqmax, 'cache', s.seqcache, CASE WHEN s.seqcycle THEN 'cycle' END,
                             (SELECT concat('of ', d.refobjid::regclass, '.', a.attname)
                                FROM pg_depend d
                                JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
                               WHERE d.classid = 'pg_class'::regclass AND d.objid = r.oid
                                 AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') LIMIT 1))
              FROM pg_sequence s WHERE s.seqrelid = r.oid) END,
           CASE WHEN r.relkind IN ('v', 'm') THEN 'as ' || pg_get_viewdef(r.oid, true) END)
      FROM relation r
    UNION ALL
    SELECT r.schema, 'grants', concat(r.kind, ' ', r.relname), g.text
      FROM relation r
      JOIN acl g ON g.acl = r.acl
     WHERE r.relkind <> 'c'
    UNION ALL
    SELECT r.schema, 'column', concat(r.relname, '.', a.attname), concat_ws(' ',
           a.attnum - CASE WHEN n.holes IS NULL THEN 0 ELSE (SELECT count(*) FROM unnest(n.holes) h WHERE h < a.attnum) END,
           format_type(a.atttypid, a.atttypmod),
           CASE WHEN a.attcollation <> t.typcollation THEN 'collate ' || a.attcollation::regcollation END,
           CASE WHEN a.attnotnull THEN 'not null' END,
           CASE a.attgenerated WHEN '' THEN 'default ' ELSE 'generated ' || a.attgenerated::text || ' ' END
               || CASE WHEN d.oid IS NOT NULL THEN coalesce(e.text, pg_get_expr(d.adbin, d.adrelid, true)) END,
           CASE WHEN a.attidentity <> '' THEN 'identity ' || a.attidentity::text END,
           CASE WHEN a.attstorage <> t.typstorage THEN 'storage ' || a.attstorage::text END,
           CASE WHEN a.attcompression <> '' THEN 'compression ' || a.attcompression::text END,
           'statistics ' || nullif(a.attstattarget, -1),
           -- 15.20 keeps a number of its own among the options, pg_attver, which no two tables have alike.
           CASE WHEN a.attoptions[2] IS NOT NULL OR a.attoptions[1] !~ '^pg_' THEN
           (SELECT 'with ' || string_agg(o.option, ', ' ORDER BY o.option) FROM unnest(a.attoptions) AS o (option)
             WHERE o.option !~ '^pg_') END,
           CASE WHEN NOT a.attislocal THEN 'inherited' END)
      FROM relation r
      JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
      JOIN pg_type t ON t.oid = a.atttypid
      LEFT JOIN pg_attrdef d ON d.adrelid = r.oid AND d.adnum = a.attnum
      LEFT JOIN expression e ON e.tree = d.adbin::text
      JOIN names n ON n.oid = r.oid
     WHERE r.relkind <> 'S'
    UNION ALL
    SELECT r.schema, 'grants', concat('column ', r.relname, '.', a.attname), g.text
      FROM relation r
      JOIN names n ON n.oid = r.oid AND n.has_acl
      JOIN pg_attribute a ON a.attrelid = r.oid AND a.attacl <> '{}'
      JOIN acl g ON g.acl = a.attacl
    UNION ALL
    -- A foreign key to a partitioned table has a row for each partition, on the same table: those are left out.
    SELECT r.schema, 'constraint', concat(r.relname, '.', c.conname), concat_ws(' ', pg_get_constraintdef(c.oid, true),
           CASE WHEN c.conparentid <> 0 THEN 'inherited' END)
      FROM relation r
      JOIN pg_constraint c ON c.conrelid = r.oid
     WHERE c.contype <> 't'
       AND NOT (c.conparentid <> 0
                AND EXISTS (SELECT FROM pg_constraint up WHERE up.oid = c.conparentid AND up.conrelid = c.conrelid))
    UNION ALL
    -- Expressions and conditions are deparsed; for the many that have none, the columns' names say it for a fifth of the cost.
    SELECT r.schema, 'index', x.relname::text,
           CASE WHEN i.indexprs IS NOT NULL OR i.indpred IS NOT NULL THEN pg_get_indexdef(i.indexrelid, 0, true)
                ELSE concat_ws(' ', CASE WHEN i.indisunique THEN 'unique' END,
                               CASE WHEN i.indnullsnotdistinct THEN 'nulls not distinct' END,
                               'on', r.relname, 'using', m.amname,
                               (SELECT concat('(', string_agg(n.list[k.number], ', ' ORDER BY k.n)
                                                   FILTER (WHERE k.n <= i.indnkeyatts), ')',
                                              ' include (' || string_agg(n.list[k.number], ', ' ORDER BY k.n)
                                                              FILTER (WHERE k.n > i.indnkeyatts) || ')')
                                  FROM unnest(i.indkey::int2[]) WITH ORDINALITY k (number, n)),
                               y.text, 'with ' || x.reloptions::text) END
           || concat(CASE WHEN NOT i.indisvalid THEN ' invalid' END, CASE WHEN i.indisclustered THEN ' clustered' END,
                     CASE WHEN i.indisreplident THEN ' replica identity' END,
                     CASE WHEN x.relispartition THEN
                     (SELECT ' child of ' || h.inhparent::regclass FROM pg_inherits h WHERE h.inhrelid = i.indexrelid) END)
      FROM relation r
      JOIN pg_index i ON i.indrelid = r.oid
      JOIN pg_class x ON x.oid = i.indexrelid
      JOIN pg_am m ON m.oid = x.relam
      JOIN names n ON n.oid = r.oid
      JOIN key y ON y.classes = i.indclass::oid[] AND y.collations = i.indcollation::oid[] AND y.options = i.indoption::int2[]
    UNION ALL
    SELECT r.schema, 'policy', concat(r.relname, '.', o.polname), concat_ws(' ',
           CASE WHEN o.polpermissive THEN 'permissive' ELSE 'restrictive' END, 'for',
           CASE o.polcmd WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update' WHEN 'd' THEN 'delete'
                ELSE 'all' END, 'to',
           (SELECT string_agg(CASE m.member WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(m.member)::text END, ', '
                   ORDER BY m.member = 0, pg_get_userbyid(m.member)) FROM unnest(o.polroles) AS m (member)),
           'using (' || pg_get_expr(o.polqual, o.polrelid, true) || ')',
           'with check (' || pg_get_expr(o.polwithcheck, o.polrelid, true) || ')')
      FROM relation r
      JOIN pg_policy o ON o.polrelid = r.oid
    UNION ALL
    SELECT r.schema, 'trigger', concat(r.relname, '.', g.tgname), concat_ws(' ', pg_get_triggerdef(g.oid, true),
           CASE g.tgenabled WHEN 'D' THEN 'disabled' WHEN 'A' THEN 'always' WHEN 'R' THEN 'on replica' END,
           CASE WHEN g.tgparentid <> 0 THEN 'inherited' END)
      FROM relation r
      JOIN pg_trigger g ON g.tgrelid = r.oid AND NOT g.tgisinternal
    UNION ALL
    -- The triggers of foreign keys, where somebody switched them off.
    SELECT r.schema, 'constraint trigger', concat(r.relname, '.', c.conname, ' ', g.tgtype), concat('enabled ', g.tgenabled)
      FROM relation r
      JOIN pg_trigger g ON g.tgrelid = r.oid AND g.tgisinternal AND g.tgenabled <> 'O'
      JOIN pg_constraint c ON c.oid = g.tgconstraint
    UNION ALL
    SELECT r.schema, 'rule', concat(r.relname, '.', u.rulename), concat_ws(' ', pg_get_ruledef(u.oid, true), 'enabled',
           u.ev_enabled)
      FROM relation r
      JOIN pg_rewrite u ON u.ev_class = r.oid AND u.rulename <> '_RETURN'
    UNION ALL
    SELECT p.schema, 'statistics', s.stxname::text, pg_get_statisticsobjdef(s.oid)
      FROM place p
      JOIN pg_statistic_ext s ON s.stxnamespace = p.oid
    UNION ALL
    SELECT f.schema, 'function', f.name,
           concat_ws(' ', CASE WHEN f.prokind <> 'a' THEN pg_get_functiondef(f.oid) END,
           (SELECT concat_ws(' ', g.aggtransfn, g.aggfinalfn, g.aggcombinefn, g.aggtranstype::regtype, g.agginitval)
              FROM pg_aggregate g WHERE g.aggfnoid = f.oid))
      FROM routine f
    UNION ALL
    SELECT f.schema, 'grants', concat('function ', f.name), g.text
      FROM routine f
      JOIN acl g ON g.acl = f.acl
    UNION ALL
    SELECT t.schema, CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END, t.name, concat_ws(' ',
           CASE t.typtype WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod) END,
           CASE WHEN t.typnotnull THEN 'not null' END,
           'default ' || t.typdefault,
           'collate ' || nullif(t.typcollation, 0)::regcollation,
           CASE WHEN t.typtype = 'e' THEN
           (SELECT 'enum ' || string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
              FROM pg_enum e WHERE e.enumtypid = t.oid) END,
           CASE WHEN t.typtype = 'r' THEN
           (SELECT concat_ws(' ', 'range', g.rngsubtype::regtype, nullif(g.rngcollation, 0)::regcollation, g.rngsubdiff)
              FROM pg_range g WHERE g.rngtypid = t.oid) END)
      FROM type t
     WHERE t.typtype <> 'c'
    UNION ALL
    SELECT t.schema, 'grants', concat('type ', t.name), g.text
      FROM type t
      JOIN acl g ON g.acl = t.acl
    UNION ALL
    SELECT t.schema, 'domain constraint', concat(t.name, '.', c.conname), pg_get_constraintdef(c.oid, true)
      FROM type t
      JOIN pg_constraint c ON c.contypid = t.oid
     WHERE t.typtype = 'd'
    UNION ALL
    SELECT d.schema, 'default grants', concat(CASE d.objects WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences'
           WHEN 'f' THEN 'functions' WHEN 'T' THEN 'types' ELSE 'schemas' END, ' of ',
           pg_get_userbyid(d.defaclrole), ' ', d.scope), g.text
      FROM (SELECT p.schema, d.defaclobjtype AS objects, d.defaclrole, 'here' AS scope, d.defaclacl
              FROM place p JOIN pg_default_acl d ON d.defaclnamespace = p.oid
            UNION ALL
            SELECT p.schema, d.defaclobjtype, d.defaclrole, 'anywhere', d.defaclacl
              FROM place p
              JOIN pg_roles o ON o.rolname = p.owner::name
              JOIN pg_default_acl d ON d.defaclnamespace = 0 AND d.defaclrole = o.oid) d
      JOIN acl g ON g.acl = d.defaclacl
    UNION ALL
    SELECT p.schema, 'other', o.identity, ''
      FROM (SELECT oprnamespace AS nsp, format('operator %s(%s,%s)', oprname, oprleft::regtype, oprright::regtype) AS identity
              FROM pg_operator
            UNION ALL SELECT t.typnamespace, format('cast %s to %s %s %s', k.castsource::regtype, k.casttarget::regtype,
                                                    k.castcontext, nullif(k.castfunc, 0)::regprocedure)
              FROM pg_cast k JOIN pg_type t ON t.oid IN (k.castsource, k.casttarget)
            UNION ALL SELECT opcnamespace, format('operator class %s', opcname) FROM pg_opclass
            UNION ALL SELECT opfnamespace, format('operator family %s', opfname) FROM pg_opfamily
            UNION ALL SELECT collnamespace, format('collation %s', collname) FROM pg_collation
            UNION ALL SELECT connamespace, format('conversion %s', conname) FROM pg_conversion
            UNION ALL SELECT cfgnamespace, format('text search configuration %s', cfgname) FROM pg_ts_config
            UNION ALL SELECT dictnamespace, format('text search dictionary %s', dictname) FROM pg_ts_dict) o
      JOIN place p ON p.oid = o.nsp
    UNION ALL
    SELECT i.schema, 'comment', concat_ws(' ', i.kind, nullif(i.name, '')), quote_literal(i.description)
      FROM (SELECT p.schema, 'schema' AS kind, '' AS name, d.description
              FROM described d JOIN place p ON d.classoid = 'pg_namespace'::regclass AND p.oid = d.objoid
            UNION ALL SELECT r.schema, r.kind, concat_ws('.', r.relname, a.attname), d.description
              FROM described d JOIN relation r ON d.classoid = 'pg_class'::regclass AND r.oid = d.objoid
              LEFT JOIN pg_attribute a ON a.attrelid = d.objoid AND a.attnum = d.objsubid AND d.objsubid <> 0
            UNION ALL SELECT r.schema, 'index', x.relname::text, d.description
              FROM described d JOIN pg_index i ON d.classoid = 'pg_class'::regclass AND i.indexrelid = d.objoid
              JOIN relation r ON r.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid
            UNION ALL SELECT r.schema, 'constraint', concat(r.relname, '.', c.conname), d.description
              FROM described d JOIN pg_constraint c ON d.classoid = 'pg_constraint'::regclass AND c.oid = d.objoid
              JOIN relation r ON r.oid = c.conrelid
            UNION ALL SELECT r.schema, 'trigger', concat(r.relname, '.', g.tgname), d.description
              FROM described d JOIN pg_trigger g ON d.classoid = 'pg_trigger'::regclass AND g.oid = d.objoid
              JOIN relation r ON r.oid = g.tgrelid
            UNION ALL SELECT r.schema, 'policy', concat(r.relname, '.', o.polname), d.description
              FROM described d JOIN pg_policy o ON d.classoid = 'pg_policy'::regclass AND o.oid = d.objoid
              JOIN relation r ON r.oid = o.polrelid
            UNION ALL SELECT f.schema, 'function', f.name, d.description
              FROM described d JOIN routine f ON d.classoid = 'pg_proc'::regclass AND f.oid = d.objoid
            UNION ALL SELECT t.schema, 'type', t.name, d.description
              FROM described d JOIN type t ON d.classoid = 'pg_type'::regclass AND t.oid = d.objoid
            UNION ALL SELECT t.schema, 'domain constraint', concat(t.name, '.', c.conname), d.description
              FROM described d JOIN pg_constraint c ON d.classoid = 'pg_constraint'::regclass AND c.oid = d.objoid
              JOIN type t ON t.oid = c.contypid
            UNION ALL SELECT p.schema, 'statistics', s.stxname::text, d.description
              FROM described d JOIN pg_statistic_ext s ON d.classoid = 'pg_statistic_ext'::regclass AND s.oid = d.objoid
              JOIN place p ON p.oid = s.stxnamespace) i
)
SELECT l.schema, l.kind, n.name,
       CASE WHEN p.alias IS NULL THEN replace(replace(r.text, p.schema || '.', ''), p.schema, '{schema}')
            ELSE replace(r.text, p.schema, p.alias) END AS definition,
       l.raw
  FROM line l
  JOIN place p ON p.schema = l.schema
 CROSS JOIN LATERAL (
       SELECT replace(replace(replace(l.name, p.owner, '{owner}'), p.app, '{app}'), p.readonly, '{readonly}') AS text) m
 CROSS JOIN LATERAL (
       SELECT CASE WHEN p.alias IS NULL THEN replace(replace(m.text, p.schema || '.', ''), p.schema, '{schema}')
                   ELSE replace(m.text, p.schema, p.alias) END AS name) n
 CROSS JOIN LATERAL (
       SELECT replace(replace(replace(coalesce(l.raw, ''), p.owner, '{owner}'), p.app, '{app}'), p.readonly,
                      '{readonly}') AS text) r
