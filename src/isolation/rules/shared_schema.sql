-- Whose data is in there cannot be told.
SELECT NULL::uuid AS tenant_id, NULL::uuid AS other_id, format('schema %I', t.nspname) AS object,
       format('tenants may use things in it, %s among them', min(pg_describe_object(t.classid, t.objid, 0))) AS evidence,
       format('REVOKE ALL ON SCHEMA %I FROM PUBLIC', t.nspname) AS mend
  FROM iso_thing t
 GROUP BY t.nspname
