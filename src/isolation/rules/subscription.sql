SELECT o.tenant_id, NULL::uuid AS other_id, format('subscription %s', s.subname) AS object,
       format('%s owns it; superusers only are told where it connects to, and nobody notices when that is changed', o.rolname)
       AS evidence, NULL::text AS mend
  FROM pg_subscription s
  JOIN iso_own o ON o.oid = s.subowner
