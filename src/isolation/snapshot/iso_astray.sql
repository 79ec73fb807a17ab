-- Where the map and the tenants' roles do not agree, and what an archived tenant still has in it. In the row tier a suspended
-- one has nothing in it either, and one that drains has what it had before.
SELECT coalesce(o.rolname, m.role_name) AS role_name
  FROM (SELECT w.rolname, w.tenant_id, t.state, t.tier FROM iso_own w JOIN iso_target t USING (tenant_id)) o
  FULL JOIN iso_map m ON m.role_name = o.rolname
 WHERE CASE WHEN o.state = 'archived' OR (o.state = 'suspended' AND o.tier = 'row') THEN m.role_name IS NOT NULL
            WHEN o.state = 'draining' AND o.tier = 'row' THEN m.tenant_id <> o.tenant_id
            ELSE m.tenant_id IS DISTINCT FROM o.tenant_id END
