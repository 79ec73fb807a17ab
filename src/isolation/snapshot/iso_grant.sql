-- Rights of others in a tenant's or a shared schema, or in Tenantry's own: one row for each object, grantee and holder.
-- The holder is who has the right in the end; `through` says that it is inherited from the grantee. mend revokes it,
-- whoever gave it.
WITH acl AS (
    SELECT a.*, p.kind AS place_kind, p.tenant_id, p.app, p.readonly FROM iso_acl a JOIN iso_place p USING (nspoid)
    UNION ALL
    SELECT f.* FROM iso_far f
), merged AS (
    SELECT a.nspoid, a.place_kind, a.tenant_id, a.app, a.readonly, a.classid, a.objid, a.kind, a.name, a.column_name,
           a.grantee, string_agg(DISTINCT a.privilege_type, ', ' ORDER BY a.privilege_type)
           || coalesce(' (granted by ' || string_agg(DISTINCT s.grantors, ', ') || ')', '') AS privileges,
           bool_or(a.is_grantable) AS is_grantable, bool_or(a.grantor = a.owner) AS is_owners,
           string_agg(DISTINCT s.mend, '; ') AS passed_mend
      FROM acl a
      LEFT JOIN iso_passed s ON a.grantor <> a.owner
            AND (s.classid, s.objid, s.grantee, s.privilege_type) = (a.classid, a.objid, a.grantee, a.privilege_type)
            AND s.column_name IS NOT DISTINCT FROM a.column_name
     WHERE a.grantee NOT IN (coalesce(a.app, 0), coalesce(a.readonly, 0)) OR a.grantee = 0
     GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
)
SELECT m.nspoid, m.place_kind, m.tenant_id, m.classid, m.objid, m.kind,
       format('%s %s%s', m.kind, m.name, '.' || quote_ident(m.column_name)) AS object, m.name, m.privileges,
       CASE WHEN m.grantee = 0 THEN 'public' ELSE h.kind END AS holder_kind,
       h.tenant_id AS holder_tenant, CASE WHEN m.grantee = 0 THEN 'PUBLIC' ELSE h.rolname::text END AS holder,
       CASE WHEN d.is_inherited THEN g.rolname END AS through,
       concat_ws('; ', CASE WHEN m.is_owners OR m.passed_mend IS NULL THEN
       format('REVOKE ALL%s ON %s %s FROM %s%s', ' (' || quote_ident(m.column_name) || ')',
              CASE m.kind WHEN 'schema' THEN 'SCHEMA' WHEN 'sequence' THEN 'SEQUENCE' WHEN 'function' THEN 'FUNCTION'
                          WHEN 'aggregate' THEN 'FUNCTION' WHEN 'procedure' THEN 'PROCEDURE' WHEN 'type' THEN 'TYPE'
                          ELSE 'TABLE' END, m.name, CASE WHEN m.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(g.rolname) END,
              CASE WHEN m.is_grantable THEN ' CASCADE' END) END, m.passed_mend) AS mend
  FROM merged m
  LEFT JOIN iso_holder d ON d.grantee = m.grantee
  LEFT JOIN iso_role h ON h.oid = d.member
  LEFT JOIN iso_role g ON g.oid = m.grantee
 WHERE (m.grantee = 0
        OR (h.kind NOT IN ('super', 'control')
            AND h.tenant_id IS DISTINCT FROM coalesce(m.tenant_id, '00000000-0000-0000-0000-000000000000')))
