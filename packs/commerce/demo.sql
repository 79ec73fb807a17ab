-- Synthetic data for one shop: 24 products in a tree of categories, 40 customers, 80 orders of the last
-- three months with what follows from them. Keys come from md5 of the tenant's id and the row's
-- name, so a tenant always gets the same data and two tenants get different keys.

INSERT INTO tax_rates (tax_class_id, country, valid_from, rate)
SELECT c.id, r.country, '2021-01-01', r.rate
FROM tax_classes AS c
JOIN (VALUES ('standard', 'DE', 190000), ('reduced', 'DE', 70000), ('standard', 'AT', 200000),
             ('reduced', 'AT', 100000), ('standard', 'PT', 230000), ('reduced', 'PT', 60000))
    AS r (code, country, rate) USING (code);

INSERT INTO locations (code, name, country)
VALUES ('store-berlin', 'Store Berlin', 'DE'), ('store-vienna', 'Store Vienna', 'AT');

INSERT INTO categories (id, parent_id, slug, name, position)
SELECT md5(tenancy.current_tenant() || ':category:' || slug)::uuid,
       CASE WHEN parent <> '' THEN md5(tenancy.current_tenant() || ':category:' || parent)::uuid END,
       slug, name, position
FROM (VALUES ('home', '', 'Home', 1), ('kitchen', 'home', 'Kitchen', 1), ('bath', 'home', 'Bath', 2),
             ('outdoor', '', 'Outdoor', 2), ('camping', 'outdoor', 'Camping', 1),
             ('garden', 'outdoor', 'Garden', 2), ('books', '', 'Books', 3)) AS c (slug, parent, name, position);

INSERT INTO products (id, category_id, tax_class_id, slug, name, description, status, created_at)
SELECT md5(tenancy.current_tenant() || ':product:' || slug)::uuid,
       (SELECT id FROM categories AS c WHERE c.slug = category),
       (SELECT id FROM tax_classes WHERE code = CASE category WHEN 'books' THEN 'reduced' ELSE 'standard' END),
       slug, name, 'From our own workshop, made to last.', 'ACTIVE',
       now() - make_interval(days => 200 - n::integer)
FROM (SELECT row_number() OVER () AS n, category, name,
             lower(replace(name, ' ', '-')) AS slug
      FROM (VALUES ('kitchen', ARRAY['Bread knife', 'Oak board', 'Enamel pot', 'Copper pan', 'Tea strainer', 'Linen towel']),
                   ('bath', ARRAY['Soap dish', 'Bath mat', 'Cedar stool', 'Cotton robe']),
                   ('camping', ARRAY['Trail stove', 'Folding cup', 'Down quilt', 'Rain tarp', 'Head lamp', 'Rope bag']),
                   ('garden', ARRAY['Hand trowel', 'Seed tray', 'Rose shears', 'Watering can']),
                   ('books', ARRAY['Bread at home', 'Small gardens', 'Nights outside', 'Mending things']))
           AS list (category, names), unnest(names) AS name) AS p;

INSERT INTO product_variants (id, product_id, sku, barcode, name, options, weight_grams)
SELECT md5(tenancy.current_tenant() || ':variant:' || slug || size)::uuid, id,
       upper(slug) || '-' || size, '40' || lpad((row_number() OVER (ORDER BY slug, size))::text, 11, '0'),
       name || ', ' || CASE size WHEN 'S' THEN 'small' ELSE 'large' END,
       jsonb_build_object('size', size), 150 + 10 * length(name) * CASE size WHEN 'S' THEN 1 ELSE 3 END
FROM products, unnest(ARRAY['S', 'L']) AS size;

INSERT INTO price_lists (code, name, currency, tax_included) VALUES ('trade', 'Trade customers', 'EUR', false);

-- A price, a lower one for ten, and the end of a sale that ran last month.
INSERT INTO prices (price_list_id, variant_id, min_quantity, valid_from, amount)
SELECT l.id, v.id, p.min_quantity, date_trunc('day', now()) - make_interval(days => p.days),
       (900 + v.weight_grams * 7) * p.percent / 100
FROM product_variants AS v, price_lists AS l,
     (VALUES (1, 200, 100), (1, 45, 80), (1, 30, 100), (10, 200, 85)) AS p (min_quantity, days, percent);

INSERT INTO customers (id, email, name, price_list_id, accepts_email, created_at)
SELECT md5(tenancy.current_tenant() || ':customer:' || n)::uuid,
       lower(first) || '.' || lower(last) || '@example.com', first || ' ' || last,
       CASE WHEN n % 8 = 0 THEN (SELECT id FROM price_lists WHERE code = 'trade') END,
       n % 3 = 0, now() - make_interval(days => 180 - 2 * n)
FROM generate_series(1, 40) AS n,
     LATERAL (SELECT (ARRAY['Ada', 'Bruno', 'Clara', 'Dario', 'Edith', 'Felix', 'Greta', 'Hugo'])[1 + n % 8] AS first,
                     (ARRAY['Berg', 'Costa', 'Lind', 'Novak', 'Weber'])[1 + n % 5] AS last) AS names;

INSERT INTO addresses (customer_id, name, line1, city, postal_code, country, is_default)
SELECT id, name, 'Lindenweg ' || 1 + length(name), city, postal_code, country, true
FROM customers, LATERAL (SELECT * FROM (VALUES (0, 'Berlin', '10115', 'DE'), (1, 'Wien', '1010', 'AT'),
                                               (2, 'Porto', '4000-001', 'PT')) AS c (k, city, postal_code, country)
                         WHERE k = length(email) % 3) AS place;

INSERT INTO stock_moves (variant_id, location_id, quantity, kind)
SELECT v.id, l.id, 400, 'RECEIPT' FROM product_variants AS v, locations AS l;
UPDATE stock_levels SET reorder_level = 40;

INSERT INTO discounts (code, rate, amount, currency, max_uses, max_uses_per_customer, valid_from)
VALUES ('WELCOME10', 100000, NULL, NULL, NULL, 1, now() - INTERVAL '1 year'),
       ('SPRING5', NULL, 500, 'EUR', 100, NULL, now() - INTERVAL '1 year');

INSERT INTO orders (id, customer_id, email, currency, billing_address, shipping_address,
                    shipping_method, shipping_amount, shipping_tax_amount, created_at)
SELECT md5(tenancy.current_tenant() || ':order:' || n)::uuid, c.id, c.email, 'EUR', a.address, a.address,
       'parcel', 490, 78, now() - make_interval(hours => 27 * (80 - n))
FROM generate_series(1, 80) AS n
JOIN customers AS c ON c.id = md5(tenancy.current_tenant() || ':customer:' || 1 + n * 7 % 40)::uuid
CROSS JOIN LATERAL (SELECT to_jsonb(a) - ARRAY['id', 'customer_id', 'is_default'] AS address
                    FROM addresses AS a WHERE a.customer_id = c.id) AS a;

INSERT INTO order_lines (id, order_id, variant_id, name, quantity, unit_amount, tax_rate)
SELECT md5(o.id || ':' || v.id)::uuid, o.id, v.id, v.name, 1 + length(v.name) % 3, p.amount,
       CASE v.name ~ '^(Bread at|Small|Nights|Mending)' WHEN true THEN 70000 ELSE 190000 END
FROM orders AS o, price_lists AS l,
     LATERAL (SELECT * FROM product_variants ORDER BY md5(o.id || sku) LIMIT 2) AS v,
     LATERAL (SELECT amount FROM prices
              WHERE price_list_id = l.id AND variant_id = v.id AND min_quantity = 1 AND valid_from <= o.created_at
              ORDER BY valid_from DESC LIMIT 1) AS p
WHERE l.code = 'default';

INSERT INTO discount_uses (order_id, discount_id)
SELECT DISTINCT ON (o.customer_id) o.id, d.id FROM orders AS o, discounts AS d WHERE d.code = 'WELCOME10'
ORDER BY o.customer_id, o.created_at;

-- Of ten orders one stays a draft and one is cancelled; the others are placed, most paid, many sent.
UPDATE orders SET status = 'PLACED' WHERE number % 10 <> 1;
INSERT INTO payments (id, order_id, provider, provider_reference, amount, created_at)
SELECT md5(id || ':payment')::uuid, id, 'cardpay', 'ch_' || substr(md5(id || ':charge'), 1, 16), total_amount, created_at
FROM orders WHERE number % 10 NOT IN (1, 2);
UPDATE payments SET status = 'CAPTURED';
UPDATE orders SET status = 'CANCELLED' WHERE number % 10 = 2;
UPDATE orders SET status = 'PAID' WHERE status = 'PLACED' AND number % 10 > 3;

INSERT INTO reservations (variant_id, location_id, quantity, order_line_id)
SELECT l.variant_id, w.id, l.quantity, l.id
FROM order_lines AS l JOIN orders AS o ON o.id = l.order_id AND o.status = 'PAID'
JOIN locations AS w ON w.code = 'main' ORDER BY l.variant_id;
UPDATE orders SET status = 'FULFILLING' WHERE status = 'PAID' AND number % 10 > 4;
INSERT INTO shipments (id, order_id, location_id, carrier, tracking, created_at)
SELECT md5(o.id || ':shipment')::uuid, o.id, w.id, 'DHL', 'JD' || lpad(o.number::text, 10, '0'), o.created_at + INTERVAL '1 day'
FROM orders AS o JOIN locations AS w ON w.code = 'main' WHERE o.status = 'FULFILLING';
INSERT INTO shipment_lines (shipment_id, order_line_id, quantity)
SELECT s.id, l.id, l.quantity FROM shipments AS s JOIN order_lines AS l USING (order_id);
UPDATE shipments SET status = 'SHIPPED';
UPDATE reservations AS r SET status = 'SHIPPED'
FROM order_lines AS l JOIN orders AS o ON o.id = l.order_id
WHERE r.order_line_id = l.id AND o.status = 'FULFILLING';
UPDATE shipments SET status = 'DELIVERED' WHERE created_at < now() - INTERVAL '5 days';
UPDATE orders SET status = 'COMPLETED' WHERE status = 'FULFILLING' AND created_at < now() - INTERVAL '6 days';

INSERT INTO returns (id, order_id, reason)
SELECT md5(id || ':return')::uuid, id, 'Does not fit' FROM orders WHERE status = 'COMPLETED' AND number % 10 = 9;
INSERT INTO return_lines (return_id, order_line_id, quantity)
SELECT DISTINCT ON (r.id) r.id, l.id, 1 FROM returns AS r JOIN order_lines AS l USING (order_id) ORDER BY r.id, l.id;
UPDATE returns SET status = 'APPROVED';
UPDATE returns SET status = 'RECEIVED';
INSERT INTO stock_moves (variant_id, location_id, quantity, kind, reference)
SELECT l.variant_id, w.id, r.quantity, 'RETURN', r.return_id
FROM return_lines AS r JOIN order_lines AS l ON l.id = r.order_line_id JOIN locations AS w ON w.code = 'main';
INSERT INTO refunds (payment_id, amount, reason)
SELECT p.id, l.unit_amount, 'Return' FROM return_lines AS rl JOIN order_lines AS l ON l.id = rl.order_line_id
JOIN payments AS p USING (order_id);
UPDATE refunds SET status = 'SUCCEEDED';

INSERT INTO carts (id, customer_id, currency)
SELECT md5(id || ':cart')::uuid, id, 'EUR' FROM customers WHERE length(name) % 4 = 0;
INSERT INTO cart_items (cart_id, variant_id, quantity)
SELECT c.id, v.id, 1 FROM carts AS c, LATERAL (SELECT id FROM product_variants ORDER BY md5(c.id || sku) LIMIT 2) AS v;
INSERT INTO reservations (variant_id, location_id, quantity, cart_id, expires_at)
SELECT i.variant_id, w.id, i.quantity, i.cart_id, now() + INTERVAL '30 minutes'
FROM cart_items AS i JOIN locations AS w ON w.code = 'main' ORDER BY i.variant_id;

INSERT INTO webhook_endpoints (url, events, secret_name)
VALUES ('https://erp.example.com/hooks/shop', ARRAY['order.placed', 'order.paid'], 'erp-signing-key');
INSERT INTO webhook_deliveries (endpoint_id, event, payload)
SELECT e.id, 'order.placed', jsonb_build_object('order', o.number) FROM webhook_endpoints AS e, orders AS o
WHERE o.status = 'PLACED';
