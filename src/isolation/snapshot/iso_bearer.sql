-- Whose rights tenants have: PUBLIC's, those of their own roles, and of every role that those are members of. Superusers,
-- Tenantry's own and predefined roles have rules about the membership.
SELECT 0::oid AS oid, NULL::uuid AS tenant_id, 'PUBLIC' AS name, 'PUBLIC' AS sql
UNION ALL
SELECT o.oid, o.tenant_id, o.rolname, quote_ident(o.rolname) FROM iso_own o
UNION ALL
SELECT DISTINCT r.oid, o.tenant_id, r.rolname, quote_ident(r.rolname)
  FROM iso_reach x
  JOIN iso_own o ON o.oid = x.member
  JOIN pg_roles r ON r.oid = x.role
 WHERE x.role NOT IN (SELECT w.oid FROM iso_own w) AND NOT r.rolsuper AND r.rolname NOT LIKE 'pg\_%'
   AND r.oid NOT IN (SELECT p.owner FROM iso_place p WHERE p.owner IS NOT NULL)
