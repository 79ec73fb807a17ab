-- Its owner, or a member of that role, needs no right in it to drop it. Tenantry's own role has what it needs as its owner too.
SELECT o.tenant_id, NULL::uuid AS other_id, format('database %s', d.datname) AS object,
       format('%s owns it', o.name) AS evidence,
       format('ALTER DATABASE %I OWNER TO %I', d.datname, pg_get_userbyid(n.nspowner)) AS mend
  FROM pg_database d
  JOIN iso_reached o ON o.oid = d.datdba
  JOIN pg_namespace n ON n.nspname = 'tenantry'
 WHERE d.datname = current_database()
