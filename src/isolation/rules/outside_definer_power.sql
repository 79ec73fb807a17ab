SELECT NULL::uuid AS tenant_id, NULL::uuid AS other_id, l.object,
       format('it works with the rights of %s, and %s may execute it', l.owner, l.callers) AS evidence,
       format('ALTER ROUTINE %s SECURITY INVOKER', l.oid::regprocedure) AS mend
  FROM iso_lent l
 WHERE l.prosecdef AND l.is_power
