SELECT NULL::uuid AS tenant_id, NULL::uuid AS other_id, format('view %s', v.oid::regclass) AS object,
       CASE WHEN bool_or(v.is_open) THEN 'it shows values of tables that its reader has no right to: CVE-2024-4317'
            ELSE 'it was changed after initdb' END AS evidence,
       NULL::text AS mend
  FROM iso_view v
 GROUP BY v.oid
