-- What a schema loses when it is taken over, in sentences for people: who owns it until now, who may do what in it, whose
-- rights its code had. $1: the schema.
WITH space AS MATERIALIZED (
    SELECT n.oid, n.nspowner, n.nspacl FROM pg_namespace n WHERE n.nspname::text = $1::text
), thing (kind, owner, acl) AS MATERIALIZED (
    SELECT 'schema', s.nspowner, coalesce(s.nspacl, acldefault('n', s.nspowner)) FROM space s
    UNION ALL
    SELECT CASE c.relkind WHEN 'S' THEN 'sequences' WHEN 'v' THEN 'views' ELSE 'tables' END, c.relowner,
           coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner))
      FROM space s
      JOIN pg_class c ON c.relnamespace = s.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    UNION ALL
    SELECT 'columns', c.relowner, a.attacl
      FROM space s
      JOIN pg_class c ON c.relnamespace = s.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attacl IS NOT NULL
    UNION ALL
    SELECT 'functions', f.proowner, coalesce(f.proacl, acldefault('f', f.proowner))
      FROM space s
      JOIN pg_proc f ON f.pronamespace = s.oid
     WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'i')
    UNION ALL
    SELECT 'types', t.typowner, coalesce(t.typacl, acldefault('T', t.typowner))
      FROM space s
      JOIN pg_type t ON t.typnamespace = s.oid AND t.typtype IN ('d', 'e', 'r')
), change (rank, who, kind, text) AS (
    SELECT 1, r.rolname::text, min(t.kind), format('role "%s"%s loses what it owns (objects: %s)', r.rolname,
           CASE WHEN r.rolsuper THEN ', a superuser,' ELSE '' END, count(*))
      FROM thing t
      JOIN pg_roles r ON r.oid = t.owner
     WHERE t.kind <> 'columns'
     GROUP BY r.rolname, r.rolsuper
    UNION ALL
    SELECT 2, g.who, g.kind, CASE WHEN g.kind = 'schema' THEN format('%s loses %s on the schema', g.who, g.rights)
                                  ELSE format('%s loses %s on %s (%s)', g.who, g.rights, g.kind, count(*)) END
      FROM (SELECT t.kind, x.who, x.rights
              FROM thing t
             CROSS JOIN LATERAL (
                   SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE format('role "%s"', pg_get_userbyid(a.grantee)) END AS who,
                          string_agg(DISTINCT a.privilege_type, ', ') AS rights
                     FROM aclexplode(t.acl) a
                    WHERE a.grantee <> t.owner
                    GROUP BY a.grantee) x) g
     GROUP BY g.who, g.kind, g.rights
    UNION ALL
    SELECT 3, r.rolname::text, '', format('SECURITY DEFINER functions (%s) run with the rights of "%s"%s, and will run with those'
           ' of the tenant''s owner', count(*), r.rolname, CASE WHEN r.rolsuper THEN ', a superuser' ELSE '' END)
      FROM space s
      JOIN pg_proc f ON f.pronamespace = s.oid AND f.prosecdef
      JOIN pg_roles r ON r.oid = f.proowner
     GROUP BY r.rolname, r.rolsuper
    UNION ALL
    SELECT 4, r.rolname::text, '', format('role "%s" no longer gives rights on what it will make in the schema', r.rolname)
      FROM space s
      JOIN pg_default_acl d ON d.defaclnamespace = s.oid
      JOIN pg_roles r ON r.oid = d.defaclrole
     GROUP BY r.rolname
)
SELECT text FROM change ORDER BY rank, who COLLATE "C", kind COLLATE "C", text COLLATE "C"
