SELECT p.tenant_id, r.tenant_id AS other_id, format('%s %s', o.kind, o.name) AS object,
       format('%s owns it, not %s', r.rolname, pg_get_userbyid(p.owner)) AS evidence,
       format('ALTER %s %s OWNER TO %I',
              CASE WHEN o.kind IN ('aggregate', 'procedure') THEN 'ROUTINE' ELSE upper(o.kind) END, o.name,
              pg_get_userbyid(p.owner)) AS mend
  FROM iso_object o
  JOIN iso_place p USING (nspoid)
  LEFT JOIN iso_role r ON r.oid = o.owner
 WHERE o.owner <> p.owner AND o.kind IN ('type') AND p.kind <> 'control'
