-- Memberships that Tenantry did not make: every role is in the group of tenants, and the logins of the row tier are in
-- the groups of their own place.
SELECT x.member
  FROM iso_reach x
  LEFT JOIN iso_own g ON g.oid = x.role
  LEFT JOIN iso_own m ON m.oid = x.member
  LEFT JOIN iso_own v ON v.oid = x.via
  LEFT JOIN tenantry.tenants t ON t.id = m.tenant_id
  LEFT JOIN tenantry.places p ON p.id = t.place_id
 WHERE (NOT x.is_admin AND m.oid IS NOT NULL AND g.oid IS NOT NULL
        AND (x.via = x.member OR v.kind = 'group_' || m.kind AND v.rolname IN (p.app_role, p.readonly_role))
        AND (g.kind = 'tenants' OR g.kind = 'group_' || m.kind AND g.rolname IN (p.app_role, p.readonly_role))) IS NOT TRUE
