-- Rights on PostgreSQL's own relations, columns and functions, and on the schema of TOAST, that initdb does not give, of
-- PUBLIC and of tenants, their own and those of roles that they are members of.
-- pg_init_privs has what it gave, where that is not the default; information_schema it does not have.
SELECT x.classid, x.objid, x.objsubid, a.grantee, a.privilege_type
  FROM (SELECT 'pg_class'::regclass AS classid, c.oid AS objid, 0 AS objsubid, c.relacl AS acl,
               c.relnamespace = 'information_schema'::regnamespace AS is_view
          FROM pg_class c
         WHERE c.oid < 16384 AND c.relacl IS NOT NULL
        UNION ALL
        SELECT 'pg_class'::regclass, t.attrelid, t.attnum, t.attacl, false
          FROM pg_attribute t
         WHERE t.attrelid < 16384 AND t.attacl IS NOT NULL
        UNION ALL
        SELECT 'pg_proc'::regclass, f.oid, 0, f.proacl, false
          FROM pg_proc f
         WHERE f.oid < 16384 AND f.proacl IS NOT NULL
        UNION ALL
        -- Where rows are kept that are too long for their tables.
        SELECT 'pg_namespace'::regclass, n.oid, 0, n.nspacl, false
          FROM pg_namespace n
         WHERE n.nspname = 'pg_toast') x
 CROSS JOIN LATERAL aclexplode(x.acl) a
 WHERE a.grantee = ANY (ARRAY(SELECT b.oid FROM iso_bearer b)) -- an array is looked at before all else
   -- Nearly all are as initdb gave them, and need not be taken apart.
   AND x.acl IS DISTINCT FROM (SELECT i.initprivs FROM pg_init_privs i
                                WHERE i.classoid = x.classid AND i.objoid = x.objid AND i.objsubid = x.objsubid)
   AND NOT (x.is_view AND a.grantee = 0 AND a.privilege_type = 'SELECT')
   AND NOT EXISTS (SELECT FROM pg_init_privs i, LATERAL aclexplode(i.initprivs) g
                    WHERE i.classoid = x.classid AND i.objoid = x.objid AND i.objsubid = x.objsubid
                      AND g.grantee = a.grantee AND g.privilege_type = a.privilege_type)
   -- Where initdb gave nothing of its own, the default of a function is that all may execute it.
   AND NOT (x.classid = 'pg_proc'::regclass AND a.grantee = 0
            AND NOT EXISTS (SELECT FROM pg_init_privs i WHERE i.classoid = x.classid AND i.objoid = x.objid))
