SELECT NULL::uuid AS tenant_id, r.tenant_id AS other_id, pg_describe_object(p.classid, p.objid, 0) AS object,
       format('%s owns it, and logins search schema %s', p.owner, p.nspname) AS evidence, NULL::text AS mend
  FROM iso_planted p
  LEFT JOIN tenantry.roles r ON r.name = p.owner
