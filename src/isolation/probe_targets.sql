-- What there is for a neighbour to try: $1 the schemas of neighbours, a JSON array; $2 the prober's own, whose tables
-- are shared when it is one of them, and of whose functions those are listed that run with another role's rights; $3
-- the seed that decides which come first. Starts from pg_depend, whose index knows the objects of a schema; pg_class
-- has no such index. canary: the columns that a row needs, each with a value that is no data of anybody; numbers that a
-- sequence would give are among them, since what is drawn from it is not rolled back, and what is in a unique key: nobody
-- who works shall wait for a value that the canary has. So a day in a key is long gone, where a partition takes it.
-- Of a STRICT function: arguments with which it runs.
WITH place AS (
    SELECT n.oid, n.nspname, n.nspname = $2 AS is_own,
           n.nspname = ANY (ARRAY(SELECT json_array_elements_text($1))) AS is_tried
      FROM pg_namespace n
     WHERE n.nspname = ANY (ARRAY(SELECT json_array_elements_text($1) UNION SELECT $2))
), found AS (
    SELECT CASE WHEN c.relkind = 'S' THEN 'sequence'
                WHEN c.relkind IN ('v', 'm') THEN 'view'
                WHEN c.relispartition THEN 'partition'
                ELSE 'table' END AS kind,
           place.nspname, c.relname AS name, c.oid, 0 AS arguments, first.attname AS column_name,
           CASE WHEN place.is_own AND c.relkind IN ('r', 'p') AND NOT c.relispartition
                THEN (SELECT json_agg(json_build_object('name', a.attname, 'is_time', t.typcategory = 'D',
                             'value', CASE
                                 WHEN t.typname = 'uuid' THEN gen_random_uuid()::text
                                 WHEN t.typname IN ('json', 'jsonb') THEN '{}'
                                 WHEN t.typname = 'bytea' THEN '\x' || replace(gen_random_uuid()::text, '-', '')
                                 WHEN t.typcategory = 'E' THEN (SELECT e.enumlabel::text FROM pg_enum e
                                                                 WHERE e.enumtypid = t.oid
                                                                 ORDER BY e.enumsortorder LIMIT 1)
                                 WHEN t.typcategory = 'N' AND (a.atthasdef OR a.attidentity <> '')
                                 THEN (-1 - floor(random() * 32767))::text
                                 WHEN t.typname IN ('int4', 'int8') AND keyed.is_so
                                 THEN (1000000000 + floor(random() * 1000000000))::text
                                 WHEN t.typcategory = 'N' THEN '1'
                                 WHEN t.typcategory = 'B' THEN 'false'
                                 WHEN t.typcategory = 'D' AND keyed.is_so AND takes.all_days
                                      AND ('date'::regtype IN (t.oid, t.typbasetype) OR a.atttypmod >= 0) -- not to the µs
                                 THEN (timestamp '1600-01-01' + random() * interval '70000 days')::text
                                 WHEN t.typcategory = 'D' THEN now()::text
                                 WHEN t.typcategory = 'T' THEN '1 second'
                                 WHEN t.typcategory = 'A' THEN '{}'
                                 WHEN a.atttypmod BETWEEN 5 AND 36
                                 THEN left(replace(gen_random_uuid()::text, '-', ''), a.atttypmod - 4)
                                 ELSE left(gen_random_uuid()::text, 8) || '@probe.example' END)
                              ORDER BY a.attnum)
                        FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
                       CROSS JOIN LATERAL (SELECT a.attgenerated = '' AND EXISTS (
                                  SELECT FROM pg_index i
                                   WHERE i.indrelid = c.oid AND i.indisunique AND a.attnum = ANY (i.indkey)) AS is_so) keyed
                       WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                         AND a.attname <> 'tenant_id'
                         AND ((a.attnotnull AND (NOT a.atthasdef OR a.attidentity <> '' OR EXISTS (
                             SELECT FROM pg_attrdef f
                               JOIN pg_depend u ON u.classid = 'pg_attrdef'::regclass AND u.objid = f.oid
                                AND u.refclassid = 'pg_class'::regclass
                               JOIN pg_class s ON s.oid = u.refobjid AND s.relkind = 'S'
                              WHERE f.adrelid = a.attrelid AND f.adnum = a.attnum)))
                              OR (keyed.is_so AND (a.attnotnull OR a.atthasdef))))
           END AS canary,
           EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id') AS has_tenant_id
      FROM place
      JOIN pg_depend d ON d.refclassid = 'pg_namespace'::regclass AND d.refobjid = place.oid
       AND d.classid = 'pg_class'::regclass
      JOIN pg_class c ON c.oid = d.objid AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
      LEFT JOIN LATERAL (SELECT a.attname FROM pg_attribute a
                          WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                            AND a.attgenerated = '' AND a.attidentity = '' ORDER BY a.attnum LIMIT 1) first ON true
     CROSS JOIN LATERAL (SELECT NOT EXISTS (SELECT FROM pg_partitioned_table g
                                             WHERE g.partrelid = c.oid AND g.partdefid = 0) AS all_days) takes
     WHERE place.is_tried
    UNION ALL
    SELECT CASE WHEN p.prosecdef THEN 'definer' ELSE 'function' END, place.nspname, p.proname, p.oid,
           p.pronargs - p.pronargdefaults, NULL,
           CASE WHEN p.proisstrict
                THEN (SELECT json_agg(json_build_object('name', '', 'is_time', false, 'value', CASE
                                 WHEN t.typname = 'uuid' THEN gen_random_uuid()::text
                                 WHEN t.typname IN ('json', 'jsonb') OR t.typcategory = 'A' THEN '{}'
                                 WHEN t.typcategory = 'E' THEN (SELECT e.enumlabel::text FROM pg_enum e
                                                                 WHERE e.enumtypid = t.oid
                                                                 ORDER BY e.enumsortorder LIMIT 1)
                                 WHEN t.typcategory = 'B' THEN 'false'
                                 WHEN t.typcategory = 'D' THEN now()::text
                                 WHEN t.typcategory = 'T' THEN '1 second'
                                 ELSE '1' END) ORDER BY u.position)
                        FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY u (type, position)
                        JOIN pg_type t ON t.oid = u.type
                       WHERE u.position <= p.pronargs - p.pronargdefaults)
           END, false
      FROM place
      JOIN pg_depend d ON d.refclassid = 'pg_namespace'::regclass AND d.refobjid = place.oid
       AND d.classid = 'pg_proc'::regclass
      JOIN pg_proc p ON p.oid = d.objid AND p.prokind = 'f'
     WHERE (place.is_tried OR p.prosecdef)
       AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
    UNION ALL
    SELECT 'type', place.nspname, t.typname, t.oid, 0, NULL, NULL, false
      FROM place
      JOIN pg_depend d ON d.refclassid = 'pg_namespace'::regclass AND d.refobjid = place.oid
       AND d.classid = 'pg_type'::regclass
      JOIN pg_type t ON t.oid = d.objid AND t.typtype IN ('e', 'd', 'c')
     WHERE place.is_tried
)
SELECT kind, nspname, name, oid, arguments, column_name, canary, has_tenant_id
  FROM found
 ORDER BY nspname, kind, md5($3 || name), name
