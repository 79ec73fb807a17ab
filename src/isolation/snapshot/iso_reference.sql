-- Where one schema's thing uses another schema's: a view over its table, a function that calls its function, a foreign
-- key, a default, a domain. Schema `tenancy` is there for all to use, so it is left out.
WITH placed AS (
    SELECT e.*,
           coalesce(rel.oid, rr.oid, tr.oid, de.oid, po.oid) AS relid, fn.oid AS funcid,
           coalesce(rel.relnamespace, rr.relnamespace, tr.relnamespace, de.relnamespace, po.relnamespace,
                    con.connamespace, fn.pronamespace, ty.typnamespace) AS user_nsp,
           coalesce(con.conname, trg.tgname, pol.polname, rw.rulename, fn.proname, ty.typname, rel.relname) AS part,
           coalesce(con.conrelid, 0) AS conrelid
      FROM iso_edge e
      LEFT JOIN pg_class rel ON e.classid = 'pg_class'::regclass AND rel.oid = e.objid
      LEFT JOIN pg_proc fn ON e.classid = 'pg_proc'::regclass AND fn.oid = e.objid
      LEFT JOIN pg_type ty ON e.classid = 'pg_type'::regclass AND ty.oid = e.objid
      LEFT JOIN pg_constraint con ON e.classid = 'pg_constraint'::regclass AND con.oid = e.objid
      LEFT JOIN pg_rewrite rw ON e.classid = 'pg_rewrite'::regclass AND rw.oid = e.objid
      LEFT JOIN pg_class rr ON rr.oid = rw.ev_class
      LEFT JOIN pg_trigger trg ON e.classid = 'pg_trigger'::regclass AND trg.oid = e.objid
      LEFT JOIN pg_class tr ON tr.oid = trg.tgrelid
      LEFT JOIN pg_attrdef ad ON e.classid = 'pg_attrdef'::regclass AND ad.oid = e.objid
      LEFT JOIN pg_class de ON de.oid = ad.adrelid
      LEFT JOIN pg_policy pol ON e.classid = 'pg_policy'::regclass AND pol.oid = e.objid
      LEFT JOIN pg_class po ON po.oid = pol.polrelid
), target AS (
    SELECT p.*, coalesce(c.relnamespace, f.pronamespace, t.typnamespace) AS used_nsp
      FROM placed p
      LEFT JOIN pg_class c ON p.refclassid = 'pg_class'::regclass AND c.oid = p.refobjid
      LEFT JOIN pg_proc f ON p.refclassid = 'pg_proc'::regclass AND f.oid = p.refobjid
      LEFT JOIN pg_type t ON p.refclassid = 'pg_type'::regclass AND t.oid = p.refobjid
)
SELECT t.classid, t.objid, t.refclassid, t.refobjid, t.relid, t.funcid, t.part, t.conrelid, t.user_nsp, t.used_nsp,
       us.nspname AS user_schema, ud.nspname AS used_schema
  FROM target t
  JOIN pg_namespace us ON us.oid = t.user_nsp
  JOIN pg_namespace ud ON ud.oid = t.used_nsp
 WHERE t.user_nsp <> t.used_nsp AND ud.nspname <> 'tenancy'
