SELECT NULL::uuid AS tenant_id, NULL::uuid AS other_id, format('line %s of pg_hba.conf', h.line_number) AS object,
       format('%s for database %s, user %s', h.auth_method, array_to_string(h.database, ', '),
              array_to_string(h.user_name, ', ')) AS evidence, NULL::text AS mend
  FROM pg_hba_file_rules h
 WHERE h.auth_method = 'trust' AND h.error IS NULL
   AND h.database && ARRAY['all', 'sameuser', 'samerole', current_database()::text]
   AND (h.user_name && ARRAY['all']
        OR EXISTS (SELECT FROM iso_own o WHERE h.user_name && ARRAY[o.rolname::text, '+' || o.rolname])
        -- Expressions, from PostgreSQL 16 on, are not tried out.
        OR EXISTS (SELECT FROM unnest(h.user_name) u (word) WHERE u.word LIKE '/%'))
