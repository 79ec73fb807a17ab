SELECT x.tenant_id, h.tenant_id AS other_id, format('role %s', x.rolname) AS object,
       format('%s will get %s on the next %s', CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee) END,
              string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type), w.noun) AS evidence,
       format('ALTER DEFAULT PRIVILEGES FOR ROLE %I%s REVOKE %s ON %s FROM %s', x.rolname,
              ' IN SCHEMA ' || quote_ident(n.nspname), string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type), w.noun,
              CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END) AS mend
  FROM (SELECT d.oid AS acl, o.oid, o.rolname, o.tenant_id, p.owner, p.app, p.readonly
          FROM iso_own o
          JOIN pg_default_acl d ON d.defaclrole = o.oid
          LEFT JOIN iso_place p ON p.nspoid = o.nspoid AND d.defaclnamespace IN (0, o.nspoid) -- in another's: for nobody
         WHERE o.kind NOT IN ('app', 'readonly') OR d.defaclnamespace <> 0 -- the others are default_own's
        UNION
        -- Those of Tenantry's own roles.
        SELECT d.oid, r.oid, r.rolname, NULL, r.oid, NULL, NULL
          FROM iso_place p
          JOIN pg_roles r ON r.oid = p.owner
          JOIN pg_default_acl d ON d.defaclrole = r.oid
         WHERE p.kind = 'control'
        UNION
        -- Those of others for this schema, found by their dependency on it.
        SELECT d.oid, r.oid, r.rolname, p.tenant_id, p.owner, p.app, p.readonly
          FROM iso_place p
          JOIN pg_depend n ON n.refclassid = 'pg_namespace'::regclass AND n.refobjid = p.nspoid
           AND n.classid = 'pg_default_acl'::regclass AND p.nspname <> 'tenancy_kept'
          JOIN pg_default_acl d ON d.oid = n.objid
          JOIN pg_roles r ON r.oid = d.defaclrole
         WHERE d.defaclrole NOT IN (SELECT o.oid FROM iso_own o)
           AND NOT (p.kind = 'control' AND d.defaclrole IN (SELECT c.owner FROM iso_place c WHERE c.kind = 'control'))) x
  JOIN pg_default_acl d ON d.oid = x.acl
  LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
  JOIN (VALUES ('r'::"char", 'TABLES'), ('S', 'SEQUENCES'), ('f', 'FUNCTIONS'), ('T', 'TYPES'), ('n', 'SCHEMAS'))
       w (objtype, noun) ON w.objtype = d.defaclobjtype
 CROSS JOIN LATERAL aclexplode(d.defaclacl) a
  LEFT JOIN tenantry.roles h ON h.name = pg_get_userbyid(a.grantee)
 WHERE a.grantee <> coalesce(x.owner, 0) AND a.grantee <> x.oid
   AND (a.grantee NOT IN (coalesce(x.app, 0), coalesce(x.readonly, 0)) OR a.is_grantable
        OR a.privilege_type NOT IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'USAGE', 'EXECUTE')
        OR (a.grantee = x.readonly AND a.privilege_type NOT IN ('SELECT', 'USAGE', 'EXECUTE')))
    OR a.grantee = 0
 GROUP BY x.tenant_id, h.tenant_id, x.rolname, a.grantee, n.nspname, w.noun
