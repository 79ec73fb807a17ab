-- The schemas in which names without a schema are looked for, beside a tenant's own: those of the search_path that logins of a
-- place are given (place_search_path of blueprint/place.c makes it), then what else is in the settings of the roles.
WITH given AS (
    SELECT b.name AS blueprint, x.nspname
      FROM tenantry.blueprints b
     CROSS JOIN LATERAL (
           SELECT v.name AS nspname FROM (VALUES ('pg_catalog'::name), ('tenantry_ext')) v (name)
           UNION
           SELECT n.nspname
             FROM tenantry.blueprint_versions v
            CROSS JOIN LATERAL (SELECT json_array_elements_text(v.head->'wanted') AS name
                                UNION SELECT json_array_elements_text(v.head->'optional')) w
             JOIN pg_extension e ON e.extname = w.name
             JOIN pg_namespace n ON n.oid = e.extnamespace
            WHERE v.blueprint = b.name AND v.version = b.version) x
     WHERE b.name IN (SELECT p.blueprint FROM iso_place p)
), searched AS (
    SELECT i.tenant_id, i.rolname, btrim(btrim(w.word), '"') AS nspname
      FROM (SELECT s.tenant_id, s.rolname, s.value FROM iso_setting s WHERE s.name = 'search_path'
            UNION ALL
            SELECT NULL, 'every role', substr(g.setting, 13)
              FROM pg_db_role_setting d, LATERAL unnest(d.setconfig) g (setting)
             WHERE d.setrole = 0 AND g.setting LIKE 'search\_path=%'
               AND d.setdatabase IN (0, (SELECT b.oid FROM pg_database b WHERE b.datname = current_database()))) i
     CROSS JOIN LATERAL unnest(string_to_array(i.value, ',')) w (word)
)
SELECT p.tenant_id, format('schema %I', p.nspname) AS object, 'the search_path of its logins' AS whose, g.nspname
  FROM iso_place p
  JOIN given g USING (blueprint)
UNION
SELECT s.tenant_id, format('role %s', s.rolname), 'its search_path', s.nspname
  FROM searched s
 WHERE NOT EXISTS (SELECT
                     FROM iso_target t
                     JOIN tenantry.places p ON p.id = t.place_id
                     JOIN given g USING (blueprint)
                    WHERE t.tenant_id = s.tenant_id AND g.nspname = s.nspname)
