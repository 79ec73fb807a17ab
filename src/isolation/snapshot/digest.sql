-- One text that changes whenever something changes that the rules read, in whatever order it was read: SHA-256 over the
-- sorted hashes of rows of the snapshot and of the catalogue behind it. Rows of the catalogue are taken as they are,
-- since that costs less than spelling expressions out; columns that VACUUM and its like change are left out. WHERE true:
-- PostgreSQL pulls a branch of one relation without a condition up into the whole, which costs more than to leave it alone.
WITH line (text) AS (
    SELECT 'iso_target' || x::text FROM iso_target x WHERE true
    UNION ALL
    SELECT 'iso_place' || x::text FROM iso_place x WHERE true
    UNION ALL
    SELECT 'iso_own' || x::text FROM iso_own x WHERE true
    UNION ALL
    SELECT 'iso_reach' || x::text FROM iso_reach x WHERE true
    UNION ALL
    SELECT 'iso_relation' || x::text FROM iso_relation x WHERE true
    UNION ALL
    SELECT 'iso_function' || x::text FROM iso_function x WHERE true
    UNION ALL
    SELECT 'iso_type' || x::text FROM iso_type x WHERE true
    UNION ALL
    SELECT 'iso_object' || x::text FROM iso_object x WHERE true
    UNION ALL
    SELECT 'iso_acl' || x::text FROM iso_acl x WHERE true
    UNION ALL
    SELECT 'iso_outside' || x::text FROM iso_outside x WHERE true
    UNION ALL
    SELECT 'iso_holder' || x::text FROM iso_holder x WHERE true
    UNION ALL
    SELECT 'iso_role' || x::text FROM iso_role x WHERE true
    UNION ALL
    SELECT 'iso_setting' || x::text FROM iso_setting x WHERE true
    UNION ALL
    SELECT 'iso_map' || x::text FROM iso_map x WHERE true
    UNION ALL
    SELECT 'iso_kin' || x::text FROM iso_kin x WHERE true
    UNION ALL
    SELECT 'iso_event' || x::text FROM iso_event x WHERE true
    UNION ALL
    SELECT 'iso_extension' || x::text FROM iso_extension x WHERE true
    UNION ALL
    SELECT 'iso_foreign' || x::text FROM iso_foreign x WHERE true
    UNION ALL
    SELECT 'iso_between' || x::text FROM iso_between x WHERE true
    UNION ALL
    SELECT 'iso_bearer' || x::text FROM iso_bearer x WHERE true
    UNION ALL
    SELECT 'iso_wide' || x::text FROM iso_wide x WHERE true
    UNION ALL
    SELECT 'iso_large' || x::text FROM iso_large x WHERE true
    UNION ALL
    SELECT 'iso_maker' || x::text FROM iso_maker x WHERE true
    UNION ALL
    SELECT 'iso_given' || x::text FROM iso_given x WHERE true
    UNION ALL
    SELECT 'iso_view' || x::text FROM iso_view x WHERE true
    UNION ALL
    SELECT 'iso_opened' || x::text FROM iso_opened x WHERE true
    UNION ALL
    SELECT 'iso_met' || x::text FROM iso_met x WHERE true
    UNION ALL
    SELECT 'iso_thing' || x::text FROM iso_thing x WHERE true
    UNION ALL
    SELECT 'iso_stray' || x::text FROM iso_stray x WHERE true
    UNION ALL
    SELECT concat_ws('|', 'outside function', x::text)
      FROM iso_loose r JOIN pg_proc x ON x.oid = r.oid
    UNION ALL
    SELECT concat_ws('|', 'policy', x::text)
      FROM iso_relation r JOIN pg_policy x ON x.polrelid = r.oid
    UNION ALL
    SELECT concat_ws('|', 'rule', x::text)
      FROM iso_relation r JOIN pg_rewrite x ON x.ev_class = r.oid
    UNION ALL
    SELECT concat_ws('|', 'trigger', x::text)
      FROM iso_relation r JOIN pg_trigger x ON x.tgrelid = r.oid
    UNION ALL
    SELECT concat_ws('|', 'constraint', x::text)
      FROM iso_relation r JOIN pg_constraint x ON x.conrelid = r.oid
    UNION ALL
    SELECT concat_ws('|', 'default', x::text)
      FROM iso_relation r JOIN pg_attrdef x ON x.adrelid = r.oid
    UNION ALL
    SELECT concat_ws('|', 'parent', x::text)
      FROM iso_relation r JOIN pg_inherits x ON x.inhrelid = r.oid
    UNION ALL
    SELECT concat_ws('|', 'index', x.indexrelid, x.indrelid, x.indisunique, x.indkey,
               x.indexprs, x.indpred)
      FROM iso_relation r JOIN pg_index x ON x.indrelid = r.oid
    UNION ALL
    SELECT concat_ws('|', 'column', x.attrelid, x.attnum, x.attname,
               x.atttypid, x.attnotnull, x.attacl)
      FROM iso_relation r JOIN pg_attribute x ON x.attrelid = r.oid
       AND (x.attacl IS NOT NULL OR x.attname = 'tenant_id')
    UNION ALL
    SELECT concat_ws('|', 'function', x::text)
      FROM iso_function r JOIN pg_proc x ON x.oid = r.oid
    UNION ALL
    SELECT concat_ws('|', 'type', x::text)
      FROM iso_type r JOIN pg_type x ON x.oid = r.oid
    UNION ALL
    SELECT concat_ws('|', 'domain', x::text)
      FROM pg_constraint x WHERE x.contypid = ANY (ARRAY(SELECT r.oid FROM iso_type r))
    UNION ALL
    SELECT concat_ws('|', 'attributes', x::text)
      FROM iso_role r JOIN pg_roles x ON x.oid = r.oid
    UNION ALL
    SELECT concat_ws('|', 'role setting', x::text)
      FROM (SELECT r.oid FROM iso_role r UNION ALL SELECT 0::oid) r
      JOIN pg_db_role_setting x ON x.setrole = r.oid
       AND x.setdatabase IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))
    UNION ALL
    SELECT concat_ws('|', 'default privileges', x::text)
      FROM (SELECT r.oid FROM iso_role r UNION SELECT s.oid FROM pg_roles s WHERE s.rolsuper) r
      JOIN pg_default_acl x ON x.defaclrole = r.oid
    UNION ALL
    SELECT concat_ws('|', 'default privileges', x::text)
      FROM iso_place p
      JOIN pg_depend d ON d.refclassid = 'pg_namespace'::regclass AND d.refobjid = p.nspoid
       AND d.classid = 'pg_default_acl'::regclass
      JOIN pg_default_acl x ON x.oid = d.objid
    UNION ALL
    SELECT concat_ws('|', 'database', x.datname, x.datdba, x.datacl)
      FROM pg_database x WHERE true
    UNION ALL
    SELECT concat_ws('|', 'language', x::text)
      FROM pg_language x WHERE true
    UNION ALL
    SELECT concat_ws('|', 'server', x::text)
      FROM pg_foreign_server x WHERE true
    UNION ALL
    SELECT concat_ws('|', 'wrapper', x::text)
      FROM pg_foreign_data_wrapper x WHERE true
    UNION ALL
    SELECT concat_ws('|', 'publication', x::text)
      FROM pg_publication x WHERE true
    UNION ALL
    SELECT concat_ws('|', 'published', x::text)
      FROM pg_publication_rel x WHERE true
    UNION ALL
    SELECT concat_ws('|', 'published schema', x::text)
      FROM pg_publication_namespace x WHERE true
    UNION ALL
    SELECT concat_ws('|', 'subscription', x.subname, x.subdbid, x.subowner, x.subenabled)
      FROM pg_subscription x WHERE true
    UNION ALL
    SELECT concat_ws('|', 'event trigger', x::text, f.prosrc)
      FROM pg_event_trigger x JOIN pg_proc f ON f.oid = x.evtfoid
    UNION ALL
    SELECT concat_ws('|', 'extension', x.extname, x.extowner, x.extnamespace, x.extversion)
      FROM pg_extension x WHERE true
    UNION ALL
    SELECT concat_ws('|', 'parameter', x::text)
      FROM pg_parameter_acl x WHERE true
    UNION ALL
    SELECT concat_ws('|', 'large object', x::text)
      FROM pg_largeobject_metadata x
     WHERE x.lomacl IS NOT NULL OR x.lomowner IN (SELECT r.oid FROM iso_role r)
)
SELECT encode(sha256(string_agg(h.hash, ''::bytea ORDER BY h.hash)), 'hex'),
       (SELECT count(*) FROM iso_target t WHERE t.state NOT IN ('spare', 'place')),
       (SELECT count(*) FROM iso_target t WHERE t.state = 'spare')
  FROM (SELECT sha256(convert_to(l.text, 'UTF8')) AS hash FROM line l) h
