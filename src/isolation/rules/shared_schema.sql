-- Whose data is in there cannot be told.
SELECT NULL::uuid AS tenant_id, NULL::uuid AS other_id, format('schema %I', t.nspname) AS object,
       format('tenants may use what is in it: %s, things in all: %s', min(pg_describe_object(t.classid, t.objid, 0)), count(*))
       AS evidence,
       CASE WHEN t.nspname NOT IN ('pg_catalog', 'information_schema') -- these are everybody's
            THEN format('REVOKE ALL ON SCHEMA %I FROM PUBLIC', t.nspname) END AS mend
  FROM iso_thing t
 GROUP BY t.nspname
