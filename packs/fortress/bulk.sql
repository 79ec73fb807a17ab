-- Fills one tenant for tests of plans: 100,000 transactions and thousands of rows in the tables
-- around them. Ids are md5 of a name and a number; times of the partitioned tables count
-- back from the end of this month. Every rule of the tables holds: stock comes before orders, and
-- balances follow from transactions. The tenant is asked for once in a statement; as a default it would
-- be for each row.

INSERT INTO users (tenant_id, id, email, phone, last_login_at, created_at, deleted_at, is_active)
SELECT (SELECT tenancy.current_tenant()), md5('user' || n)::uuid, 'user' || n || '@bulk.example', '+5511' || 900000000 + n,
       date_trunc('hour', now()) - make_interval(hours => n % 700),
       date_trunc('hour', now()) - make_interval(days => n % 900),
       CASE WHEN n % 50 = 0 THEN date_trunc('hour', now()) - make_interval(days => n % 90) END,
       n % 50 > 0
FROM generate_series(1, 2000) AS n;

INSERT INTO accounts (tenant_id, id, user_id, name, type, currency)
SELECT (SELECT tenancy.current_tenant()), md5('account' || n)::uuid, CASE WHEN n % 10 > 0 THEN md5('user' || 1 + n % 2000)::uuid END,
       'Account ' || n,
       (ARRAY['wallet', 'bank', 'credit', 'savings', 'cash', 'investment'])[1 + n % 6],
       CASE WHEN n % 2 = 0 THEN 'BRL' ELSE 'EUR' END
FROM generate_series(1, 3000) AS n;

INSERT INTO categories (tenant_id, id, name)
SELECT (SELECT tenancy.current_tenant()), md5('category' || n)::uuid, 'Group ' || n FROM generate_series(1, 10) AS n;
INSERT INTO categories (tenant_id, id, parent_id, name)
SELECT (SELECT tenancy.current_tenant()), md5('category' || n)::uuid, md5('category' || 1 + n % CASE WHEN n <= 200 THEN 10 ELSE 190 END)::uuid, 'Category ' || n
FROM generate_series(11, 3000) AS n;

INSERT INTO merchants (tenant_id, id, name, merchant_code, category)
SELECT (SELECT tenancy.current_tenant()), md5('merchant' || n)::uuid, 'Merchant ' || n, 'M' || n, 'Shop'
FROM generate_series(1, 1000) AS n;

-- Thirteen months; one in ten is a transfer to another account of the same currency, and one in
-- twenty still pending; half have a category, a merchant and an idempotency key. In four statements,
-- each below the time that a plan gives to one.
INSERT INTO transactions (tenant_id, id, occurred_at, account_id, counterparty_account_id, category_id,
                          merchant_id, type, status, amount, currency, idempotency_key)
SELECT (SELECT tenancy.current_tenant()), md5('transaction' || n)::uuid,
       date_trunc('month', now(), 'UTC') + INTERVAL '1 month'
           - make_interval(mins => 1 + (n * 5) % 570000),
       md5('account' || 1 + n % 3000)::uuid,
       CASE WHEN n % 10 = 0 THEN md5('account' || 1 + (n + 2) % 3000)::uuid END,
       CASE WHEN n % 3 > 0 THEN md5('category' || 11 + n % 190)::uuid END,
       CASE WHEN n % 4 > 0 THEN md5('merchant' || 1 + n % 1000)::uuid END,
       CASE WHEN n % 10 = 0 THEN 'transfer' WHEN n % 3 = 0 THEN 'credit' WHEN n % 41 = 0 THEN 'fee'
            ELSE 'debit' END,
       CASE WHEN n % 20 = 7 THEN 'pending' ELSE 'posted' END,
       (n % 9973) / 100.0, CASE WHEN n % 2 = 1 THEN 'BRL' ELSE 'EUR' END, 'key-' || n
FROM generate_series(1, 25000) AS n;

INSERT INTO transactions (tenant_id, id, occurred_at, account_id, category_id, merchant_id, type, status,
                          amount, currency, idempotency_key)
SELECT (SELECT tenancy.current_tenant()), md5('transaction' || n)::uuid,
       date_trunc('month', now(), 'UTC') + INTERVAL '1 month'
           - make_interval(mins => 1 + (n * 7) % 570000),
       md5('account' || 1 + n % 3000)::uuid, md5('category' || 11 + n % 190)::uuid,
       md5('merchant' || 1 + n % 1000)::uuid, 'debit', 'posted', (n % 9973) / 100.0,
       CASE WHEN n % 2 = 1 THEN 'BRL' ELSE 'EUR' END, 'key-' || n
FROM generate_series(25001, 50000) AS n;

INSERT INTO transactions (tenant_id, id, occurred_at, account_id, type, status, amount, currency)
SELECT (SELECT tenancy.current_tenant()), md5('transaction' || n)::uuid,
       date_trunc('month', now(), 'UTC') + INTERVAL '1 month'
           - make_interval(mins => 1 + (n * 7) % 570000),
       md5('account' || 1 + n % 3000)::uuid, 'debit', 'posted', (n % 9973) / 100.0,
       CASE WHEN n % 2 = 1 THEN 'BRL' ELSE 'EUR' END
FROM generate_series(50001, 75000) AS n;

INSERT INTO transactions (tenant_id, id, occurred_at, account_id, type, status, amount, currency)
SELECT (SELECT tenancy.current_tenant()), md5('transaction' || n)::uuid,
       date_trunc('month', now(), 'UTC') + INTERVAL '1 month'
           - make_interval(mins => 1 + (n * 11) % 570000),
       md5('account' || 1 + n % 3000)::uuid, 'credit', 'posted', (n % 9973) / 100.0,
       CASE WHEN n % 2 = 1 THEN 'BRL' ELSE 'EUR' END
FROM generate_series(75001, 100000) AS n;

-- Counter-entries of some of them.
SELECT count(reverse_transaction(md5('transaction' || n)::uuid, 'Returned'))
FROM generate_series(25001, 25100) AS n;

INSERT INTO receipts (tenant_id, id, user_id, transaction_id, amount, currency, image_s3_key, created_at)
SELECT (SELECT tenancy.current_tenant()), md5('receipt' || n)::uuid, md5('user' || 1 + n % 2000)::uuid,
       CASE WHEN n % 5 > 0 THEN md5('transaction' || 25000 + n)::uuid END, (n % 9973) / 100.0,
       'BRL', 'receipts/' || n, date_trunc('hour', now()) - make_interval(mins => n * 40)
FROM generate_series(1, 5000) AS n;

INSERT INTO products (tenant_id, id, sku, name, brand, category_id, price, currency)
SELECT (SELECT tenancy.current_tenant()), md5('product' || n)::uuid, 'SKU-' || n, 'Product ' || n, 'Brand ' || n % 40,
       md5('category' || 11 + n % 190)::uuid, 1 + (n % 2500) / 100.0, 'BRL'
FROM generate_series(1, 2500) AS n;

INSERT INTO receipt_items (tenant_id, receipt_id, line, product_id, description, amount)
SELECT (SELECT tenancy.current_tenant()), md5('receipt' || n)::uuid, line, md5('product' || 1 + (n * line) % 2500)::uuid, 'Line', 1.5
FROM generate_series(1, 5000) AS n, generate_series(1, 2) AS line;

INSERT INTO locations (tenant_id, id, name)
SELECT (SELECT tenancy.current_tenant()), md5('location' || n)::uuid, 'Shop ' || n FROM generate_series(1, 4) AS n;

INSERT INTO inventory (tenant_id, product_id, location_id)
SELECT (SELECT tenancy.current_tenant()), md5('product' || n)::uuid, md5('location' || shop)::uuid
FROM generate_series(1, 2500) AS n, generate_series(1, 4) AS shop;

INSERT INTO inventory_movements (tenant_id, product_id, location_id, reason, quantity_change, created_at)
SELECT (SELECT tenancy.current_tenant()), md5('product' || n)::uuid, md5('location' || shop)::uuid, 'restock',
       CASE WHEN n % 97 = 0 AND shop > 1 THEN 3 ELSE 500 END,
       date_trunc('hour', now()) - INTERVAL '400 days'
FROM generate_series(1, 2500) AS n, generate_series(1, 4) AS shop;

UPDATE inventory SET reorder_threshold = 5
WHERE quantity < 5 OR get_byte(sha256(product_id::text::bytea), 0) < 10;

INSERT INTO carts (tenant_id, id, user_id, expires_at, created_at)
SELECT (SELECT tenancy.current_tenant()), md5('cart' || n)::uuid, md5('user' || 1 + n % 2000)::uuid,
       date_trunc('hour', now()) + make_interval(days => 7, mins => -n * 5),
       date_trunc('hour', now()) - make_interval(mins => n * 5)
FROM generate_series(1, 4000) AS n;

INSERT INTO cart_items (tenant_id, cart_id, product_id, quantity)
SELECT (SELECT tenancy.current_tenant()), md5('cart' || n)::uuid, md5('product' || 1 + (n * line) % 2500)::uuid, line
FROM generate_series(1, 4000) AS n, generate_series(1, 2) AS line
ON CONFLICT DO NOTHING;

UPDATE carts SET checked_out_at = now() FROM generate_series(1, 4000) AS n
WHERE id = md5('cart' || n)::uuid AND n % 4 > 0;

INSERT INTO orders (tenant_id, id, user_id, cart_id, currency, created_at)
SELECT (SELECT tenancy.current_tenant()), md5('order' || n)::uuid, md5('user' || 1 + n % 2000)::uuid,
       CASE WHEN n <= 4000 AND n % 4 > 0 THEN md5('cart' || n)::uuid END, 'BRL',
       date_trunc('hour', now()) - make_interval(mins => n * 75)
FROM generate_series(1, 6000) AS n;

INSERT INTO order_items (tenant_id, order_id, product_id, location_id, quantity, unit_price)
SELECT (SELECT tenancy.current_tenant()), md5('order' || n)::uuid, md5('product' || 1 + (n + line * 31) % 2500)::uuid,
       md5('location1')::uuid, 1 + n % 3, 1 + (n % 2500) / 100.0
FROM generate_series(1, 6000) AS n, generate_series(1, 2) AS line;

UPDATE orders SET status = 'paid', payment_reference = 'pay' WHERE created_at < now() - INTERVAL '10 days';
UPDATE orders SET status = 'shipped'
WHERE status = 'paid' AND created_at < now() - INTERVAL '270 days';
UPDATE orders SET status = 'delivered'
WHERE status = 'shipped' AND created_at < now() - INTERVAL '280 days';

INSERT INTO audit_logs (tenant_id, entity, entity_id, action, user_id)
SELECT (SELECT tenancy.current_tenant()), 'products', md5('product' || 1 + n % 2500)::uuid, 'viewed', md5('user' || 1 + n % 2000)::uuid
FROM generate_series(1, 20000) AS n;

INSERT INTO events_outbox (tenant_id, event_id, aggregate, aggregate_id, event_type, payload, status, sent_at,
                           attempts)
SELECT (SELECT tenancy.current_tenant()), md5('event' || n)::uuid, 'order', md5('order' || 1 + n % 6000)::uuid, 'order.created', '{}',
       CASE WHEN n <= 19000 THEN 'sent' WHEN n <= 19050 THEN 'failed' ELSE 'pending' END,
       CASE WHEN n <= 19000 THEN now() END, 1
FROM generate_series(1, 20000) AS n;

INSERT INTO attachments (tenant_id, entity, entity_id, user_id, s3_key, file_name, content_type, size_bytes,
                         sha256)
SELECT (SELECT tenancy.current_tenant()), 'receipts', md5('receipt' || n)::uuid, md5('user' || 1 + n % 2000)::uuid, 'files/' || n,
       'scan.jpg', 'image/jpeg', 1000 + n, sha256(n::text::bytea)
FROM generate_series(1, 5000) AS n;

SELECT refresh_analytics(CURRENT_DATE - 200, CURRENT_DATE + 31);
