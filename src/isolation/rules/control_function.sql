-- What the migrations of the control schema make; a new installation that is not clean tells that this was forgotten.
-- tenancy.current_tenant() is map_function's. A role's guard in tenancy_guards is there only within the
-- transaction that made it; one in tenancy_kept stays, and works with that role's rights for Tenantry alone.
SELECT NULL::uuid AS tenant_id, NULL::uuid AS other_id, format('function %s', coalesce(h.name, k.name)) AS object,
       CASE WHEN h.name IS NULL THEN 'it is gone'
            WHEN k.name IS NULL THEN 'Tenantry did not make it'
            ELSE concat_ws('; ', CASE WHEN h.is_definer AND NOT k.is_definer THEN 'it works with its owner''s rights'
                                      WHEN h.is_definer <> k.is_definer THEN 'it works with its caller''s rights' END,
                           CASE WHEN h.proleakproof THEN 'it is LEAKPROOF' END,
                           CASE WHEN h.settings <> k.settings THEN 'its settings are others' END,
                           CASE WHEN h.body <> k.body THEN 'its body is another' END) END AS evidence,
       CASE WHEN k.name IS NULL THEN format('DROP ROUTINE %s', h.oid::regprocedure)
            WHEN h.is_definer AND NOT k.is_definer AND h.body = k.body
            THEN format('ALTER ROUTINE %s SECURITY INVOKER', h.oid::regprocedure) END AS mend
  FROM (SELECT f.oid, format('%I.%I', p.nspname, f.proname) AS name, f.prosecdef AS is_definer, f.proleakproof,
               coalesce(array_to_string(f.proconfig, '; '), '') AS settings,
               encode(sha256(convert_to(s.prosrc, 'UTF8')), 'hex') AS body
          FROM iso_function f
          JOIN iso_place p USING (nspoid)
          JOIN pg_proc s ON s.oid = f.oid
         WHERE p.kind = 'control' AND f.oid IS DISTINCT FROM to_regprocedure('tenancy.current_tenant()')) h
  FULL JOIN (VALUES
       ('tenancy.deferring_tables', false, 'search_path=pg_catalog, pg_temp',
        '7a5b24118225d39d3af0b098e11158b466c7b581d59144f38cd105c9b25974be'),
       ('tenancy.run_guarded', false, '',
        '181c04852dafc2d0af0743ee60af92adfd93441baa0c489521cbaa60b8e312ec'),
       ('tenancy.run_kept', false, '',
        '78934c8f766b90577c4a659fab3c89604d86def07bf227f3f69b7b45051c33c5'),
       ('tenantry.drop_guard', false, 'search_path=pg_catalog, pg_temp',
        '7bfb4de604dec6971b2570c5041ba9e8a55933c99ed066e99bbfb99f9fce1834'),
       ('tenantry.keep_guard', false, 'search_path=pg_catalog, pg_temp',
        '5159b39d4df65523f48f8ac09518bda5c87e50858cb5bdd64ee54877a8eb96cd'),
       ('tenantry.make_guard', false, 'search_path=pg_catalog, pg_temp',
        '61e5033d6c278c1c8d0ecfc4e3904bf07550149e4308cf74b9d4ae360e41181e'),
       ('tenantry.optional_extensions', false, '',
        '12fd8e66607a32ddb106bafb0e1968c71281cd232136027ca5e1722f2814e7f6'),
       ('tenantry.rollout_candidates', false, '',
        'ecb849f5236036b44ad70a0c3177a24b09e84408be2142a67d65da981707f760'),
       ('tenantry.settle_guard', false, 'search_path=pg_catalog, pg_temp',
        '017d56225e5eb314e43d81be5099d2e5e67b37fa97ece9e001e29c423ae6c914'),
       ('tenantry.step_indexes', false, '',
        'f35592126a26c9c5df863cd045d014da295a8e16143fad1cf77b0ca154046b38'),
       ('tenantry.step_relation', false, '',
        '0b49cddbefeb82b5d770a1cf5f5309fdf3dccb4f31d83edadcef9264ada27257'),
       ('tenantry_audit.append', true, 'search_path=pg_catalog; TimeZone=UTC',
        '4f6a0174175c2a6473b8cd22e1b2533ac9e1d9a310432b61bff71ac768d51d1f'),
       ('tenantry_audit.ensure_partition', true, 'search_path=pg_catalog; TimeZone=UTC',
        '9e2c4ec09635f11dd0df55fc30a49a502770236af88be7b0e54e8f4096e5db43'),
       ('tenantry_audit.refuse', false, 'search_path=pg_catalog',
        'f9518bcdacc277c4121202d21811c651a3ea6904b30b3e7f19235e72eb9f6a39')
       ) k (name, is_definer, settings, body) ON k.name = h.name
 WHERE h.name IS NULL OR k.name IS NULL OR h.is_definer <> k.is_definer OR h.proleakproof OR h.settings <> k.settings
    OR h.body <> k.body
UNION ALL
SELECT p.tenant_id, NULL::uuid, format('function %s', f.oid::regprocedure), 'a guard that is not as Tenantry made it',
       format('DROP ROUTINE %s', f.oid::regprocedure)
  FROM iso_place p
  JOIN pg_roles o ON o.oid = p.owner
  JOIN pg_namespace n ON n.nspname = 'tenancy_kept'
  JOIN pg_namespace c ON c.nspname = 'tenantry'
  JOIN pg_proc f ON f.proname = o.rolname AND f.pronamespace = n.oid
 WHERE p.kind <> 'control'
   AND (NOT f.prosecdef OR f.proowner <> o.oid OR f.proleakproof
        OR f.prosrc <> format('SELECT tenancy.run_kept(%L, $1, $2, $3)', o.rolname)
        OR f.proconfig IS DISTINCT FROM ARRAY['search_path=pg_catalog, pg_temp', 'transaction_read_only=off']
        OR f.proacl IS NULL
        OR EXISTS (SELECT FROM aclexplode(f.proacl) a WHERE a.grantee NOT IN (o.oid, c.nspowner)))
