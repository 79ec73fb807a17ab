-- Synthetic data for one tenant: 20 people with two accounts each, about 400 transactions of the last
-- 90 days, receipts, a small supermarket with its orders, and events. Every value is taken from md5
-- of a name and a number, relative to the current hour. No password is set: nobody can sign in as one
-- of these people.

INSERT INTO users (id, email, phone, profile, created_at, last_login_at)
SELECT md5('demo user ' || n)::uuid, lower(first_name) || n || '@demo.example',
       '+55119' || 80000000 + n * 137, jsonb_build_object('name', first_name || ' ' || last_name),
       date_trunc('hour', now()) - make_interval(days => 120 + n),
       date_trunc('hour', now()) - make_interval(hours => n * 7)
FROM generate_series(1, 20) AS n
CROSS JOIN LATERAL (
    SELECT (ARRAY['Ana', 'Bruno', 'Clara', 'Diego', 'Elisa', 'Fabio', 'Gabriela', 'Hugo', 'Ines',
                  'Joao'])[1 + n % 10] AS first_name,
           (ARRAY['Almeida', 'Barbosa', 'Cardoso', 'Dias', 'Esteves', 'Ferreira', 'Gomes'])[1 + n % 7]
               AS last_name
) AS person;

INSERT INTO accounts (id, user_id, name, type, currency)
SELECT md5('demo account ' || n)::uuid, md5('demo user ' || 1 + n % 20)::uuid,
       CASE WHEN n <= 20 THEN 'Current account' ELSE 'Savings' END,
       CASE WHEN n <= 20 THEN 'bank' ELSE 'savings' END, 'BRL'
FROM generate_series(1, 40) AS n;

INSERT INTO merchants (id, name, merchant_code, category)
SELECT md5('demo merchant ' || n)::uuid, name, 'DEMO-' || n, category
FROM (VALUES (1, 'Mercado Central', 'Groceries'), (2, 'Padaria Aurora', 'Groceries'),
             (3, 'Posto Beira Rio', 'Fuel'), (4, 'Farmacia Boa Vida', 'Pharmacy'),
             (5, 'Cantina Napoli', 'Restaurants'), (6, 'Metro', 'Public transport'),
             (7, 'Canal Filmes', 'Subscriptions'), (8, 'Luz e Agua', 'Utilities'))
     AS shop (n, name, category);

-- Salaries on three days, then what is spent, then what is put aside.
INSERT INTO transactions (id, occurred_at, account_id, category_id, type, status, amount, currency,
                          description, idempotency_key)
SELECT md5('demo salary ' || n || ' ' || month)::uuid,
       date_trunc('hour', now()) - make_interval(days => 89 - 30 * month),
       md5('demo account ' || n)::uuid, (SELECT id FROM categories WHERE name = 'Salary' LIMIT 1),
       'credit', 'posted', 3200 + n * 110, 'BRL', 'Salary',
       'demo salary ' || n || ' ' || month
FROM generate_series(1, 20) AS n, generate_series(0, 2) AS month;

INSERT INTO transactions (id, occurred_at, account_id, category_id, merchant_id, type, status,
                          amount, currency, description, idempotency_key)
SELECT md5('demo purchase ' || n)::uuid,
       date_trunc('hour', now()) - make_interval(days => n % 88, mins => get_byte(hash, 0) * 5),
       md5('demo account ' || 1 + n % 20)::uuid,
       (SELECT c.id FROM categories c WHERE c.name = m.category LIMIT 1), m.id, 'debit',
       CASE WHEN n % 15 = 0 THEN 'pending' ELSE 'posted' END,
       8 + get_byte(hash, 1) + get_byte(hash, 2) % 100 / 100.0, 'BRL', m.name, 'demo purchase ' || n
FROM generate_series(1, 280) AS n
CROSS JOIN LATERAL decode(md5('demo purchase ' || n), 'hex') AS hash
JOIN merchants m ON m.merchant_code = 'DEMO-' || 1 + get_byte(hash, 3) % 8;

INSERT INTO transactions (id, occurred_at, account_id, counterparty_account_id, type, status,
                          amount, currency, description, idempotency_key)
SELECT md5('demo transfer ' || n)::uuid,
       date_trunc('hour', now()) - make_interval(days => n % 60),
       md5('demo account ' || 1 + n % 20)::uuid, md5('demo account ' || 21 + n % 20)::uuid,
       'transfer', 'posted', 50 + n * 5, 'BRL', 'Put aside', 'demo transfer ' || n
FROM generate_series(1, 60) AS n;

SELECT settle_transaction(md5('demo purchase ' || n)::uuid, 'posted') FROM generate_series(15, 90, 15) AS n;
SELECT settle_transaction(md5('demo purchase ' || n)::uuid, 'failed') FROM generate_series(105, 120, 15) AS n;
SELECT reverse_transaction(md5('demo purchase ' || n)::uuid, 'Returned to the shop')
FROM generate_series(1, 5) AS n;

INSERT INTO receipts (id, user_id, transaction_id, amount, currency, image_s3_key, created_at)
SELECT md5('demo receipt ' || n)::uuid, md5('demo user ' || 1 + (1 + n % 20) % 20)::uuid, t.id,
       t.amount, 'BRL', 'demo/receipts/' || n, t.occurred_at
FROM generate_series(20, 79) AS n
JOIN transactions t ON t.id = md5('demo purchase ' || n)::uuid;

INSERT INTO products (id, sku, name, brand, category_id, price, currency)
SELECT md5('demo product ' || n)::uuid, 'DEMO-' || lpad(n::text, 3, '0'), name, brand,
       (SELECT id FROM categories WHERE categories.name = 'Groceries' LIMIT 1), price, 'BRL'
FROM (VALUES (1, 'Rice 5 kg', 'Campo', 27.90), (2, 'Black beans 1 kg', 'Campo', 8.49),
             (3, 'Coffee 500 g', 'Serra', 18.75), (4, 'Milk 1 l', 'Vale', 5.29),
             (5, 'Bread', 'Aurora', 7.50), (6, 'Olive oil 500 ml', 'Douro', 39.90),
             (7, 'Bananas 1 kg', NULL, 6.20), (8, 'Soap', 'Lirio', 3.15),
             (9, 'Cheese 400 g', 'Vale', 24.60), (10, 'Orange juice 1 l', 'Pomar', 9.80))
     AS shelf (n, name, brand, price);

INSERT INTO receipt_items (receipt_id, line, product_id, description, quantity, amount)
SELECT md5('demo receipt ' || n)::uuid, line, p.id, p.name, 1, p.price
FROM generate_series(20, 79) AS n, generate_series(1, 2) AS line
JOIN LATERAL (SELECT id, name, price FROM products WHERE sku = 'DEMO-00' || 1 + (n + line) % 9)
     AS p ON true;

INSERT INTO locations (id, name)
VALUES (md5('demo location 1')::uuid, 'Shop in the centre'),
       (md5('demo location 2')::uuid, 'Warehouse');
INSERT INTO inventory (product_id, location_id, reorder_threshold)
SELECT md5('demo product ' || n)::uuid, md5('demo location ' || place)::uuid, 10 * place
FROM generate_series(1, 10) AS n, generate_series(1, 2) AS place;
INSERT INTO inventory_movements (product_id, location_id, reason, quantity_change)
SELECT md5('demo product ' || n)::uuid, md5('demo location ' || place)::uuid, 'restock',
       25 * place + n
FROM generate_series(1, 10) AS n, generate_series(1, 2) AS place;

INSERT INTO carts (id, user_id)
SELECT md5('demo cart ' || n)::uuid, md5('demo user ' || n)::uuid FROM generate_series(1, 12) AS n;
INSERT INTO cart_items (cart_id, product_id, quantity)
SELECT md5('demo cart ' || n)::uuid, md5('demo product ' || 1 + (n + item * 3) % 10)::uuid, item
FROM generate_series(1, 12) AS n, generate_series(1, 2) AS item;
SELECT checkout_cart(md5('demo cart ' || n)::uuid, md5('demo location 1')::uuid,
                     jsonb_build_object('street', 'Rua das Flores ' || n, 'city', 'Sao Paulo'))
FROM generate_series(1, 10) AS n;
UPDATE orders SET status = 'paid', payment_reference = 'demo payment'
WHERE cart_id IN (SELECT md5('demo cart ' || n)::uuid FROM generate_series(1, 8) AS n);
UPDATE orders SET status = 'shipped'
WHERE cart_id IN (SELECT md5('demo cart ' || n)::uuid FROM generate_series(1, 4) AS n);
UPDATE orders SET status = 'cancelled' WHERE cart_id = md5('demo cart 10')::uuid;

INSERT INTO events_outbox (aggregate, aggregate_id, event_type, payload)
SELECT 'order', o.id, 'order.' || o.status, jsonb_build_object('total', o.total_amount)
FROM orders o ORDER BY o.id;

SELECT refresh_analytics(CURRENT_DATE - 90, CURRENT_DATE);
