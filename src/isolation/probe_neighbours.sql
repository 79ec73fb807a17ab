-- Whom a tenant tries to reach: $1 the tenant, $2 its blueprint, $3 the seed, $4 at most how many of its blueprint and
-- of others each, or NULL. They are those that follow a point that seed and tenant decide, so that the index on id
-- finds them however many there are. The same blueprint comes first: a sample of one pair has the likelier leak.
WITH point AS (
    SELECT md5($3 || $1::text)::uuid AS id
), chosen AS (
    SELECT found.id, found.turn, kind.is_same
      FROM (VALUES (true), (false)) kind (is_same)
     CROSS JOIN point
     CROSS JOIN LATERAL (
        (SELECT t.id, 0 AS turn FROM tenantry.tenants t
          WHERE t.id > point.id AND t.id <> $1::uuid AND t.place_id IS NOT NULL AND (t.blueprint = $2) = kind.is_same
          ORDER BY t.id LIMIT $4::bigint)
        UNION ALL
        (SELECT t.id, 1 FROM tenantry.tenants t
          WHERE t.id <= point.id AND t.id <> $1::uuid AND t.place_id IS NOT NULL AND (t.blueprint = $2) = kind.is_same
          ORDER BY t.id LIMIT $4::bigint)
         ORDER BY turn, id LIMIT $4::bigint) found
)
SELECT t.id, t.slug, t.blueprint, t.plan, t.tier, t.state, p.schema_name, p.owner_role, p.app_role, p.readonly_role,
       app.name, readonly.name
  FROM chosen
  JOIN tenantry.tenants t ON t.id = chosen.id
  JOIN tenantry.places p ON p.id = t.place_id
  JOIN tenantry.roles app ON app.tenant_id = t.id AND app.kind = 'app'
  JOIN tenantry.roles readonly ON readonly.tenant_id = t.id AND readonly.kind = 'readonly'
 ORDER BY chosen.is_same DESC, chosen.turn, chosen.id
