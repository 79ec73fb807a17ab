-- Relations that a superuser put into pg_catalog: nothing depends on that schema, so this reads pg_class.
SELECT c.oid
  FROM pg_class c
 WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.oid >= 16384
