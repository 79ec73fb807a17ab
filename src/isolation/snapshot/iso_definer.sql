-- Functions that work with their owner's rights: in the schemas, and elsewhere with the rights of a tenant's role.
SELECT p.tenant_id, p.nspname, p.owner, f.oid, f.proowner, f.proconfig, f.prolang,
       format('function %s', f.oid::regprocedure) AS object
  FROM iso_function f
  JOIN iso_place p USING (nspoid)
 WHERE f.prosecdef AND p.kind <> 'control'
UNION ALL
SELECT coalesce(t.id, o.tenant_id), n.nspname, (SELECT r.oid FROM pg_roles r WHERE r.rolname = p.owner_role), f.oid,
       f.proowner, f.proconfig, f.prolang, format('function %s', f.oid::regprocedure)
  FROM iso_outside s
  JOIN iso_own o ON o.oid = s.role
  JOIN pg_proc f ON s.classid = 'pg_proc'::regclass AND f.oid = s.objid
  JOIN pg_namespace n ON n.oid = f.pronamespace
  LEFT JOIN tenantry.places p ON p.schema_name = n.nspname
  LEFT JOIN tenantry.tenants t ON t.place_id = CASE p.tier WHEN 'schema' THEN p.id END
 WHERE s.deptype = 'o' AND f.prosecdef
