-- pg_init_privs has what initdb gave, where it is not the default; information_schema it does not have.
SELECT o.tenant_id, NULL::uuid AS other_id, pg_describe_object(x.classid, x.objid, x.objsubid) AS object,
       format('%s has %s', coalesce(o.rolname, 'PUBLIC'), string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type)) AS evidence,
       CASE WHEN x.objsubid = 0
            THEN format('REVOKE ALL ON %s FROM %s', CASE x.classid WHEN 'pg_proc'::regclass
                                                    THEN 'ROUTINE ' || x.objid::regprocedure
                                                    ELSE 'TABLE ' || x.objid::regclass END,
                        coalesce(quote_ident(o.rolname), 'PUBLIC'))
            ELSE format('REVOKE ALL (%I) ON %s FROM %s', x.attname, x.objid::regclass,
                        coalesce(quote_ident(o.rolname), 'PUBLIC')) END AS mend
  FROM (SELECT 'pg_class'::regclass AS classid, c.oid AS objid, 0 AS objsubid, NULL::name AS attname, c.relacl AS acl,
               c.relnamespace = 'information_schema'::regnamespace AS is_view
          FROM pg_class c
         WHERE c.oid < 16384 AND c.relacl IS NOT NULL
        UNION ALL
        SELECT 'pg_class'::regclass, t.attrelid, t.attnum, t.attname, t.attacl, false
          FROM pg_attribute t
         WHERE t.attrelid < 16384 AND t.attacl IS NOT NULL
        UNION ALL
        SELECT 'pg_proc'::regclass, f.oid, 0, NULL, f.proacl, false
          FROM pg_proc f
         WHERE f.oid < 16384 AND f.proacl IS NOT NULL) x
 CROSS JOIN LATERAL aclexplode(x.acl) a
  LEFT JOIN iso_own o ON o.oid = a.grantee
 WHERE (a.grantee = 0 OR o.oid IS NOT NULL)
   AND NOT (x.is_view AND a.grantee = 0 AND a.privilege_type = 'SELECT')
   AND NOT EXISTS (SELECT FROM pg_init_privs i, LATERAL aclexplode(i.initprivs) g
                    WHERE i.classoid = x.classid AND i.objoid = x.objid AND i.objsubid = x.objsubid
                      AND g.grantee = a.grantee AND g.privilege_type = a.privilege_type)
   -- Where initdb gave nothing of its own, the default of a function is that all may execute it.
   AND NOT (x.classid = 'pg_proc'::regclass AND a.grantee = 0
            AND NOT EXISTS (SELECT FROM pg_init_privs i WHERE i.classoid = x.classid AND i.objoid = x.objid))
 GROUP BY o.tenant_id, o.rolname, x.classid, x.objid, x.objsubid, x.attname
