-- Rights that a place's own logins or groups have beyond what Tenantry gives. granted_by ends the evidence where somebody
-- passed them on; then_sql ends the REVOKE.
SELECT x.*, ' (granted by ' || s.grantors || ')' AS granted_by, '; ' || s.mend AS passed_sql,
       concat(CASE WHEN x.is_grantable THEN ' CASCADE' END, '; ' || s.mend) AS then_sql
  FROM (SELECT p.tenant_id, p.kind AS place_kind, p.readonly, a.classid, a.objid, a.kind, a.name, a.column_name, a.grantee,
               pg_get_userbyid(a.grantee) AS grantee_name, a.privilege_type, bool_or(a.is_grantable) AS is_grantable
          FROM iso_acl a
          JOIN iso_place p USING (nspoid)
         WHERE a.grantee IN (p.app, p.readonly) AND p.kind <> 'control'
         GROUP BY p.tenant_id, p.kind, p.readonly, a.classid, a.objid, a.kind, a.name, a.column_name, a.grantee,
                  a.privilege_type) x
  LEFT JOIN iso_passed s ON (s.classid, s.objid, s.grantee, s.privilege_type) = (x.classid, x.objid, x.grantee, x.privilege_type)
        AND s.column_name IS NOT DISTINCT FROM x.column_name
