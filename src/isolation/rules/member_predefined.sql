SELECT m.member_tenant AS tenant_id, NULL::uuid AS other_id, format('role %s', m.member_name) AS object, m.evidence AS evidence,
       m.mend AS mend
  FROM iso_member m
 WHERE m.member_kind IN ('owner', 'app', 'readonly', 'group', 'tenants') AND m.role_kind = 'predefined'
