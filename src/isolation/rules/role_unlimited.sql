SELECT o.tenant_id, NULL::uuid AS other_id, format('role %s', o.rolname) AS object,
       'it may open as many connections as the server has' AS evidence, NULL::text AS mend
  FROM iso_own o
  JOIN iso_target t ON t.tenant_id = o.tenant_id AND t.state = 'active'
  JOIN pg_roles r ON r.oid = o.oid
 WHERE r.rolcanlogin AND r.rolconnlimit < 0
