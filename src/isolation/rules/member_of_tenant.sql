SELECT m.role_tenant AS tenant_id, m.member_tenant AS other_id, format('role %s', m.role_name) AS object, m.evidence AS evidence,
       m.mend AS mend
  FROM iso_member m
 WHERE m.member_kind IN ('owner', 'app', 'readonly') AND m.role_kind IN ('owner', 'app', 'readonly')
   AND m.member_tenant IS DISTINCT FROM m.role_tenant
