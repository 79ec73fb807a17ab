-- Why a schema cannot be taken over: (code, message, hint), the first that counts. $1 is its name, $2 whether
-- PostgreSQL or Tenantry keeps that for its own (schema_name.h). code: "input" or "right".
-- The session is the control role's; each part looks at what is in the one schema, by index.
WITH space AS MATERIALIZED (
    SELECT n.oid, n.nspname, n.nspowner FROM pg_namespace n WHERE n.nspname::text = $1::text
), member AS MATERIALIZED ( -- what is in it, at any depth: columns' defaults, triggers, rules and policies hang on their tables
    SELECT d.classid, d.objid
      FROM space s
      JOIN pg_depend d ON d.refclassid = 'pg_namespace'::regclass AND d.refobjid = s.oid
), relation AS MATERIALIZED (
    SELECT c.oid, c.relname, c.relowner FROM space s JOIN pg_class c ON c.relnamespace = s.oid
), inner_part AS MATERIALIZED (
    SELECT classid, objid FROM member
    UNION SELECT 'pg_class'::regclass, oid FROM relation
    UNION SELECT 'pg_type'::regclass, t.oid FROM space s JOIN pg_type t ON t.typnamespace = s.oid
    UNION SELECT 'pg_rewrite'::regclass, w.oid FROM relation r JOIN pg_rewrite w ON w.ev_class = r.oid
    UNION SELECT 'pg_trigger'::regclass, g.oid FROM relation r JOIN pg_trigger g ON g.tgrelid = r.oid AND NOT g.tgisinternal
    UNION SELECT 'pg_policy'::regclass, p.oid FROM relation r JOIN pg_policy p ON p.polrelid = r.oid
    UNION SELECT 'pg_attrdef'::regclass, a.oid FROM relation r JOIN pg_attrdef a ON a.adrelid = r.oid
    UNION SELECT 'pg_constraint'::regclass, k.oid FROM space s JOIN pg_constraint k ON k.connamespace = s.oid
), edge AS MATERIALIZED ( -- what it leads to, and what leads to it
    SELECT true AS is_outward, d.classid, d.objid, d.refclassid AS other_class, d.refobjid AS other_id
      FROM inner_part i
      JOIN pg_depend d ON d.classid = i.classid AND d.objid = i.objid
     WHERE d.deptype <> 'e'
    UNION
    SELECT false, d.refclassid, d.refobjid, d.classid, d.objid
      FROM inner_part i
      JOIN pg_depend d ON d.refclassid = i.classid AND d.refobjid = i.objid
     WHERE d.deptype <> 'e'
), far AS MATERIALIZED ( -- the ends that are not in it; those of the server and of extensions are everybody's
    SELECT e.is_outward, pg_describe_object(e.classid, e.objid, 0) AS part, pg_describe_object(e.other_class, e.other_id, 0) AS thing,
           CASE e.other_class
                WHEN 'pg_class'::regclass THEN (SELECT relnamespace FROM pg_class WHERE oid = e.other_id)
                WHEN 'pg_type'::regclass THEN (SELECT typnamespace FROM pg_type WHERE oid = e.other_id)
                WHEN 'pg_proc'::regclass THEN (SELECT pronamespace FROM pg_proc WHERE oid = e.other_id)
                WHEN 'pg_constraint'::regclass THEN (SELECT connamespace FROM pg_constraint WHERE oid = e.other_id)
                WHEN 'pg_operator'::regclass THEN (SELECT oprnamespace FROM pg_operator WHERE oid = e.other_id)
                WHEN 'pg_opclass'::regclass THEN (SELECT opcnamespace FROM pg_opclass WHERE oid = e.other_id)
                WHEN 'pg_opfamily'::regclass THEN (SELECT opfnamespace FROM pg_opfamily WHERE oid = e.other_id)
                WHEN 'pg_collation'::regclass THEN (SELECT collnamespace FROM pg_collation WHERE oid = e.other_id)
                WHEN 'pg_ts_config'::regclass THEN (SELECT cfgnamespace FROM pg_ts_config WHERE oid = e.other_id)
                WHEN 'pg_ts_dict'::regclass THEN (SELECT dictnamespace FROM pg_ts_dict WHERE oid = e.other_id)
                WHEN 'pg_statistic_ext'::regclass THEN (SELECT stxnamespace FROM pg_statistic_ext WHERE oid = e.other_id)
                WHEN 'pg_rewrite'::regclass THEN (SELECT c.relnamespace FROM pg_rewrite w JOIN pg_class c ON c.oid = w.ev_class
                                                   WHERE w.oid = e.other_id)
                WHEN 'pg_trigger'::regclass THEN (SELECT c.relnamespace FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid
                                                   WHERE g.oid = e.other_id)
                WHEN 'pg_policy'::regclass THEN (SELECT c.relnamespace FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
                                                  WHERE p.oid = e.other_id)
                WHEN 'pg_attrdef'::regclass THEN (SELECT c.relnamespace FROM pg_attrdef a JOIN pg_class c ON c.oid = a.adrelid
                                                   WHERE a.oid = e.other_id) END AS nspoid
      FROM edge e
     WHERE e.other_id >= 16384
       AND NOT EXISTS (SELECT FROM inner_part i WHERE i.classid = e.other_class AND i.objid = e.other_id)
       AND NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid = e.other_class AND x.objid = e.other_id AND x.deptype = 'e')
), other AS MATERIALIZED ( -- what has no schema (a publication, a language) or hangs on a table (its toast) is no end of its own
    SELECT f.is_outward, f.part, f.thing
      FROM far f
      JOIN pg_namespace n ON n.oid = f.nspoid
     WHERE n.nspname !~ '^pg_toast' AND n.oid NOT IN (SELECT oid FROM space)
), owner (role) AS (
    SELECT nspowner FROM space
    UNION SELECT relowner FROM relation
    UNION SELECT f.proowner FROM space s JOIN pg_proc f ON f.pronamespace = s.oid
           WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'i') -- of a range: the server's
    UNION SELECT t.typowner FROM space s JOIN pg_type t ON t.typnamespace = s.oid
    UNION SELECT c.collowner FROM space s JOIN pg_collation c ON c.collnamespace = s.oid
    UNION SELECT c.conowner FROM space s JOIN pg_conversion c ON c.connamespace = s.oid
    UNION SELECT o.oprowner FROM space s JOIN pg_operator o ON o.oprnamespace = s.oid
    UNION SELECT o.opcowner FROM space s JOIN pg_opclass o ON o.opcnamespace = s.oid
    UNION SELECT o.opfowner FROM space s JOIN pg_opfamily o ON o.opfnamespace = s.oid
    UNION SELECT c.cfgowner FROM space s JOIN pg_ts_config c ON c.cfgnamespace = s.oid
    UNION SELECT d.dictowner FROM space s JOIN pg_ts_dict d ON d.dictnamespace = s.oid
    UNION SELECT x.stxowner FROM space s JOIN pg_statistic_ext x ON x.stxnamespace = s.oid
    UNION SELECT d.defaclrole FROM space s JOIN pg_default_acl d ON d.defaclnamespace = s.oid
), refusal (number, code, message, hint) AS (
    SELECT 1, 'input', format('there is no schema "%s" in database "%s"', $1, current_database()), 'psql: \dn lists them'
     WHERE NOT EXISTS (SELECT FROM space)
    UNION ALL
    SELECT 2, 'input', CASE WHEN t.slug IS NULL THEN format('schema "%s" is a place of blueprint "%s" already', $1, p.blueprint)
                            ELSE format('schema "%s" is that of tenant "%s" already', $1, t.slug) END, NULL
      FROM tenantry.places p
      LEFT JOIN tenantry.tenants t ON t.place_id = p.id AND p.tier = 'schema'
     WHERE p.schema_name::text = $1
    UNION ALL
    SELECT 3, 'input', format('schema "%s" is PostgreSQL''s or Tenantry''s own', $1), NULL
     WHERE $2::boolean AND $1 <> 'public'
    UNION ALL
    SELECT 4, 'input', 'schema "public" is everybody''s: extensions and other sessions find things there without naming it',
           'give it a name of its own first: ALTER SCHEMA public RENAME TO ...; CREATE SCHEMA public'
     WHERE $1 = 'public'
    UNION ALL -- in the definitions of objects such a name is written with quotes in one place and without in another
    SELECT 5, 'input', format('schema "%s" has a name that SQL writes in quotes, so its objects cannot be compared', $1),
           format('ALTER SCHEMA %I RENAME TO a name of lower-case letters, digits and underscores', $1)
     WHERE quote_ident($1) <> $1
    UNION ALL
    SELECT 6, 'input', format('%s in schema "%s" belongs to an extension', min(pg_describe_object(m.classid, m.objid, 0)), $1),
           format('ALTER EXTENSION %I SET SCHEMA to another one', min(x.extname))
      FROM member m
      JOIN pg_depend d ON d.classid = m.classid AND d.objid = m.objid AND d.deptype = 'e'
       AND d.refclassid = 'pg_extension'::regclass
      JOIN pg_extension x ON x.oid = d.refobjid
    HAVING count(*) > 0
    UNION ALL
    SELECT 6, 'input', format('schema "%s" belongs to extension "%s"', $1, x.extname), NULL
      FROM space s
      JOIN pg_depend d ON d.classid = 'pg_namespace'::regclass AND d.objid = s.oid AND d.deptype = 'e'
      JOIN pg_extension x ON x.oid = d.refobjid
    UNION ALL
    SELECT 6, 'input', format('extension "%s" is installed in schema "%s"', min(x.extname), $1),
           format('ALTER EXTENSION %I SET SCHEMA to another one', min(x.extname))
      FROM space s
      JOIN pg_extension x ON x.extnamespace = s.oid
    HAVING count(*) > 0
    UNION ALL -- it would run in the control role's session, with the control role's rights
    SELECT 7, 'input', format('event trigger "%s" calls %s, which whoever owns schema "%s" may change', e.evtname,
                              e.evtfoid::regprocedure, $1), format('as a superuser: ALTER EVENT TRIGGER %I DISABLE', e.evtname)
      FROM space s
     CROSS JOIN pg_event_trigger e
      JOIN pg_proc f ON f.oid = e.evtfoid
     WHERE e.evtenabled <> 'D'
       AND (f.pronamespace = s.oid
            OR f.proowner IN (SELECT o.role FROM owner o JOIN pg_roles r ON r.oid = o.role WHERE NOT r.rolsuper))
    UNION ALL
    SELECT 8, 'input', format('schema "%s" leads out of itself: %s needs %s', $1, min(o.part), min(o.thing)),
           'make it stand alone first: what a tenant has must not hang on others'
      FROM (SELECT part, thing FROM other WHERE is_outward ORDER BY part, thing LIMIT 1) o
    HAVING count(*) > 0
    UNION ALL
    SELECT 9, 'input', format('others depend on schema "%s": %s needs %s', $1, min(o.thing), min(o.part)),
           'make it stand alone first: what others need must not be in a tenant''s schema'
      FROM (SELECT part, thing FROM other WHERE NOT is_outward ORDER BY part, thing LIMIT 1) o
    HAVING count(*) > 0
    UNION ALL -- PostgreSQL wants a member of the owner for every ALTER ... OWNER and REVOKE
    SELECT 10, 'right', format('role "%s" is not a member of "%s", who owns schema "%s" or something in it', current_user,
                               string_agg(r.rolname, '", "' ORDER BY r.rolname), $1),
           CASE WHEN bool_or(r.rolsuper)
                THEN format('as a superuser: GRANT %s TO %I, and after the adoption REVOKE it again',
                            string_agg(quote_ident(r.rolname), ', ' ORDER BY r.rolname), current_user)
                ELSE format('GRANT %s TO %I', string_agg(quote_ident(r.rolname), ', ' ORDER BY r.rolname), current_user) END
      FROM owner o
      JOIN pg_roles r ON r.oid = o.role
     WHERE NOT pg_has_role(o.role, 'USAGE')
    HAVING count(*) > 0
    UNION ALL
    SELECT 11, 'right', format('role "%s" may not make schemas in database "%s", which a new owner of one needs', current_user,
                               current_database()),
           format('GRANT CREATE ON DATABASE %I TO %I', current_database(), current_user)
     WHERE NOT has_database_privilege(current_database(), 'CREATE')
)
SELECT code, message, hint FROM refusal ORDER BY number, message LIMIT 1
