SELECT g.tenant_id, g.holder_tenant AS other_id, g.object,
       format('%s may execute it with the rights of %s', g.holder, pg_get_userbyid(f.proowner)) AS evidence,
       g.mend
  FROM iso_grant g
  JOIN pg_proc f ON f.oid = g.objid AND g.classid = 'pg_proc'::regclass
 WHERE f.prosecdef AND g.place_kind <> 'control'
