-- Rights of others in a tenant's or a shared schema, or in Tenantry's own: who holds them in the end, whose that is, and
-- the statement that takes the right away. `through` is the role that it was granted to where the holder inherits it.
SELECT p.nspoid, p.kind AS place_kind, p.tenant_id, a.classid, a.objid, a.kind, a.name, a.column_name, a.privilege_type,
       a.grantee, CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE g.rolname::text END AS grantee_name,
       CASE WHEN a.grantee = 0 THEN 'public' ELSE h.kind END AS holder_kind,
       h.tenant_id AS holder_tenant, h.rolname AS holder_name,
       CASE WHEN d.is_inherited THEN g.rolname END AS through,
       format('REVOKE %s%s ON %s %s FROM %s', a.privilege_type, ' (' || quote_ident(a.column_name) || ')',
              CASE a.kind WHEN 'schema' THEN 'SCHEMA' WHEN 'sequence' THEN 'SEQUENCE' WHEN 'function' THEN 'FUNCTION'
                          WHEN 'aggregate' THEN 'FUNCTION' WHEN 'procedure' THEN 'PROCEDURE' WHEN 'type' THEN 'TYPE'
                          ELSE 'TABLE' END,
              a.name, CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(g.rolname) END) AS mend
  FROM iso_acl a
  JOIN iso_place p USING (nspoid)
  LEFT JOIN iso_holder d ON d.grantee = a.grantee
  LEFT JOIN iso_role h ON h.oid = d.member
  LEFT JOIN iso_role g ON g.oid = a.grantee
 WHERE a.grantee = 0
    OR (a.grantee NOT IN (coalesce(p.app, 0), coalesce(p.readonly, 0)) AND h.kind NOT IN ('super', 'control')
        AND h.tenant_id IS DISTINCT FROM coalesce(p.tenant_id, '00000000-0000-0000-0000-000000000000'))
