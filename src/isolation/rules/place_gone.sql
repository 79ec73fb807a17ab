-- All of it by the snapshot: what is purged meanwhile is there for the registry and for the catalogue, or for neither.
-- to_regrole() and its like would ask what is there now.
SELECT x.tenant_id, NULL::uuid AS other_id, format('%s %s', x.what, x.name) AS object,
       'the registry has it, the server has not: under another name nobody looks at it' AS evidence, NULL::text AS mend
  FROM (SELECT t.tenant_id, w.what, w.name
          FROM (SELECT DISTINCT place_id, CASE WHEN tier = 'schema' THEN tenant_id END AS tenant_id FROM iso_target) t
          JOIN tenantry.places p ON p.id = t.place_id
         CROSS JOIN LATERAL (VALUES ('schema', p.schema_name), ('role', p.owner_role), ('role', p.app_role),
                                    ('role', p.readonly_role)) w (what, name)
        UNION ALL
        SELECT t.tenant_id, 'role', g.name
          FROM iso_target t
          JOIN tenantry.roles g ON g.tenant_id = t.tenant_id
         WHERE t.tier = 'row') x
 WHERE CASE x.what WHEN 'schema' THEN NOT EXISTS (SELECT FROM pg_namespace n WHERE n.nspname = x.name)
                   ELSE NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = x.name) END
