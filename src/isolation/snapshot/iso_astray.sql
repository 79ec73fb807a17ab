-- Where the map and the tenants' roles do not agree, and what an archived tenant still has in it.
SELECT coalesce(o.rolname, m.role_name) AS role_name
  FROM (SELECT w.rolname, w.tenant_id, t.state FROM iso_own w JOIN iso_target t USING (tenant_id)) o
  FULL JOIN iso_map m ON m.role_name = o.rolname
 WHERE CASE WHEN o.state = 'archived' THEN m.role_name IS NOT NULL ELSE m.tenant_id IS DISTINCT FROM o.tenant_id END
