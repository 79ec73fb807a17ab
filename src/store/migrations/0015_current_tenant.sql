-- The default of every tenant_id. PL/pgSQL keeps its plan from one statement to the next; as a function in SQL it was
-- planned by each statement that called it, which was a third of a short INSERT. It works with its caller's search_path,
-- so every name and operator says where it is from.
CREATE OR REPLACE FUNCTION tenancy.current_tenant() RETURNS uuid
    LANGUAGE plpgsql STABLE
AS $$
DECLARE
    narrowed pg_catalog.text := pg_catalog.lower(pg_catalog.current_setting('app.current_tenant_id', true));
BEGIN
    RETURN (SELECT m.tenant_id
              FROM tenancy.role_tenants m
             WHERE m.role_name OPERATOR(pg_catalog.=) current_user
               AND (narrowed IS NULL OR narrowed OPERATOR(pg_catalog.=) ''
                    OR narrowed OPERATOR(pg_catalog.=) m.tenant_id::pg_catalog.text));
END
$$;
