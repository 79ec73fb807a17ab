SELECT p.tenant_id, NULL::uuid AS other_id, pg_describe_object(u.classid, u.objid, 0) AS object,
       CASE u.refclassid
            WHEN 'pg_class'::regclass
            THEN format('it uses %s, which is of no place', pg_describe_object(u.refclassid, u.refobjid, 0))
            -- Who accepts it has read this text.
            ELSE format('it calls %s, which is of no place, text %s', u.refobjid::regprocedure,
                        (SELECT left(encode(sha256(convert_to(concat(r.prosrc, r.prosecdef, r.probin, r.prolang,
                                                                     pg_get_function_sqlbody(r.oid)), 'UTF8')), 'hex'), 8)
                           FROM pg_proc r WHERE r.oid = u.refobjid)) END AS evidence,
       CASE u.classid WHEN 'pg_trigger'::regclass THEN format('DROP TRIGGER %I ON %s', u.part, u.relid::regclass)
                      WHEN 'pg_policy'::regclass THEN format('DROP POLICY %I ON %s', u.part, u.relid::regclass)
                      WHEN 'pg_rewrite'::regclass
                      THEN CASE u.part WHEN '_RETURN' THEN NULL
                                ELSE format('DROP RULE %I ON %s', u.part, u.relid::regclass) END
                      WHEN 'pg_constraint'::regclass
                      THEN CASE WHEN u.relid IS NOT NULL
                                THEN format('ALTER TABLE %s DROP CONSTRAINT %I', u.relid::regclass, u.part)
                                ELSE format('ALTER DOMAIN %s DROP CONSTRAINT %I', u.typid::regtype, u.part) END END AS mend
  FROM (SELECT s.classid, s.objid, s.refclassid, s.refobjid, c.oid AS relid, t.oid AS typid,
               coalesce(g.tgname, y.polname, k.conname, w.rulename) AS part,
               coalesce(c.relnamespace, f.pronamespace, t.typnamespace, x.stxnamespace) AS nspoid
          FROM iso_stray s
          LEFT JOIN pg_trigger g ON s.classid = 'pg_trigger'::regclass AND g.oid = s.objid
          LEFT JOIN pg_attrdef a ON s.classid = 'pg_attrdef'::regclass AND a.oid = s.objid
          LEFT JOIN pg_policy y ON s.classid = 'pg_policy'::regclass AND y.oid = s.objid
          LEFT JOIN pg_rewrite w ON s.classid = 'pg_rewrite'::regclass AND w.oid = s.objid
          LEFT JOIN pg_constraint k ON s.classid = 'pg_constraint'::regclass AND k.oid = s.objid
          LEFT JOIN pg_class c ON c.oid = coalesce(g.tgrelid, a.adrelid, y.polrelid, w.ev_class, nullif(k.conrelid, 0),
                                                   CASE s.classid WHEN 'pg_class'::regclass THEN s.objid END)
          LEFT JOIN pg_proc f ON s.classid = 'pg_proc'::regclass AND f.oid = s.objid
          LEFT JOIN pg_statistic_ext x ON s.classid = 'pg_statistic_ext'::regclass AND x.oid = s.objid
          LEFT JOIN pg_type t ON t.oid = coalesce(nullif(k.contypid, 0),
                                                  CASE s.classid WHEN 'pg_type'::regclass THEN s.objid END)) u
  JOIN iso_place p USING (nspoid)
