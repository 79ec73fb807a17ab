SELECT m.member_tenant AS tenant_id, NULL::uuid AS other_id, format('role %s', m.role_name) AS object, format('%s may make others members of %s', m.via_name, m.role_name) AS evidence,
       format('REVOKE ADMIN OPTION FOR %I FROM %I', m.role_name, m.via_name) AS mend
  FROM iso_member m
 WHERE m.is_admin AND m.member_kind IN ('owner', 'app', 'readonly', 'group', 'tenants')
