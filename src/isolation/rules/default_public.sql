SELECT p.tenant_id, NULL::uuid AS other_id, format('role %s', pg_get_userbyid(p.owner)) AS object,
       format('PUBLIC will get rights on the next of its %s', lower(w.noun)) AS evidence,
       format('ALTER DEFAULT PRIVILEGES FOR ROLE %I REVOKE ALL ON %s FROM PUBLIC', pg_get_userbyid(p.owner), w.noun) AS mend
  FROM iso_place p
 CROSS JOIN (VALUES ('f'::"char", 'FUNCTIONS'), ('T', 'TYPES')) w (objtype, noun)
  LEFT JOIN pg_default_acl d ON d.defaclrole = p.owner AND d.defaclnamespace = 0 AND d.defaclobjtype = w.objtype
 WHERE p.kind <> 'control' AND d.oid IS NULL AND p.owner IS NOT NULL
