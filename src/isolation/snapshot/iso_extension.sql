-- Extensions that reach out, to files, pages, the log or other servers.
SELECT e.oid, e.extname
  FROM pg_extension e
 WHERE e.extname IN ('adminpack', 'amcheck', 'dblink', 'pageinspect', 'pg_buffercache', 'pg_freespacemap', 'pg_prewarm',
                     'pg_surgery', 'pg_visibility', 'pg_walinspect', 'pgrowlocks', 'pgstattuple')
