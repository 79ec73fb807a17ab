SELECT g.tenant_id, NULL::uuid AS other_id, g.object, format('PUBLIC has %s', g.privileges) AS evidence,
       g.mend
  FROM iso_grant g
 WHERE g.place_kind <> 'control' AND g.holder_kind = 'public' AND g.kind IN ('column')
