SELECT f.tenant_id, r.tenant_id AS other_id, f.object,
       format('it works with the rights of %s', pg_get_userbyid(f.proowner)) AS evidence,
       format('ALTER ROUTINE %s OWNER TO %I', f.oid::regprocedure, pg_get_userbyid(f.owner)) AS mend
  FROM iso_definer f
  LEFT JOIN iso_role r ON r.oid = f.proowner
 WHERE f.proowner <> f.owner
