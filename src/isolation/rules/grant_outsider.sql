SELECT g.tenant_id, NULL::uuid AS other_id, g.object,
       format('%s has %s', g.holder, g.privileges) AS evidence,
       g.mend
  FROM iso_grant g
 WHERE g.place_kind <> 'control' AND g.through IS NULL AND g.holder_kind IN ('other', 'predefined')
