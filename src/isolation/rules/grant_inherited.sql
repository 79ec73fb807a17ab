SELECT g.tenant_id, g.holder_tenant AS other_id, g.object,
       format('%s has %s, as a member of %s', g.holder, g.privileges, g.through) AS evidence,
       g.mend
  FROM iso_grant g
 WHERE g.place_kind <> 'control' AND g.through IS NOT NULL
   AND g.holder_kind IN ('tenants', 'group', 'owner', 'app', 'readonly')
