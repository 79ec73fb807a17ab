-- What a shop begins with. A currency, one place with stock, two tax classes without rates (they
-- depend on the country), one price list.
INSERT INTO settings (key, value) VALUES
    ('shop.currency', '"EUR"'), ('shop.country', '"DE"'), ('shop.language', '"en"'),
    ('orders.cancel_unpaid_after_hours', '72'), ('reservations.cart_minutes', '30'),
    ('returns.accepted_days', '30');
INSERT INTO locations (code, name) VALUES ('main', 'Main warehouse');
INSERT INTO tax_classes (code, name) VALUES ('standard', 'Standard'), ('reduced', 'Reduced'), ('zero', 'Zero');
INSERT INTO price_lists (code, name, currency) VALUES ('default', 'Default prices', 'EUR');
