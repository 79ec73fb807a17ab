-- A large shop: 4,000 products, 8,000 variants, 8,000 prices, 4,000 customers, 4,000 orders with 24,000
-- lines, more than 100,000 entries of the audit trail, most of them of the application. Numbers are the
-- only source of variety, so every load gives the same rows. Orders are a minute apart and end now.

INSERT INTO tax_rates (tax_class_id, country, valid_from, rate)
SELECT id, 'DE', '2021-01-01', 190000 FROM tax_classes WHERE code = 'standard';

INSERT INTO categories (id, parent_id, slug, name, position)
SELECT md5('category' || n)::uuid, CASE WHEN n > 10 THEN md5('category' || n % 10 + 1)::uuid END,
       'category-' || n, 'Category ' || n, n
FROM generate_series(1, 200) AS n;

INSERT INTO products (id, category_id, tax_class_id, slug, name, description, status)
SELECT md5('product' || n)::uuid, md5('category' || 11 + n % 190)::uuid, t.id, 'product-' || n,
       'Product ' || n, 'Word' || n % 500 || ' word' || n % 7 || ' made of wood', 'ACTIVE'
FROM generate_series(1, 4000) AS n, tax_classes AS t WHERE t.code = 'standard';

INSERT INTO product_variants (id, product_id, sku, barcode, name, is_active)
SELECT md5('variant' || n)::uuid, md5('product' || (n + 1) / 2)::uuid, 'SKU-' || n,
       '40' || lpad(n::text, 11, '0'), 'Product ' || (n + 1) / 2 || ', ' || n % 2, n % 50 <> 0
FROM generate_series(1, 8000) AS n;

INSERT INTO prices (price_list_id, variant_id, min_quantity, valid_from, amount)
SELECT l.id, v.id, 1, date_trunc('day', now()), 1000
FROM price_lists AS l, product_variants AS v WHERE l.code = 'default';

INSERT INTO customers (id, email, name, status, created_at)
SELECT md5('customer' || n)::uuid, 'customer' || n || '@example.com', 'Customer ' || n, 'ACTIVE',
       now() - make_interval(mins => 200 * (4000 - n))
FROM generate_series(1, 4000) AS n;
UPDATE customers SET status = 'DISABLED' WHERE right(email::text, 13) = '7@example.com' AND name LIKE '%77';

INSERT INTO addresses (customer_id, name, line1, city, country, is_default)
SELECT md5('customer' || n)::uuid, 'Customer ' || n, 'Street ' || n, 'City ' || n % 100, 'DE', true
FROM generate_series(1, 4000) AS n;

INSERT INTO locations (id, code, name)
SELECT md5('location' || n)::uuid, 'store-' || n, 'Store ' || n FROM generate_series(1, 10) AS n;
INSERT INTO stock_moves (variant_id, location_id, quantity, kind, at)
SELECT md5('variant' || n)::uuid, md5('location' || n % 10 + 1)::uuid, 100, 'RECEIPT', now() - INTERVAL '60 days'
FROM generate_series(1, 8000) AS n;
UPDATE stock_levels SET reorder_level = 100 WHERE variant_id < '02000000-0000-0000-0000-000000000000';

INSERT INTO discounts (id, code, rate, max_uses, valid_from)
SELECT md5('discount' || n)::uuid, 'CODE-' || n, 10000 * n % 500000, 100000, now() - INTERVAL '1 year'
FROM generate_series(1, 200) AS n;

INSERT INTO orders (id, customer_id, email, currency, on_account, shipping_amount, created_at)
SELECT md5('order' || n)::uuid, md5('customer' || 1 + n * 7 % 4000)::uuid,
       'customer' || 1 + n * 7 % 4000 || '@example.com', 'EUR', n <= 3400, 490, now() - make_interval(mins => 4000 - n)
FROM generate_series(1, 4000) AS n;
INSERT INTO order_lines (id, order_id, variant_id, name, quantity, unit_amount, tax_rate)
SELECT md5('line' || 6 * n + k)::uuid, md5('order' || n)::uuid, md5('variant' || 1 + (n * 6 + k) % 8000)::uuid,
       'Product', 1 + k % 2, 1000, 190000
FROM generate_series(1, 4000) AS n, generate_series(0, 5) AS k;
INSERT INTO discount_uses (order_id, discount_id)
SELECT md5('order' || 10 * n)::uuid, md5('discount' || 1 + n % 200)::uuid FROM generate_series(1, 400) AS n;

UPDATE orders SET status = 'PLACED' WHERE created_at < now() - INTERVAL '50 minutes';
INSERT INTO payments (id, order_id, provider, provider_reference, amount, created_at)
SELECT md5('payment' || n)::uuid, o.id, 'cardpay', 'ch_' || n, o.total_amount, o.created_at
FROM generate_series(1, 3900) AS n JOIN orders AS o ON o.id = md5('order' || n)::uuid;
UPDATE payments SET status = 'CAPTURED';
UPDATE orders SET status = 'PAID' FROM generate_series(3401, 3800) AS n WHERE id = md5('order' || n)::uuid;
UPDATE orders SET status = 'FULFILLING' FROM generate_series(1, 3700) AS n WHERE id = md5('order' || n)::uuid;

INSERT INTO shipments (id, order_id, location_id, carrier, tracking, created_at)
SELECT md5('shipment' || n)::uuid, md5('order' || n)::uuid, md5('location' || n % 10 + 1)::uuid, 'DHL', 'JD' || n,
       now() - make_interval(mins => 4000 - n)
FROM generate_series(1, 3600) AS n;
-- All pieces of some, the first of the others; a few of those are closed without the rest.
INSERT INTO shipment_lines (shipment_id, order_line_id, quantity)
SELECT md5('shipment' || n)::uuid, md5('line' || 6 * n + k)::uuid, 1 + k % 2
FROM generate_series(1, 3600) AS n, generate_series(0, 5) AS k WHERE k = 0 OR n BETWEEN 333 AND 800;
UPDATE shipments SET status = 'SHIPPED' FROM generate_series(1, 3400) AS n WHERE id = md5('shipment' || n)::uuid;
UPDATE orders SET status = CASE WHEN n BETWEEN 333 AND 800 THEN 'COMPLETED' ELSE 'CLOSED' END
FROM generate_series(1, 800) AS n WHERE id = md5('order' || n)::uuid;

INSERT INTO returns (id, order_id, created_at)
SELECT md5('return' || n)::uuid, md5('order' || n)::uuid, now() - make_interval(mins => 800 - n)
FROM generate_series(1, 800) AS n;
INSERT INTO return_lines (return_id, order_line_id, quantity)
SELECT md5('return' || n)::uuid, md5('line' || 6 * n)::uuid, 1 FROM generate_series(1, 800) AS n;
UPDATE returns SET status = 'REJECTED' FROM generate_series(1, 760) AS n WHERE id = md5('return' || n)::uuid;
INSERT INTO refunds (payment_id, amount, reason)
SELECT md5('payment' || n)::uuid, 500, 'Goodwill' FROM generate_series(1, 800) AS n;

INSERT INTO carts (id, customer_id, currency, updated_at)
SELECT md5('cart' || n)::uuid, md5('customer' || n)::uuid, 'EUR', now() - make_interval(mins => n * 2)
FROM generate_series(1, 2000) AS n;
UPDATE carts SET status = 'ORDERED' WHERE id > '20000000-0000-0000-0000-000000000000';
INSERT INTO cart_items (cart_id, variant_id, quantity)
SELECT md5('cart' || n)::uuid, md5('variant' || n * 3 + k)::uuid, 1
FROM generate_series(1, 2000) AS n, generate_series(0, 1) AS k;
INSERT INTO reservations (id, variant_id, location_id, quantity, cart_id, order_line_id, expires_at)
SELECT md5('reservation' || n)::uuid, s.variant_id, s.location_id, 1, -- line n is of variant n + 1
       CASE WHEN n <= 2000 THEN md5('cart' || n)::uuid END, CASE WHEN n > 2000 THEN md5('line' || n)::uuid END,
       CASE WHEN n <= 2000 THEN now() + make_interval(mins => n % 30) END
FROM generate_series(1, 4800) AS n JOIN stock_levels AS s ON s.variant_id = md5('variant' || n + 1)::uuid;
UPDATE reservations SET status = 'SHIPPED' WHERE order_line_id IS NOT NULL;

INSERT INTO webhook_endpoints (id, url, events, secret_name)
SELECT md5('endpoint' || n)::uuid, 'https://erp.example.com/' || n, ARRAY['order.placed'], 'erp-' || n
FROM generate_series(1, 20) AS n;
INSERT INTO webhook_deliveries (id, endpoint_id, event, payload, created_at, next_attempt_at)
SELECT md5('delivery' || n)::uuid, md5('endpoint' || n % 20 + 1)::uuid, 'order.placed', jsonb_build_object('order', n),
       now() - make_interval(mins => 8000 - n), now() - make_interval(mins => 8000 - n)
FROM generate_series(1, 8000) AS n;
UPDATE webhook_deliveries SET status = 'DELIVERED', attempts = 1 WHERE created_at < now() - INTERVAL '2 hours';

-- What the application notes.
INSERT INTO audit_log (action, table_name, row_id)
SELECT 'viewed', 'products', md5('product' || 1 + n % 4000)::uuid FROM generate_series(1, 65000) AS n;
