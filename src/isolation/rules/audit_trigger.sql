SELECT NULL::uuid AS tenant_id, NULL::uuid AS other_id, 'table tenantry_audit.entries' AS object,
       format('trigger %s is missing or off', w.name) AS evidence,
       format('ALTER TABLE tenantry_audit.entries ENABLE TRIGGER %I', w.name) AS mend
  FROM (VALUES ('append_only'), ('no_truncate')) w (name)
 WHERE NOT EXISTS (SELECT FROM pg_trigger t
                    WHERE t.tgrelid = 'tenantry_audit.entries'::regclass AND t.tgname = w.name
                      AND t.tgenabled IN ('O', 'A'))
