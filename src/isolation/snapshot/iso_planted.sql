-- What is in schemas that a search_path has and belongs neither to a superuser nor to the control role, who could do without:
-- left by somebody who could make things there once. Only what an expression finds by its name; a place's own tables come
-- first. By the dependencies on schemas; the server's first role, which owns what extensions bring, has none of its own.
SELECT DISTINCT n.nspname, d.classid, d.objid, r.rolname AS owner
  FROM iso_path x
  JOIN pg_namespace n ON n.nspname = x.nspname AND n.oid IN (SELECT c.nspoid FROM iso_common c)
 CROSS JOIN LATERAL (SELECT o.classid, o.objid FROM pg_depend o
                      WHERE o.refclassid = 'pg_namespace'::regclass AND o.refobjid = n.oid AND o.deptype = 'n'
                        AND o.classid IN ('pg_proc'::regclass, 'pg_operator'::regclass, 'pg_type'::regclass,
                                          'pg_collation'::regclass, 'pg_conversion'::regclass, 'pg_opclass'::regclass,
                                          'pg_ts_config'::regclass, 'pg_ts_dict'::regclass) OFFSET 0) d
 CROSS JOIN LATERAL (SELECT o.refobjid FROM pg_shdepend o
                      WHERE o.dbid = (SELECT b.oid FROM pg_database b WHERE b.datname = current_database())
                        AND o.classid = d.classid AND o.objid = d.objid AND o.objsubid = 0
                        AND o.refclassid = 'pg_authid'::regclass AND o.deptype = 'o' OFFSET 0) s
  JOIN pg_roles r ON r.oid = s.refobjid
 WHERE NOT r.rolsuper AND r.rolname <> SESSION_USER
   AND r.oid <> (SELECT c.nspowner FROM pg_namespace c WHERE c.nspname = 'tenantry')
