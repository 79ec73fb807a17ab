SELECT o.tenant_id, NULL::uuid AS other_id, format('server %s', m.srvname) AS object,
       format('there is a user mapping for %s', o.name) AS evidence,
       format('DROP USER MAPPING FOR %s SERVER %I', o.sql, m.srvname) AS mend
  FROM pg_user_mappings m
  JOIN iso_bearer o ON o.oid = m.umuser
