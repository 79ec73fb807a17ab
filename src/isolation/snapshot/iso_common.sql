-- Schemas that are of no place and not Tenantry's own: those of extensions, of PostgreSQL, and whatever others made.
SELECT n.oid AS nspoid, n.nspname, n.nspowner, coalesce(n.nspacl, acldefault('n', n.nspowner)) AS nspacl
  FROM pg_namespace n
 WHERE n.nspname NOT IN (SELECT p.schema_name FROM tenantry.places p)
   AND n.nspname NOT IN ('tenantry', 'tenantry_audit', 'tenancy', 'tenancy_guards', 'tenancy_kept')
   AND n.nspname !~ '^pg_(toast|temp)'
