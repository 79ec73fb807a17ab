SELECT g.tenant_id, g.holder_tenant AS other_id, g.object,
       format('%s has %s', g.holder, g.privileges) AS evidence,
       g.mend
  FROM iso_grant g
 WHERE g.place_kind <> 'control' AND g.through IS NULL AND g.holder_kind IN ('tenants', 'group', 'owner', 'app', 'readonly')
   AND g.kind IN ('table', 'view', 'materialized view', 'foreign table')
