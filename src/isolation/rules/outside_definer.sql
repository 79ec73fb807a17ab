SELECT NULL::uuid AS tenant_id, NULL::uuid AS other_id, l.object, l.evidence, l.mend
  FROM iso_lent l
 WHERE NOT l.is_power
