SELECT r.tenant_id, NULL::uuid AS other_id, format('role %s', pg_get_userbyid(m.member)) AS object,
       format('it is a member of %s', a.rolname) AS evidence,
       format('REVOKE %I FROM %I', a.rolname, pg_get_userbyid(m.member)) AS mend
  FROM tenantry.installation i
  JOIN pg_roles a ON a.rolname = i.audit_role
  JOIN pg_auth_members m ON m.roleid = a.oid
  LEFT JOIN tenantry.roles r ON r.name = pg_get_userbyid(m.member)
  -- From PostgreSQL 16 on, who made a role administers it without being able to act as it.
 WHERE coalesce((to_jsonb(m) ->> 'set_option')::boolean, true) OR coalesce((to_jsonb(m) ->> 'inherit_option')::boolean, true)
