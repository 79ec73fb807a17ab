SELECT x.tenant_id, c.tenant_id AS other_id, format('role %s', x.rolname) AS object,
       format('its search_path has schema %s, where %s may make objects', c.nspname, c.maker) AS evidence,
       format('REVOKE CREATE ON SCHEMA %I FROM %s', c.nspname, c.maker_sql) AS mend
  FROM (SELECT m.nspname, r.tenant_id, CASE m.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(m.grantee) END AS maker,
               CASE m.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(m.grantee)) END AS maker_sql
          FROM iso_maker m
          LEFT JOIN tenantry.roles r ON r.name = pg_get_userbyid(m.grantee)
         WHERE r.name IS NOT NULL OR m.grantee IN (SELECT b.oid FROM iso_bearer b)) c
  JOIN (SELECT i.tenant_id, i.rolname, i.value FROM iso_setting i WHERE i.name = 'search_path'
        UNION ALL
        SELECT NULL, 'every role', substr(g.setting, 13)
          FROM pg_db_role_setting d, LATERAL unnest(d.setconfig) g (setting)
         WHERE d.setrole = 0 AND g.setting LIKE 'search\_path=%'
           AND d.setdatabase IN (0, (SELECT b.oid FROM pg_database b WHERE b.datname = current_database()))) x
    ON c.nspname = ANY (SELECT btrim(btrim(w.word), '"') FROM unnest(string_to_array(x.value, ',')) w (word))
 WHERE c.tenant_id IS DISTINCT FROM x.tenant_id OR c.tenant_id IS NULL
