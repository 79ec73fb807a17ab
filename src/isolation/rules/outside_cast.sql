SELECT NULL::uuid AS tenant_id, NULL::uuid AS other_id, pg_describe_object(m.classid, m.objid, 0) AS object,
       -- Who accepts it has read this text.
       format('it calls %s of %s, text %s', f.oid::regprocedure, pg_get_userbyid(f.proowner),
              left(encode(sha256(convert_to(concat(f.prosrc, f.prosecdef, f.probin, f.prolang, pg_get_function_sqlbody(f.oid)),
                                            'UTF8')), 'hex'), 8)) AS evidence,
       CASE m.classid WHEN 'pg_cast'::regclass
                      THEN (SELECT format('DROP CAST (%s AS %s)', c.castsource::regtype, c.casttarget::regtype)
                              FROM pg_cast c WHERE c.oid = m.objid)
                      WHEN 'pg_operator'::regclass
                      THEN (SELECT format('DROP OPERATOR %I.%s (%s, %s)', n.nspname, o.oprname,
                                          coalesce(nullif(o.oprleft, 0)::regtype::text, 'NONE'), o.oprright::regtype)
                              FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace
                             WHERE o.oid = m.objid) END AS mend
  FROM iso_met m
  JOIN pg_proc f ON f.oid = m.function
