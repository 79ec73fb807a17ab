-- What a create in a shared place needs of a definition besides its head: migrations are large, and it runs none.
ALTER TABLE tenantry.blueprint_versions ADD COLUMN seed text GENERATED ALWAYS AS (definition->>'seed') STORED;
