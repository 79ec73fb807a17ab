-- The statements that make a schema and all that is in it another owner's, with the rights of a place and no others, in
-- their order. $1: the schema, $2: the new owner, $3: the application's role, $4: the read-only role. Names are quoted by
-- format(). Indexes, the types of rows and the sequences of columns go with their tables; the functions that make a range
-- are the server's own, whoever made the type.
WITH space AS MATERIALIZED (
    SELECT n.oid, n.nspname, n.nspowner, n.nspacl FROM pg_namespace n WHERE n.nspname::text = $1::text
), relation AS MATERIALIZED (
    SELECT c.oid, c.relname, c.relkind, c.relowner, c.relacl
      FROM space s
      JOIN pg_class c ON c.relnamespace = s.oid
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c')
), routine AS MATERIALIZED (
    SELECT f.oid, f.proowner, f.proacl
      FROM space s
      JOIN pg_proc f ON f.pronamespace = s.oid
     WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'i')
), type AS MATERIALIZED ( -- a multirange follows its range from version 17 on
    SELECT t.oid, t.typtype, t.typowner, t.typacl
      FROM space s
      JOIN pg_type t ON t.typnamespace = s.oid
     WHERE (t.typtype IN ('b', 'd', 'e', 'r')
            OR (t.typtype = 'm' AND current_setting('server_version_num')::integer < 170000))
       AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)
), owned (rank, kind, name) AS (
    SELECT 1, CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'f' THEN 'FOREIGN TABLE'
                             WHEN 'S' THEN 'SEQUENCE' WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END,
           format('%I.%I', s.nspname, c.relname)
      FROM space s
     CROSS JOIN relation c
     WHERE c.relkind <> 'S'
        OR NOT EXISTS (SELECT FROM pg_depend d
                        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0
                          AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i'))
    UNION ALL
    SELECT 2, CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, t.oid::regtype::text FROM type t
    UNION ALL
    SELECT 3, 'ROUTINE', f.oid::regprocedure::text FROM routine f
    UNION ALL
    SELECT 4, 'COLLATION', c.oid::regcollation::text FROM space s JOIN pg_collation c ON c.collnamespace = s.oid
    UNION ALL
    SELECT 5, 'CONVERSION', format('%I.%I', s.nspname, c.conname) FROM space s JOIN pg_conversion c ON c.connamespace = s.oid
    UNION ALL
    SELECT 6, 'OPERATOR', o.oid::regoperator::text FROM space s JOIN pg_operator o ON o.oprnamespace = s.oid
    UNION ALL
    SELECT 7, 'OPERATOR FAMILY', format('%I.%I USING %I', s.nspname, o.opfname, a.amname)
      FROM space s JOIN pg_opfamily o ON o.opfnamespace = s.oid JOIN pg_am a ON a.oid = o.opfmethod
    UNION ALL
    SELECT 8, 'OPERATOR CLASS', format('%I.%I USING %I', s.nspname, o.opcname, a.amname)
      FROM space s JOIN pg_opclass o ON o.opcnamespace = s.oid JOIN pg_am a ON a.oid = o.opcmethod
    UNION ALL
    SELECT 9, 'TEXT SEARCH DICTIONARY', format('%I.%I', s.nspname, d.dictname)
      FROM space s JOIN pg_ts_dict d ON d.dictnamespace = s.oid
    UNION ALL
    SELECT 10, 'TEXT SEARCH CONFIGURATION', format('%I.%I', s.nspname, c.cfgname)
      FROM space s JOIN pg_ts_config c ON c.cfgnamespace = s.oid
    UNION ALL
    SELECT 11, 'STATISTICS', format('%I.%I', s.nspname, x.stxname)
      FROM space s JOIN pg_statistic_ext x ON x.stxnamespace = s.oid
), listed (rank, kind, name, owner, acl) AS ( -- what has rights, and how a statement names it
    SELECT 1, 'SCHEMA', quote_ident(s.nspname), s.nspowner, coalesce(s.nspacl, acldefault('n', s.nspowner)) FROM space s
    UNION ALL
    SELECT 2, CASE c.relkind WHEN 'S' THEN 'ALL SEQUENCES IN SCHEMA' ELSE 'ALL TABLES IN SCHEMA' END, quote_ident(s.nspname),
           c.relowner, c.relacl
      FROM space s
     CROSS JOIN relation c
     WHERE c.relacl IS NOT NULL AND c.relkind <> 'c'
    UNION ALL
    SELECT 2, 'ALL TABLES IN SCHEMA', quote_ident(s.nspname), c.relowner, a.attacl
      FROM space s
     CROSS JOIN relation c
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attacl IS NOT NULL
    UNION ALL
    SELECT 3, 'ROUTINE', f.oid::regprocedure::text, f.proowner, coalesce(f.proacl, acldefault('f', f.proowner)) FROM routine f
    UNION ALL
    SELECT 4, 'TYPE', t.oid::regtype::text, t.typowner, coalesce(t.typacl, acldefault('T', t.typowner))
      FROM type t
     WHERE t.typtype <> 'm'
    UNION ALL
    SELECT 4, 'TYPE', t.oid::regtype::text, t.typowner, coalesce(t.typacl, acldefault('T', t.typowner))
      FROM relation c
      JOIN pg_type t ON t.typrelid = c.oid
     WHERE c.relkind = 'c'
), holder AS (
    SELECT l.rank, l.kind, l.name, string_agg(DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC'
                                              ELSE quote_ident(pg_get_userbyid(a.grantee)) END, ', ') AS grantees
      FROM listed l
     CROSS JOIN LATERAL aclexplode(l.acl) a
     WHERE a.grantee <> l.owner
     GROUP BY l.rank, l.kind, l.name
), preset AS ( -- rights on things that come, which others gave away
    SELECT d.defaclrole, CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS'
                                              ELSE 'TYPES' END AS kind,
           string_agg(DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END, ', ') AS grantees
      FROM space s
      JOIN pg_default_acl d ON d.defaclnamespace = s.oid
     CROSS JOIN LATERAL aclexplode(d.defaclacl) a
     GROUP BY 1, 2
), statement (part, rank, text) AS (
    SELECT 1, 0, format('ALTER SCHEMA %I OWNER TO %I', s.nspname, $2::text) FROM space s
    UNION ALL
    SELECT 2, o.rank, format('ALTER %s %s OWNER TO %I', o.kind, o.name, $2::text) FROM owned o
    UNION ALL
    SELECT 3, h.rank, format('REVOKE ALL ON %s %s FROM %s CASCADE', h.kind, string_agg(h.name, ', ' ORDER BY h.name), h.grantees)
      FROM holder h
     GROUP BY h.rank, h.kind, h.grantees
    UNION ALL
    SELECT 4, 0, format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA %I REVOKE ALL ON %s FROM %s',
                        pg_get_userbyid(p.defaclrole), s.nspname, p.kind, p.grantees)
      FROM space s
     CROSS JOIN preset p
    UNION ALL
    SELECT 5, g.rank, format(g.template, s.nspname, $3::text, $4::text)
      FROM space s
     CROSS JOIN (VALUES (1, 'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %1$I TO %2$I'),
                        (2, 'GRANT SELECT ON ALL TABLES IN SCHEMA %1$I TO %3$I'),
                        (3, 'GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA %1$I TO %2$I')) g (rank, template)
    UNION ALL
    SELECT 6, l.rank, format('GRANT %s ON %s %s TO %I, %I', CASE l.rank WHEN 3 THEN 'EXECUTE' ELSE 'USAGE' END, l.kind,
                             string_agg(l.name, ', ' ORDER BY l.name), $3::text, $4::text)
      FROM listed l
     WHERE l.rank IN (3, 4)
     GROUP BY l.rank, l.kind
)
SELECT text FROM statement ORDER BY part, rank, text COLLATE "C"
