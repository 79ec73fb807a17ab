SELECT g.tenant_id, NULL::uuid AS other_id, format('%s %s', g.kind, g.name) AS object,
       format('PUBLIC has %s', g.privilege_type) AS evidence, g.mend
  FROM iso_grant g
 WHERE g.holder_kind = 'public' AND g.kind IN ('table', 'view', 'materialized view', 'foreign table')
