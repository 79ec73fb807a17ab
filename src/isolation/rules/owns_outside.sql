-- The guard of a place's owner is control_function's.
SELECT o.tenant_id, NULL::uuid AS other_id, pg_describe_object(s.classid, s.objid, 0) AS object,
       format('%s owns it', o.rolname) AS evidence, NULL::text AS mend
  FROM iso_outside s
  JOIN iso_own o ON o.oid = s.role
 WHERE s.deptype = 'o'
   AND NOT (o.kind IN ('owner', 'group_owner') AND s.classid = 'pg_proc'::regclass
            AND EXISTS (SELECT FROM pg_proc f
                         WHERE f.oid = s.objid AND f.proname = o.rolname AND f.pronamespace = to_regnamespace('tenancy_kept')))
