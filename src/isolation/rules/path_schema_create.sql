SELECT b.tenant_id, NULL::uuid AS other_id, format('schema %s', m.nspname) AS object,
       CASE WHEN m.is_owner THEN format('%s owns it', b.name) ELSE format('%s has CREATE', b.name) END AS evidence,
       CASE WHEN m.is_owner
            THEN format('ALTER SCHEMA %I OWNER TO %I', m.nspname,
                        (SELECT pg_get_userbyid(n.nspowner) FROM pg_namespace n WHERE n.nspname = 'tenantry'))
            ELSE format('REVOKE CREATE ON SCHEMA %I FROM %s', m.nspname, b.sql) END AS mend
  FROM iso_maker m
  JOIN iso_bearer b ON b.oid = m.grantee
 WHERE m.is_open OR NOT m.is_owner
