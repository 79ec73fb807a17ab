SELECT w.tenant_id, NULL::uuid AS other_id, format('publication %s', b.pubname) AS object,
       format('it publishes %s', CASE WHEN b.puballtables THEN 'all tables' ELSE w.what END) AS evidence,
       format('DROP PUBLICATION %I', b.pubname) AS mend
  FROM (SELECT r.prpubid AS pub, p.tenant_id, format('tables of schema %s', p.nspname) AS what
          FROM iso_relation c
          JOIN iso_place p USING (nspoid)
          JOIN pg_publication_rel r ON r.prrelid = c.oid
        UNION
        SELECT s.pnpubid, p.tenant_id, format('schema %s', p.nspname)
          FROM iso_place p
          JOIN pg_publication_namespace s ON s.pnnspid = p.nspoid
        UNION
        SELECT a.oid, NULL, NULL FROM pg_publication a WHERE a.puballtables) w
  JOIN pg_publication b ON b.oid = w.pub
