-- What belongs to another role than the owner of its place.
SELECT p.tenant_id, p.kind AS place_kind, o.kind, format('%s %s', o.kind, o.name) AS object,
       r.tenant_id AS owner_tenant, pg_get_userbyid(o.owner) AS owner_name, pg_get_userbyid(p.owner) AS right_owner,
       format('ALTER %s %s OWNER TO %I',
              CASE WHEN o.kind IN ('aggregate', 'procedure') THEN 'ROUTINE' ELSE upper(o.kind) END, o.name,
              pg_get_userbyid(p.owner)) AS mend
  FROM iso_object o
  JOIN iso_place p USING (nspoid)
  LEFT JOIN tenantry.roles r ON r.name = pg_get_userbyid(o.owner)
 WHERE o.owner <> p.owner
