SELECT NULL::uuid AS tenant_id, NULL::uuid AS other_id, 'function tenancy.current_tenant()' AS object,
       'its body or its security is another' AS evidence, NULL::text AS mend
 WHERE NOT EXISTS (
       SELECT FROM pg_proc f
        WHERE f.oid = to_regprocedure('tenancy.current_tenant()') AND NOT f.prosecdef AND NOT f.proleakproof
          AND f.proconfig IS NULL
          AND encode(sha256(convert_to(f.prosrc, 'UTF8')), 'hex') =
              '179d0b9aa3df15037e6ec350b62f9486054cd4bfb0c705f2fb5ffe641b8b7840')
