-- What belongs to another role than the owner of its place. A sequence of a serial or identity column goes with its table.
SELECT p.tenant_id, p.kind AS place_kind, o.kind, format('%s %s', o.kind, o.name) AS object,
       r.tenant_id AS owner_tenant, pg_get_userbyid(o.owner) AS owner_name, pg_get_userbyid(p.owner) AS right_owner,
       format('ALTER %s OWNER TO %I',
              coalesce('TABLE ' || (SELECT d.refobjid::regclass
                                      FROM pg_depend d
                                     WHERE o.kind = 'sequence' AND d.classid = 'pg_class'::regclass AND d.objid = o.objid
                                       AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')),
                       concat(CASE WHEN o.kind IN ('aggregate', 'procedure') THEN 'ROUTINE' ELSE upper(o.kind) END,
                              ' ', o.name)),
              pg_get_userbyid(p.owner)) AS mend
  FROM iso_object o
  JOIN iso_place p USING (nspoid)
  LEFT JOIN tenantry.roles r ON r.name = pg_get_userbyid(o.owner)
 WHERE o.owner <> p.owner
UNION ALL -- the schema of extensions; what is in it is as the extensions made it
SELECT NULL, 'control', 'schema', format('schema %I', n.nspname), r.tenant_id, pg_get_userbyid(n.nspowner),
       pg_get_userbyid(c.nspowner), format('ALTER SCHEMA %I OWNER TO %I', n.nspname, pg_get_userbyid(c.nspowner))
  FROM pg_namespace n
  JOIN pg_namespace c ON c.nspname = 'tenantry'
  LEFT JOIN tenantry.roles r ON r.name = pg_get_userbyid(n.nspowner)
 WHERE n.nspname = 'tenantry_ext' AND n.nspowner <> c.nspowner
