-- What the migrations of the control schema make; a new installation that is not clean tells that this was forgotten.
-- tenancy.current_tenant() is map_function's. A role's guard in tenancy_guards is there only within the transaction that
-- made it; one in tenancy_kept stays, and works with that role's rights for Tenantry alone: it is judged at the end.
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
        '46fc2cdc2c4f8fad2ea401c22ade3a6e60d30594c6226145c3c20ed692efcb84'),
       ('tenantry.make_guard', false, 'search_path=pg_catalog, pg_temp',
        '8a6a5d07c3ed1396b96a1ec905e268029eb805194bd6f9463ecec56194a24be1'),
       ('tenantry.optional_extensions', false, '',
        '189cf2e547280b12c36ab36e27be66f6a8d71a9db0ac654f312068c1da501f1c'),
       ('tenantry.rollout_candidates', false, '',
        'ecb849f5236036b44ad70a0c3177a24b09e84408be2142a67d65da981707f760'),
       ('tenantry.run_as', false, 'search_path=pg_catalog, pg_temp',
        'dd345a1f2898984fddc4da99076c9ee6eb34e14c7300dadff2cbc3218b5ceb77'),
       ('tenantry.step_indexes', false, '',
        'f35592126a26c9c5df863cd045d014da295a8e16143fad1cf77b0ca154046b38'),
       ('tenantry.step_relation', false, '',
        '0b49cddbefeb82b5d770a1cf5f5309fdf3dccb4f31d83edadcef9264ada27257'),
       ('tenantry_audit.append', true, 'search_path=pg_catalog, pg_temp; TimeZone=UTC',
        '4f6a0174175c2a6473b8cd22e1b2533ac9e1d9a310432b61bff71ac768d51d1f'),
       ('tenantry_audit.ensure_partition', true, 'search_path=pg_catalog, pg_temp; TimeZone=UTC',
        '9e2c4ec09635f11dd0df55fc30a49a502770236af88be7b0e54e8f4096e5db43'),
       ('tenantry_audit.refuse', false, 'search_path=pg_catalog, pg_temp',
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
        OR f.prosrc <> format('SELECT tenancy.run_guarded(%L, $1, $2)', o.rolname)
        OR f.proconfig IS DISTINCT FROM ARRAY['search_path=pg_catalog, pg_temp']
        OR f.proacl IS NULL
        OR EXISTS (SELECT FROM aclexplode(f.proacl) a WHERE a.grantee NOT IN (o.oid, c.nspowner)))
