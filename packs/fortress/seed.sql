-- The categories that a new tenant starts with; it may rename, move and delete them.
WITH roots AS (
    INSERT INTO categories (name)
    VALUES ('Income'), ('Housing'), ('Food'), ('Transport'), ('Health'), ('Leisure'), ('Fees')
    RETURNING id, name
)
INSERT INTO categories (parent_id, name)
SELECT roots.id, children.name
FROM roots
JOIN (VALUES ('Income', 'Salary'), ('Income', 'Interest'), ('Housing', 'Rent'),
             ('Housing', 'Utilities'), ('Food', 'Groceries'), ('Food', 'Restaurants'),
             ('Transport', 'Fuel'), ('Transport', 'Public transport'), ('Health', 'Pharmacy'),
             ('Leisure', 'Subscriptions')) AS children (parent, name)
     ON children.parent = roots.name;
