-- What the migrations of the control schema make; a new installation that is not clean tells that this was forgotten.
-- tenancy.current_tenant() is map_function's. A role's guard is there only within the transaction that made it.
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
       ('tenancy.run_guarded', false, '',
        'a26c35174cb7300238461814839ad1e90cc86ac81a3ebd98fbe89400a49d5d60'),
       ('tenantry.call_guard', false, 'search_path=pg_catalog, pg_temp',
        '828ca5408b8bb378766d3c904693f1b266e19159b34f14ef4426fdafbb455744'),
       ('tenantry.drop_guard', false, 'search_path=pg_catalog, pg_temp',
        '0e41030a99b866b265c0b38cf4308e558bc275917c519c8a8eaed196526efbce'),
       ('tenantry.make_guard', false, 'search_path=pg_catalog, pg_temp',
        '5d0308acaa12d394ea3814b162816b0b99e9b6567bac36c2186869b3c1787c68'),
       ('tenantry.optional_extensions', false, '',
        '12fd8e66607a32ddb106bafb0e1968c71281cd232136027ca5e1722f2814e7f6'),
       ('tenantry.rollout_candidates', false, '',
        'ecb849f5236036b44ad70a0c3177a24b09e84408be2142a67d65da981707f760'),
       ('tenantry.run_as', false, 'search_path=pg_catalog, pg_temp',
        'dd09dce3952e6e7e2ceac1a2ce6b253702c9e75f9502d9fa7fee58e009a505e8'),
       ('tenantry_audit.append', true, 'search_path=pg_catalog; TimeZone=UTC',
        '4f6a0174175c2a6473b8cd22e1b2533ac9e1d9a310432b61bff71ac768d51d1f'),
       ('tenantry_audit.ensure_partition', true, 'search_path=pg_catalog; TimeZone=UTC',
        '9e2c4ec09635f11dd0df55fc30a49a502770236af88be7b0e54e8f4096e5db43'),
       ('tenantry_audit.refuse', false, 'search_path=pg_catalog',
        'f9518bcdacc277c4121202d21811c651a3ea6904b30b3e7f19235e72eb9f6a39')
       ) k (name, is_definer, settings, body) ON k.name = h.name
 WHERE h.name IS NULL OR k.name IS NULL OR h.is_definer <> k.is_definer OR h.proleakproof OR h.settings <> k.settings
    OR h.body <> k.body
