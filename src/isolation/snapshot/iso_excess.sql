-- Rights that a place's own logins or groups have beyond what Tenantry gives.
SELECT p.tenant_id, p.kind AS place_kind, p.readonly, a.kind, a.name, a.column_name, a.grantee,
       pg_get_userbyid(a.grantee) AS grantee_name, a.privilege_type, a.is_grantable
  FROM iso_acl a
  JOIN iso_place p USING (nspoid)
 WHERE a.grantee IN (p.app, p.readonly) AND p.kind <> 'control'
