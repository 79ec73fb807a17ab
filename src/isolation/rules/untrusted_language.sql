-- By its name, or by its handler under whatever name.
SELECT NULL::uuid AS tenant_id, NULL::uuid AS other_id, format('language %s', l.lanname) AS object,
       'it is marked as trusted: whoever may make functions may write in it' AS evidence,
       format('UPDATE pg_language SET lanpltrusted = false WHERE lanname = %L', l.lanname) AS mend
  FROM pg_language l
  LEFT JOIN pg_proc h ON h.oid = l.lanplcallfoid
 WHERE l.lanpltrusted
   AND (l.lanname IN ('c', 'internal') OR l.lanname LIKE 'pl%u' OR h.prosrc LIKE 'plpython%'
        OR h.prosrc IN ('plperlu_call_handler', 'pltclu_call_handler'))
