-- What places are made of, as comparable lines: (schema, kind, name, definition). One query for any number of places;
-- $1 is a JSON list of {schema, owner, app, readonly}. Two places of one shape give the same lines: names of the schema
-- and its roles are neutralised, columns are numbered by rank (a dropped one leaves no gap), and the date-ranged
-- partitions that Tenantry makes (TABLE_2026_11 beside a TABLE partitioned by range) are left out. Rows are not
-- structure, nor is where a sequence stands. An ACL that is NULL and one that says the same in full are equal.
-- Expressions are deparsed the pretty way: otherwise the parentheses of a AND b AND c tell whether it was typed or dumped.
--
-- Run with search_path pg_catalog, so that deparsed names of the place's objects carry its schema. Names of places are
-- random tokens, so replacing them in text is unambiguous; where a place is named like its blueprint (row tier), its
-- lines can be compared with its own of another day only.
WITH place AS MATERIALIZED (
    SELECT p.schema, p.owner, p.app, p.readonly, n.oid, n.nspowner, n.nspacl
      FROM json_to_recordset($1::json) AS p (schema text, owner text, app text, readonly text)
      JOIN pg_namespace n ON n.nspname = p.schema::name
), relation AS MATERIALIZED (
    SELECT p.schema, c.oid, c.relname, c.relkind, c.relowner, c.relacl, c.relam, c.relpersistence, c.reloptions,
           c.relrowsecurity, c.relforcerowsecurity, c.relreplident, c.relpartbound, c.reloftype
      FROM place p
      JOIN pg_class c ON c.relnamespace = p.oid
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c')
       AND NOT (c.relkind = 'r' AND c.relname ~ '_[0-9]{4}(_[0-9]{2}){0,2}$' AND EXISTS (
                SELECT
                  FROM pg_class parent
                  JOIN pg_partitioned_table k ON k.partrelid = parent.oid AND k.partstrat = 'r'
                 WHERE parent.relname = regexp_replace(c.relname::text, '_[0-9]{4}(_[0-9]{2}){0,2}$', '')::name
                   AND parent.relnamespace = c.relnamespace))
), line (schema, kind, name, definition) AS (
    SELECT p.schema, 'schema', '', concat_ws(' ', 'owner', pg_get_userbyid(p.nspowner),
           'acl', (SELECT string_agg(concat(CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee)::text END, ':',
                          a.privilege_type, CASE WHEN a.is_grantable THEN '*' END), ','
                          ORDER BY a.grantee = 0, pg_get_userbyid(a.grantee), a.privilege_type)
                     FROM aclexplode(coalesce(p.nspacl, acldefault('n', p.nspowner))) a),
           'comment ' || quote_literal(obj_description(p.oid, 'pg_namespace')))
      FROM place p
    UNION ALL
    SELECT r.schema,
           CASE r.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'v' THEN 'view'
                WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' WHEN 'S' THEN 'sequence' ELSE 'type' END,
           r.relname::text,
           concat_ws(' ', 'owner', pg_get_userbyid(r.relowner),
           CASE r.relpersistence WHEN 'u' THEN 'unlogged' WHEN 't' THEN 'temporary' END,
           (SELECT 'using ' || m.amname FROM pg_am m WHERE m.oid = r.relam),
           'of ' || nullif(r.reloftype, 0)::regtype::text,
           'with ' || r.reloptions::text,
           CASE WHEN r.relrowsecurity THEN 'row security' END,
           CASE WHEN r.relforcerowsecurity THEN 'forced' END,
           CASE WHEN r.relreplident NOT IN ('d', 'n') THEN 'replica identity ' || r.relreplident::text END,
           'partition by ' || pg_get_partkeydef(r.oid),
           (SELECT 'child of ' || string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno)
              FROM pg_inherits i WHERE i.inhrelid = r.oid),
           pg_get_expr(r.relpartbound, r.oid, true),
           (SELECT concat_ws(' ', s.seqtypid::regtype, 'start', s.seqstart, 'by', s.seqincrement, 'from', s.seqmin, 'to',
                             s.seqmax, 'cache', s.seqcache, CASE WHEN s.seqcycle THEN 'cycle' END,
                             (SELECT concat('of ', d.refobjid::regclass, '.', a.attname)
                                FROM pg_depend d
                                JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
                               WHERE d.classid = 'pg_class'::regclass AND d.objid = r.oid
                                 AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') LIMIT 1))
              FROM pg_sequence s WHERE s.seqrelid = r.oid),
           CASE WHEN r.relkind IN ('v', 'm') THEN 'as ' || pg_get_viewdef(r.oid, true) END,
           'comment ' || quote_literal(obj_description(r.oid, 'pg_class')))
      FROM relation r
    UNION ALL
    SELECT r.schema, 'grants', r.relname::text,
           (SELECT string_agg(concat(CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee)::text END, ':',
                   a.privilege_type, CASE WHEN a.is_grantable THEN '*' END), ','
                   ORDER BY a.grantee = 0, pg_get_userbyid(a.grantee), a.privilege_type)
              FROM aclexplode(coalesce(r.relacl,
                                       acldefault(CASE r.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", r.relowner))) a)
      FROM relation r
     WHERE r.relkind <> 'c'
    UNION ALL
    SELECT r.schema, 'column', concat(r.relname, '.', a.attname), concat_ws(' ',
           row_number() OVER (PARTITION BY a.attrelid ORDER BY a.attnum),
           format_type(a.atttypid, a.atttypmod),
           CASE WHEN a.attcollation <> t.typcollation THEN 'collate ' || a.attcollation::regcollation END,
           CASE WHEN a.attnotnull THEN 'not null' END,
           CASE a.attgenerated WHEN '' THEN 'default ' ELSE 'generated ' || a.attgenerated::text || ' ' END
               || pg_get_expr(d.adbin, d.adrelid, true),
           'identity ' || nullif(a.attidentity, '')::text,
           CASE WHEN a.attstorage <> t.typstorage THEN 'storage ' || a.attstorage::text END,
           'compression ' || nullif(a.attcompression, '')::text,
           'statistics ' || nullif(a.attstattarget, -1),
           -- 15.20 keeps a number of its own among the options, pg_attver, which no two tables have alike.
           (SELECT 'with ' || string_agg(o.option, ', ' ORDER BY o.option) FROM unnest(a.attoptions) AS o (option)
             WHERE o.option !~ '^pg_'),
           CASE WHEN NOT a.attislocal THEN 'inherited' END,
           'acl ' || a.attacl::text,
           'comment ' || quote_literal(col_description(r.oid, a.attnum)))
      FROM relation r
      JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
      JOIN pg_type t ON t.oid = a.atttypid
      LEFT JOIN pg_attrdef d ON d.adrelid = r.oid AND d.adnum = a.attnum
     WHERE r.relkind <> 'S'
    UNION ALL
    -- A foreign key to a partitioned table has a row for each partition, on the same table: those are left out.
    SELECT r.schema, 'constraint', concat(r.relname, '.', c.conname), concat_ws(' ', pg_get_constraintdef(c.oid, true),
           CASE WHEN c.conparentid <> 0 THEN 'inherited' END,
           'comment ' || quote_literal(obj_description(c.oid, 'pg_constraint')))
      FROM relation r
      JOIN pg_constraint c ON c.conrelid = r.oid
     WHERE c.contype <> 't'
       AND NOT EXISTS (SELECT FROM pg_constraint up WHERE up.oid = c.conparentid AND up.conrelid = c.conrelid)
    UNION ALL
    SELECT r.schema, 'index', x.relname::text, concat_ws(' ', pg_get_indexdef(i.indexrelid, 0, true),
           CASE WHEN NOT i.indisvalid THEN 'invalid' END, CASE WHEN i.indisclustered THEN 'clustered' END,
           CASE WHEN i.indisreplident THEN 'replica identity' END, 'owner', pg_get_userbyid(x.relowner),
           (SELECT 'child of ' || h.inhparent::regclass FROM pg_inherits h WHERE h.inhrelid = i.indexrelid),
           'comment ' || quote_literal(obj_description(i.indexrelid, 'pg_class')))
      FROM relation r
      JOIN pg_index i ON i.indrelid = r.oid
      JOIN pg_class x ON x.oid = i.indexrelid
    UNION ALL
    SELECT r.schema, 'policy', concat(r.relname, '.', o.polname), concat_ws(' ',
           CASE WHEN o.polpermissive THEN 'permissive' ELSE 'restrictive' END, 'for', o.polcmd, 'to',
           (SELECT string_agg(CASE m.member WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(m.member)::text END, ', '
                   ORDER BY m.member = 0, pg_get_userbyid(m.member)) FROM unnest(o.polroles) AS m (member)),
           'using ' || pg_get_expr(o.polqual, o.polrelid, true), 'with check ' || pg_get_expr(o.polwithcheck, o.polrelid, true),
           'comment ' || quote_literal(obj_description(o.oid, 'pg_policy')))
      FROM relation r
      JOIN pg_policy o ON o.polrelid = r.oid
    UNION ALL
    SELECT r.schema, 'trigger', concat(r.relname, '.', g.tgname), concat_ws(' ', pg_get_triggerdef(g.oid, true),
           'enabled', g.tgenabled, CASE WHEN g.tgparentid <> 0 THEN 'inherited' END,
           'comment ' || quote_literal(obj_description(g.oid, 'pg_trigger')))
      FROM relation r
      JOIN pg_trigger g ON g.tgrelid = r.oid AND NOT g.tgisinternal
    UNION ALL
    SELECT r.schema, 'rule', concat(r.relname, '.', u.rulename), concat_ws(' ', pg_get_ruledef(u.oid, true), 'enabled',
           u.ev_enabled)
      FROM relation r
      JOIN pg_rewrite u ON u.ev_class = r.oid AND u.rulename <> '_RETURN'
    UNION ALL
    SELECT p.schema, 'statistics', s.stxname::text, concat_ws(' ', pg_get_statisticsobjdef(s.oid), 'owner',
           pg_get_userbyid(s.stxowner), 'comment ' || quote_literal(obj_description(s.oid, 'pg_statistic_ext')))
      FROM place p
      JOIN pg_statistic_ext s ON s.stxnamespace = p.oid
    UNION ALL
    SELECT p.schema, 'function', concat(f.proname, '(', pg_get_function_identity_arguments(f.oid), ')'),
           concat_ws(' ', 'owner', pg_get_userbyid(f.proowner),
           'acl', (SELECT string_agg(concat(CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee)::text END, ':',
                          a.privilege_type, CASE WHEN a.is_grantable THEN '*' END), ','
                          ORDER BY a.grantee = 0, pg_get_userbyid(a.grantee), a.privilege_type)
                     FROM aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) a),
           'comment ' || quote_literal(obj_description(f.oid, 'pg_proc')),
           CASE WHEN f.prokind <> 'a' THEN pg_get_functiondef(f.oid) END,
           (SELECT concat_ws(' ', g.aggtransfn, g.aggfinalfn, g.aggcombinefn, g.aggtranstype::regtype, g.agginitval)
              FROM pg_aggregate g WHERE g.aggfnoid = f.oid))
      FROM place p
      JOIN pg_proc f ON f.pronamespace = p.oid
    UNION ALL
    SELECT p.schema, CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END, t.typname::text, concat_ws(' ',
           'owner', pg_get_userbyid(t.typowner),
           'acl', (SELECT string_agg(concat(CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee)::text END, ':',
                          a.privilege_type, CASE WHEN a.is_grantable THEN '*' END), ','
                          ORDER BY a.grantee = 0, pg_get_userbyid(a.grantee), a.privilege_type)
                     FROM aclexplode(coalesce(t.typacl, acldefault('T', t.typowner))) a),
           CASE t.typtype WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod) END,
           CASE WHEN t.typnotnull THEN 'not null' END,
           'default ' || t.typdefault,
           'collate ' || nullif(t.typcollation, 0)::regcollation,
           (SELECT 'enum ' || string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
              FROM pg_enum e WHERE e.enumtypid = t.oid),
           (SELECT concat_ws(' ', 'range', g.rngsubtype::regtype, nullif(g.rngcollation, 0)::regcollation, g.rngsubdiff)
              FROM pg_range g WHERE g.rngtypid = t.oid),
           'comment ' || quote_literal(obj_description(t.oid, 'pg_type')))
      FROM place p
      JOIN pg_type t ON t.typnamespace = p.oid
     WHERE t.typtype IN ('d', 'e', 'r')
        OR (t.typtype = 'c' AND EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c'))
    UNION ALL
    SELECT p.schema, 'constraint', concat(t.typname, '.', c.conname), concat_ws(' ', pg_get_constraintdef(c.oid, true),
           'comment ' || quote_literal(obj_description(c.oid, 'pg_constraint')))
      FROM place p
      JOIN pg_type t ON t.typnamespace = p.oid
      JOIN pg_constraint c ON c.contypid = t.oid
    UNION ALL
    SELECT d.schema, 'default grants', concat(d.objects, ' of ', pg_get_userbyid(d.defaclrole), ' ', d.scope),
           (SELECT string_agg(concat(CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee)::text END, ':',
                   a.privilege_type, CASE WHEN a.is_grantable THEN '*' END), ','
                   ORDER BY a.grantee = 0, pg_get_userbyid(a.grantee), a.privilege_type) FROM aclexplode(d.defaclacl) a)
      FROM (SELECT p.schema, d.defaclobjtype AS objects, d.defaclrole, 'here' AS scope, d.defaclacl
              FROM place p JOIN pg_default_acl d ON d.defaclnamespace = p.oid
            UNION ALL
            SELECT p.schema, d.defaclobjtype, d.defaclrole, 'anywhere', d.defaclacl
              FROM place p
              JOIN pg_roles o ON o.rolname = p.owner::name
              JOIN pg_default_acl d ON d.defaclnamespace = 0 AND d.defaclrole = o.oid) d
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
)
SELECT l.schema, l.kind, n.name, n.definition
  FROM line l
  JOIN place p ON p.schema = l.schema
 CROSS JOIN LATERAL (
       SELECT replace(replace(replace(replace(replace(l.name, p.owner, '{owner}'), p.app, '{app}'), p.readonly, '{readonly}'),
                              p.schema || '.', ''), p.schema, '{schema}') AS name,
              replace(replace(replace(replace(replace(l.definition, p.owner, '{owner}'), p.app, '{app}'),
                                      p.readonly, '{readonly}'), p.schema || '.', ''), p.schema, '{schema}') AS definition) n
