SELECT o.tenant_id, NULL::uuid AS other_id, format('role %s', o.rolname) AS object,
       'it has CREATEROLE' AS evidence,
       -- A role that is merely reached may need it: what is wrong is the membership, which its own rules tell.
       CASE WHEN o.kind <> 'reached' THEN format('ALTER ROLE %I NOCREATEROLE', o.rolname) END AS mend
  FROM iso_power o
 WHERE o.rolcreaterole
