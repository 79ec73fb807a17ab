SELECT o.tenant_id, o.owner_tenant AS other_id, o.object,
       format('%s owns it, not %s', o.owner_name, o.right_owner) AS evidence, o.mend
  FROM iso_misowned o
 WHERE o.place_kind <> 'control'
   AND o.kind IN ('schema')
