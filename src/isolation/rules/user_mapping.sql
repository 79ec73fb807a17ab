SELECT o.tenant_id, NULL::uuid AS other_id, format('server %s', m.srvname) AS object,
       format('there is a user mapping for %s', coalesce(o.rolname, 'PUBLIC')) AS evidence,
       format('DROP USER MAPPING FOR %s SERVER %I', coalesce(quote_ident(o.rolname), 'PUBLIC'), m.srvname) AS mend
  FROM pg_user_mappings m
  LEFT JOIN iso_own o ON o.oid = m.umuser
 WHERE m.umuser = 0 OR o.oid IS NOT NULL
