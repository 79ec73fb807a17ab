-- Casts between types of no place, operators that are found without their schema, and what sorts and compares such types: all
-- tenants run them, mostly without having named them and with no right on the schema of the function. Of these those whose
-- function is of a place, or of none and of no extension. Tenantry's own schemas have none.
SELECT x.classid, x.objid, x.function
  FROM (SELECT 'pg_cast'::regclass::oid AS classid, c.oid AS objid, c.castfunc::oid AS function,
               c.castsource AS one, c.casttarget AS two
          FROM pg_cast c
         WHERE c.oid >= 16384 AND c.castfunc <> 0
        UNION ALL
        SELECT 'pg_operator'::regclass, o.oid, o.oprcode::oid, coalesce(nullif(o.oprleft, 0), o.oprright), o.oprright
          FROM pg_operator o
         WHERE o.oid >= 16384 AND o.oprcode::oid <> 0
           AND (SELECT n.nspname FROM pg_namespace n WHERE n.oid = o.oprnamespace) = ANY (ARRAY(SELECT g.nspname FROM iso_path g))
        UNION ALL
        SELECT 'pg_amproc'::regclass, a.oid, a.amproc::oid, a.amproclefttype, a.amprocrighttype
          FROM pg_amproc a
         WHERE a.oid >= 16384) x
 -- Arrays, where a join would be planned.
 WHERE (x.function = ANY (ARRAY(SELECT l.oid FROM iso_loose l WHERE NOT l.is_extension AND NOT l.is_builtin))
        OR (SELECT f.pronamespace FROM pg_proc f WHERE f.oid = x.function) <> ALL (ARRAY(SELECT c.nspoid FROM iso_common c)))
   AND NOT EXISTS (SELECT FROM pg_type t
                    WHERE t.oid IN (x.one, x.two) AND t.typnamespace <> ALL (ARRAY(SELECT c.nspoid FROM iso_common c)) OFFSET 0)
