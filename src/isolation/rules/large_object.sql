SELECT o.tenant_id, h.tenant_id AS other_id, format('large object %s', l.oid) AS object,
       format('%s has %s, its owner is %s', CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee) END,
              string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type), pg_get_userbyid(l.lomowner)) AS evidence,
       format('REVOKE ALL ON LARGE OBJECT %s FROM %s', l.oid,
              CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END) AS mend
  FROM iso_large s
  JOIN pg_largeobject_metadata l ON l.oid = s.objid
 CROSS JOIN LATERAL aclexplode(l.lomacl) a
  LEFT JOIN iso_role o ON o.oid = l.lomowner
  LEFT JOIN iso_role h ON h.oid = a.grantee
 WHERE a.grantee <> l.lomowner
   AND (h.tenant_id IS DISTINCT FROM o.tenant_id
        OR (o.tenant_id IS NULL AND a.grantee IN (SELECT b.oid FROM iso_bearer b))) -- nobody's, and many tenants may use it
 GROUP BY o.tenant_id, h.tenant_id, l.oid, a.grantee, l.lomowner
