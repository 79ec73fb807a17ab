-- What makes each object of one place again: (kind, name, statement, shape, needed), kind and name as fingerprint.sql has
-- them; needed is the table that it is on, or NULL.
-- $1 to $5: schema, owner, application role, read-only role, and the name that stands for the schema's (NULL: none).
-- statement makes an object that is missing, or sets what can be set without a look at the rows. shape is what must be the
-- same before statement may be used on one that is different: NULL where there is no such thing.
-- Only what can be said in one statement is here; tables and types are made by migrations.
WITH relation AS MATERIALIZED (
    SELECT c.oid, c.relname, c.relkind, c.oid::regclass::text AS full_name, c.relrowsecurity, c.relforcerowsecurity
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1::text AND c.relkind IN ('r', 'p', 'v', 'm')
), object (kind, name, needed, statement, shape) AS (
    SELECT 'index', x.relname::text, r.relname::text,
           -- Of a partitioned table PostgreSQL writes ON ONLY, which would leave the partitions without and the index invalid.
           CASE x.relkind WHEN 'I'
               THEN left(w.begin, -length('ONLY ')) || substr(pg_get_indexdef(i.indexrelid), length(w.begin) + 1)
               ELSE pg_get_indexdef(i.indexrelid) END, NULL
      FROM relation r
      JOIN pg_index i ON i.indrelid = r.oid
      JOIN pg_class x ON x.oid = i.indexrelid AND NOT x.relispartition
     CROSS JOIN LATERAL (SELECT format('CREATE %sINDEX %I ON ONLY ', CASE WHEN i.indisunique THEN 'UNIQUE ' END, x.relname)) w (begin)
     WHERE NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid AND c.contype IN ('p', 'u', 'x'))
    UNION ALL
    SELECT 'constraint', concat(r.relname, '.', c.conname), r.relname::text,
           format('ALTER TABLE %s ADD CONSTRAINT %I %s', r.full_name, c.conname, pg_get_constraintdef(c.oid)), NULL
      FROM relation r
      JOIN pg_constraint c ON c.conrelid = r.oid AND c.conparentid = 0 AND c.conislocal AND c.contype <> 't'
    UNION ALL
    SELECT 'trigger', concat(r.relname, '.', g.tgname), r.relname::text, pg_get_triggerdef(g.oid), NULL
      FROM relation r
      JOIN pg_trigger g ON g.tgrelid = r.oid AND NOT g.tgisinternal AND g.tgparentid = 0 AND g.tgenabled = 'O'
    UNION ALL
    SELECT 'policy', concat(r.relname, '.', o.polname), r.relname::text,
           concat_ws(' ', format('CREATE POLICY %I ON %s AS %s FOR %s TO', o.polname, r.full_name,
                                 CASE WHEN o.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
                                 CASE o.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
                                      WHEN 'd' THEN 'DELETE' ELSE 'ALL' END),
                     (SELECT string_agg(CASE m.member WHEN 0 THEN 'PUBLIC' ELSE m.member::regrole::text END, ', ')
                        FROM unnest(o.polroles) AS m (member)),
                     'USING (' || pg_get_expr(o.polqual, o.polrelid) || ')',
                     'WITH CHECK (' || pg_get_expr(o.polwithcheck, o.polrelid) || ')'), NULL
      FROM relation r
      JOIN pg_policy o ON o.polrelid = r.oid
    UNION ALL
    SELECT 'rule', concat(r.relname, '.', u.rulename), r.relname::text, rtrim(pg_get_ruledef(u.oid), ';'), NULL
      FROM relation r
      JOIN pg_rewrite u ON u.ev_class = r.oid AND u.rulename <> '_RETURN' AND u.ev_enabled = 'O'
    UNION ALL
    SELECT 'statistics', s.stxname::text, NULL, pg_get_statisticsobjdef(s.oid), NULL
      FROM pg_statistic_ext s
      JOIN pg_namespace n ON n.oid = s.stxnamespace AND n.nspname = $1
    UNION ALL
    -- CREATE OR REPLACE: what is there keeps its owner, its rights and what depends on it.
    SELECT 'function', concat(f.proname, '(', pg_get_function_identity_arguments(f.oid), ')'), NULL,
           rtrim(pg_get_functiondef(f.oid), E'\n'), ''
      FROM pg_proc f
      JOIN pg_namespace n ON n.oid = f.pronamespace AND n.nspname = $1
     WHERE f.prokind <> 'a'
    UNION ALL
    SELECT 'view', r.relname::text, NULL, format('CREATE OR REPLACE VIEW %s%s AS %s', r.full_name,
                                           ' WITH (' || array_to_string(c.reloptions, ', ') || ')',
                                           rtrim(pg_get_viewdef(r.oid), ';')), ''
      FROM relation r
      JOIN pg_class c ON c.oid = r.oid
     WHERE r.relkind = 'v'
    UNION ALL
    SELECT 'table', r.relname::text, r.relname::text,
           format('ALTER TABLE %s %s ROW LEVEL SECURITY, %s ROW LEVEL SECURITY', r.full_name,
                  CASE WHEN r.relrowsecurity THEN 'ENABLE' ELSE 'DISABLE' END,
                  CASE WHEN r.relforcerowsecurity THEN 'FORCE' ELSE 'NO FORCE' END), 'row security'
      FROM relation r
     WHERE r.relkind IN ('r', 'p')
    UNION ALL
    -- A column that is missing, where rows that are there get a value.
    SELECT 'column', concat(r.relname, '.', a.attname), r.relname::text,
           concat_ws(' ', format('ALTER TABLE %s ADD COLUMN %I %s', r.full_name, a.attname,
                                 format_type(a.atttypid, a.atttypmod)),
                     CASE WHEN a.attcollation <> t.typcollation THEN 'COLLATE ' || a.attcollation::regcollation END,
                     'DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), CASE WHEN a.attnotnull THEN 'NOT NULL' END), NULL
      FROM relation r
      JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
      JOIN pg_type t ON t.oid = a.atttypid
      LEFT JOIN pg_attrdef d ON d.adrelid = r.oid AND d.adnum = a.attnum
     WHERE r.relkind IN ('r', 'p') AND a.attislocal AND a.attgenerated = '' AND a.attidentity = ''
       AND (d.oid IS NOT NULL OR NOT a.attnotnull)
    UNION ALL
    -- Parts of one that is different, where its number, type and collation are the same: each part by itself.
    SELECT w.kind, concat(k.relname, '.', k.attname), k.relname::text,
           format('ALTER %s %s %s', CASE k.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, k.full_name, w.change),
           concat_ws(' ', k.number, format_type(k.atttypid, k.atttypmod), k.collated)
      FROM (SELECT r.full_name, r.relname, r.relkind, a.*, pg_get_expr(d.adbin, d.adrelid) AS preset,
                   format('ALTER COLUMN %I', a.attname) AS head,
                   (SELECT count(*) FROM pg_attribute b
                     WHERE b.attrelid = r.oid AND b.attnum BETWEEN 1 AND a.attnum AND NOT b.attisdropped) AS number,
                   CASE WHEN a.attcollation <> t.typcollation THEN 'collate ' || a.attcollation::regcollation END AS collated
              FROM relation r
              JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
              JOIN pg_type t ON t.oid = a.atttypid
              LEFT JOIN pg_attrdef d ON d.adrelid = r.oid AND d.adnum = a.attnum
             WHERE r.relkind IN ('r', 'p', 'v')) k
     CROSS JOIN LATERAL (VALUES
           ('column default', concat(k.head, coalesce(' SET DEFAULT ' || k.preset, ' DROP DEFAULT'))),
           ('column not null', concat(k.head, CASE WHEN k.attnotnull THEN ' SET' ELSE ' DROP' END, ' NOT NULL')),
           ('column storage', concat(k.head, ' SET STORAGE ', CASE k.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL'
                                                                   WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END)),
           ('column compression', concat(k.head, ' SET COMPRESSION ', CASE k.attcompression WHEN 'p' THEN 'pglz'
                                                                           WHEN 'l' THEN 'lz4' ELSE 'default' END)),
           ('column statistics', concat(k.head, ' SET STATISTICS ', coalesce(k.attstattarget, -1))),
           ('column options', concat(k.head, ' RESET (n_distinct, n_distinct_inherited)',
                                     (SELECT format(', %s SET (%s)', k.head, string_agg(o.option, ', '))
                                        FROM unnest(k.attoptions) o (option) WHERE o.option !~ '^pg_'
                                      HAVING count(*) > 0)))) w (kind, change)
     -- A view's column has a default of its own, or none.
     WHERE CASE w.kind WHEN 'column default' THEN k.attgenerated = '' AND k.attidentity = '' ELSE k.relkind <> 'v' END
    UNION ALL
    -- Comments on what may have to be made anew, with which they go.
    SELECT 'comment', concat('view ', r.relname, '.' || a.attname), r.relname::text,
           format('COMMENT ON %s %s IS %L', CASE WHEN a.attnum IS NULL THEN 'VIEW' ELSE 'COLUMN' END,
                  concat(r.full_name, '.' || quote_ident(a.attname)), d.description), NULL
      FROM relation r
      JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = r.oid
      LEFT JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum = d.objsubid AND d.objsubid <> 0
     WHERE r.relkind = 'v'
    UNION ALL
    SELECT 'comment', concat('trigger ', r.relname, '.', g.tgname), r.relname::text,
           format('COMMENT ON TRIGGER %I ON %s IS %L', g.tgname, r.full_name, d.description), NULL
      FROM relation r
      JOIN pg_trigger g ON g.tgrelid = r.oid AND NOT g.tgisinternal
      JOIN pg_description d ON d.classoid = 'pg_trigger'::regclass AND d.objoid = g.oid
    UNION ALL
    SELECT 'comment', concat('function ', f.proname, '(', pg_get_function_identity_arguments(f.oid), ')'), NULL,
           format('COMMENT ON ROUTINE %s IS %L', f.oid::regprocedure, d.description), NULL
      FROM pg_proc f
      JOIN pg_namespace n ON n.oid = f.pronamespace AND n.nspname = $1
      JOIN pg_description d ON d.classoid = 'pg_proc'::regclass AND d.objoid = f.oid
     WHERE f.prokind <> 'a'
)
SELECT o.kind, n.name, o.statement, n.shape, o.needed
  FROM object o
 CROSS JOIN LATERAL (
       SELECT CASE WHEN $5::text IS NULL THEN replace(replace(m.name, $1 || '.', ''), $1, '{schema}')
                   ELSE replace(m.name, $1, $5) END AS name,
              CASE WHEN $5 IS NULL THEN replace(replace(m.shape, $1 || '.', ''), $1, '{schema}')
                   ELSE replace(m.shape, $1, $5) END AS shape
         FROM (SELECT replace(replace(replace(o.name, $2::text, '{owner}'), $3::text, '{app}'), $4::text, '{readonly}') AS name,
                      replace(replace(replace(o.shape, $2, '{owner}'), $3, '{app}'), $4, '{readonly}') AS shape) m) n
 ORDER BY o.kind COLLATE "C", n.name COLLATE "C"
