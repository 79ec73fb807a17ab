SELECT t.tenant_id, NULL::uuid AS other_id, format('%s %s', x.what, x.name) AS object,
       'the registry has it, the server has not: under another name nobody looks at it' AS evidence, NULL::text AS mend
  FROM (SELECT DISTINCT place_id, CASE WHEN tier = 'schema' THEN tenant_id END AS tenant_id FROM iso_target) t
  JOIN tenantry.places p ON p.id = t.place_id
 CROSS JOIN LATERAL (VALUES ('schema', p.schema_name, to_regnamespace(quote_ident(p.schema_name))::oid),
                            ('role', p.owner_role, to_regrole(quote_ident(p.owner_role))::oid),
                            ('role', p.app_role, to_regrole(quote_ident(p.app_role))::oid),
                            ('role', p.readonly_role, to_regrole(quote_ident(p.readonly_role))::oid)) x (what, name, found)
 WHERE x.found IS NULL
UNION ALL
SELECT t.tenant_id, NULL, format('role %s', g.name),
       'the registry has it, the server has not: under another name nobody looks at it', NULL
  FROM iso_target t
  JOIN tenantry.roles g ON g.tenant_id = t.tenant_id
 WHERE t.tier = 'row' AND to_regrole(quote_ident(g.name)) IS NULL
