SELECT f.tenant_id, NULL::uuid AS other_id, f.object,
       format('it runs dynamic SQL with the rights of %s: what it touches cannot be told',
              pg_get_userbyid(f.proowner)) AS evidence,
       format('ALTER ROUTINE %s SECURITY INVOKER', f.oid::regprocedure) AS mend
  FROM iso_definer f
  JOIN pg_proc s ON s.oid = f.oid
  JOIN pg_language l ON l.oid = f.prolang
 WHERE (s.prosrc ~* '\mexecute\M' OR l.lanname NOT IN ('sql', 'plpgsql')
        OR s.prosrc ~* '\m(query_to_xml|database_to_xml|schema_to_xml|table_to_xml|cursor_to_xml|dblink\w*|set_config)\M')
