-- Memberships that Tenantry did not make: every role is in the group of tenants, and the logins of the row tier are in
-- their place's groups.
SELECT x.member
  FROM iso_reach x
  LEFT JOIN iso_own g ON g.oid = x.role
  LEFT JOIN iso_own m ON m.oid = x.member
  LEFT JOIN iso_own v ON v.oid = x.via
 WHERE NOT (NOT x.is_admin AND (x.via = x.member OR v.kind = 'group_' || m.kind) AND m.oid IS NOT NULL AND g.oid IS NOT NULL
            AND (g.kind = 'tenants' OR g.kind = 'group_' || m.kind))
