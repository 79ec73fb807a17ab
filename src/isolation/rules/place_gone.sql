-- All of it by the snapshot: what is purged meanwhile is there for the registry and for the catalogue, or for neither.
-- to_regrole() and its like would ask what is there now.
SELECT t.tenant_id, NULL::uuid AS other_id, format('%s %s', x.what, x.name) AS object,
       'the registry has it, the server has not: under another name nobody looks at it' AS evidence, NULL::text AS mend
  FROM (SELECT DISTINCT place_id, CASE WHEN tier = 'schema' THEN tenant_id END AS tenant_id FROM iso_target) t
  JOIN tenantry.places p ON p.id = t.place_id
  LEFT JOIN pg_namespace n ON n.nspname = p.schema_name
  LEFT JOIN pg_roles o ON o.rolname = p.owner_role
  LEFT JOIN pg_roles a ON a.rolname = p.app_role
  LEFT JOIN pg_roles r ON r.rolname = p.readonly_role
 CROSS JOIN LATERAL (VALUES ('schema', p.schema_name, n.oid), ('role', p.owner_role, o.oid), ('role', p.app_role, a.oid),
                            ('role', p.readonly_role, r.oid)) x (what, name, found)
 WHERE x.found IS NULL
UNION ALL
SELECT t.tenant_id, NULL, format('role %s', g.name),
       'the registry has it, the server has not: under another name nobody looks at it', NULL
  FROM iso_target t
  JOIN tenantry.roles g ON g.tenant_id = t.tenant_id
  LEFT JOIN pg_roles r ON r.rolname = g.name
 WHERE t.tier = 'row' AND r.oid IS NULL
