-- Slugs are ASCII, and their order is that of their bytes, on every server and whatever its locale: a list of 10,000 is
-- sorted in a fifth of the time.
ALTER TABLE tenantry.tenants ALTER COLUMN slug TYPE text COLLATE "C";

-- The optional extensions of a blueprint that the server has. Every claim of a spare asks, and PL/pgSQL keeps its plans; as
-- a function in SQL it was planned each time.
CREATE OR REPLACE FUNCTION tenantry.optional_extensions(blueprint text) RETURNS text[]
    STABLE LANGUAGE plpgsql
AS $$
DECLARE
    wished text[] := ARRAY(SELECT w.name
                             FROM tenantry.blueprints b
                             JOIN tenantry.blueprint_versions v ON v.blueprint = b.name AND v.version = b.version
                            CROSS JOIN LATERAL json_array_elements_text(v.head->'optional') w (name)
                            WHERE b.name = $1
                            ORDER BY w.name COLLATE "C");
BEGIN
    IF EXISTS (SELECT FROM unnest(wished) w (name)
                WHERE NOT EXISTS (SELECT FROM pg_extension e WHERE e.extname = w.name)) THEN
        RETURN ARRAY(SELECT w.name FROM unnest(wished) w (name)
                      WHERE EXISTS (SELECT FROM pg_available_extensions() a WHERE a.name = w.name)
                      ORDER BY w.name COLLATE "C");
    END IF;
    RETURN wished;
END
$$;
