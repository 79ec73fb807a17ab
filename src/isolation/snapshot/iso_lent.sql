-- Of those, the functions that do what their callers may not, with their owner's rights or in an untrusted language, and
-- that tenants may execute and reach: by name, or by a cast, an operator, an aggregate or a domain, which ask for no right
-- on the function's schema.
SELECT f.oid, f.prosecdef, f.is_untrusted,
       format('function %s', f.oid::regprocedure) AS object,
       pg_get_userbyid(f.proowner) AS owner,
       string_agg(DISTINCT b.name, ', ') AS callers, string_agg(DISTINCT b.sql, ', ') AS callers_sql,
       -- What an extension's own script made so is not told from what was made so later.
       NOT f.is_extension
       AND (bool_or(r.rolsuper OR r.rolbypassrls) OR f.proowner IN (SELECT p.owner FROM iso_place p)
            OR f.proowner IN (SELECT o.oid FROM iso_own o)
            OR EXISTS (SELECT FROM pg_roles g
                        WHERE pg_has_role(f.proowner, g.oid, 'MEMBER')
                          AND (g.rolsuper OR g.rolbypassrls
                               OR g.rolname IN ('pg_read_all_data', 'pg_write_all_data', 'pg_read_server_files',
                                                'pg_write_server_files', 'pg_execute_server_program')
                               OR g.oid IN (SELECT p.owner FROM iso_place p)))) AS is_power
  FROM iso_loose f
  JOIN iso_common s ON s.nspoid = f.pronamespace
  LEFT JOIN pg_roles r ON r.oid = f.proowner
 CROSS JOIN LATERAL aclexplode(f.proacl) x
  JOIN (SELECT oid, name::text, sql FROM iso_bearer
        UNION
        SELECT u.role, pg_get_userbyid(u.role)::text, quote_ident(pg_get_userbyid(u.role)) FROM iso_reach u) b
    ON b.oid = x.grantee
 WHERE (f.prosecdef OR f.is_untrusted) AND x.privilege_type = 'EXECUTE'
   AND (EXISTS (SELECT FROM aclexplode(s.nspacl) a
                 WHERE a.privilege_type = 'USAGE'
                   AND (a.grantee IN (SELECT oid FROM iso_bearer) OR a.grantee IN (SELECT u.role FROM iso_reach u)))
        OR EXISTS (SELECT FROM pg_depend d
                    WHERE d.refclassid = 'pg_proc'::regclass AND d.refobjid = f.oid AND d.deptype = 'n'
                      AND d.classid NOT IN ('pg_attrdef'::regclass, 'pg_class'::regclass, 'pg_event_trigger'::regclass,
                                            'pg_policy'::regclass, 'pg_rewrite'::regclass, 'pg_trigger'::regclass)))
 GROUP BY f.oid, f.prosecdef, f.is_untrusted, f.proowner, f.is_extension
