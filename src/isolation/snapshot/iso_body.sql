-- What functions that work with their owner's rights do, for definer.c to judge.
SELECT f.tenant_id, f.object, format('ALTER ROUTINE %s SECURITY INVOKER', f.oid::regprocedure) AS mend,
       jsonb_build_object(
           'schema', f.nspname, 'owner', pg_get_userbyid(f.proowner), 'language', l.lanname, 'source', s.prosrc,
           'definition', CASE WHEN l.lanname IN ('sql', 'plpgsql') THEN pg_get_functiondef(f.oid) END,
           'path', (SELECT jsonb_agg(btrim(w.word, ' "'))
                      FROM unnest(f.proconfig) c (setting), unnest(string_to_array(substr(c.setting, 13), ',')) w (word)
                     WHERE c.setting LIKE 'search\_path=%'),
           'tenants', (SELECT jsonb_object_agg(p.schema_name, t.id)
                         FROM regexp_matches(concat(s.prosrc, s.proconfig), '\m\w+_[0-9a-f]{12}\M', 'g') m (found)
                         JOIN tenantry.places p ON p.schema_name = m.found[1]::name AND p.tier = 'schema'
                         JOIN tenantry.tenants t ON t.place_id = p.id)) AS body
  FROM iso_definer f
  JOIN pg_proc s ON s.oid = f.oid
  JOIN pg_language l ON l.oid = f.prolang
