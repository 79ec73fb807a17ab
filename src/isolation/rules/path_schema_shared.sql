SELECT x.tenant_id, c.tenant_id AS other_id, x.object,
       format(CASE WHEN c.is_owner THEN '%s has schema %s, which %s owns' ELSE '%s has schema %s, where %s may make objects' END,
              x.whose, c.nspname, c.maker) AS evidence,
       CASE WHEN c.is_owner
            THEN format('ALTER SCHEMA %I OWNER TO %I', c.nspname,
                        (SELECT pg_get_userbyid(n.nspowner) FROM pg_namespace n WHERE n.nspname = 'tenantry'))
            ELSE format('REVOKE CREATE ON SCHEMA %I FROM %s', c.nspname, c.maker_sql) END AS mend
  FROM (SELECT m.nspname, m.is_owner, r.tenant_id,
               CASE m.grantee WHEN 0 THEN 'PUBLIC'
                    WHEN 'pg_database_owner'::regrole THEN format('the owner of the database, %s,', d.owner)
                    ELSE pg_get_userbyid(m.grantee) END AS maker,
               CASE m.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(m.grantee)) END AS maker_sql
          FROM iso_maker m
         CROSS JOIN (SELECT pg_get_userbyid(b.datdba) AS owner FROM pg_database b WHERE b.datname = current_database()) d
          LEFT JOIN tenantry.roles r ON r.name = pg_get_userbyid(m.grantee)) c
  JOIN iso_path x ON x.nspname = c.nspname
 WHERE c.tenant_id IS DISTINCT FROM x.tenant_id OR c.tenant_id IS NULL
