-- The tenants' own roles, and every role that these are members of. Superusers, Tenantry's own and predefined roles have
-- rules about the membership.
SELECT o.oid, o.tenant_id, o.rolname AS name, quote_ident(o.rolname) AS sql FROM iso_own o
UNION ALL
SELECT DISTINCT r.oid, o.tenant_id, r.rolname, quote_ident(r.rolname)
  FROM iso_reach x
  JOIN iso_own o ON o.oid = x.member
  JOIN pg_roles r ON r.oid = x.role
 WHERE x.role NOT IN (SELECT w.oid FROM iso_own w) AND NOT r.rolsuper AND r.rolname NOT LIKE 'pg\_%'
   AND r.oid NOT IN (SELECT p.owner FROM iso_place p WHERE p.owner IS NOT NULL)
