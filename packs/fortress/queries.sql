-- What a finance and supermarket application asks as one of its tenants' roles, the same text in both
-- tiers. Look-ups by an id or a code do not name the tenant. Lists by time or state over a whole table
-- compare tenant_id with tenancy.current_tenant(). The row tier would do so anyway, and in the schema
-- tier it makes the front of the index known.

-- query: sign in, by an address that the application put in lower case
-- values: SELECT email::text FROM users WHERE email IS NOT NULL LIMIT 1
-- plan: index=ux_users_tenant_email
-- plan: noseq=users
SELECT id, password_hash, is_active FROM users WHERE email = $1;

-- query: sign in by telephone
-- values: SELECT phone::text FROM users WHERE phone IS NOT NULL LIMIT 1
-- plan: index=ux_users_tenant_phone
SELECT id, password_hash, is_active FROM users WHERE phone = $1;

-- query: people who were deleted and wait for the purge
-- plan: index=ix_users_deleted
SELECT id, deleted_at FROM users
WHERE tenant_id = tenancy.current_tenant() AND deleted_at < now() - INTERVAL '80 days'
ORDER BY deleted_at LIMIT 100;

-- query: the accounts of a person, with their balances
-- values: SELECT user_id FROM accounts WHERE user_id IS NOT NULL LIMIT 1
-- plan: index=ix_accounts_user
SELECT id, name, type, currency, balance FROM accounts WHERE user_id = $1;

-- query: what all accounts of a type hold, by currency
-- plan: index=ix_accounts_tenant_type
SELECT currency, count(*), sum(balance) FROM accounts
WHERE tenant_id = tenancy.current_tenant() AND type = 'savings' GROUP BY currency;

-- query: statement of an account for this month, newest first, transfers from both sides
-- values: SELECT id FROM accounts LIMIT 1
-- plan: index=ix_transactions_account_occurred
-- plan: index=ix_transactions_counterparty_occurred
-- plan: pruned=transactions:2
SELECT occurred_at, transaction_id, type, status, amount, currency, description
FROM ledger_entries
WHERE account_id = $1 AND occurred_at >= date_trunc('month', now(), 'UTC')
  AND occurred_at < date_trunc('month', now(), 'UTC') + INTERVAL '1 month'
ORDER BY occurred_at DESC LIMIT 50;

-- query: the newest transactions of everybody
-- plan: index=ix_transactions_tenant_occurred
-- plan: pruned=transactions:1
SELECT occurred_at, id, account_id, type, status, amount, currency
FROM transactions
WHERE tenant_id = tenancy.current_tenant()
  AND occurred_at >= date_trunc('month', now(), 'UTC')
  AND occurred_at < date_trunc('month', now(), 'UTC') + INTERVAL '1 month'
ORDER BY occurred_at DESC LIMIT 50;

-- query: what was spent in a category this month
-- values: SELECT category_id FROM transactions WHERE category_id IS NOT NULL LIMIT 1
-- plan: index=ix_transactions_category_occurred
-- plan: pruned=transactions:1
SELECT currency, count(*), sum(amount)
FROM transactions
WHERE category_id = $1 AND status = 'posted' AND type IN ('debit', 'fee')
  AND occurred_at >= date_trunc('month', now(), 'UTC')
  AND occurred_at < date_trunc('month', now(), 'UTC') + INTERVAL '1 month'
GROUP BY currency;

-- query: the newest purchases at a merchant
-- values: SELECT merchant_id FROM transactions WHERE merchant_id IS NOT NULL LIMIT 1
-- plan: index=ix_transactions_merchant_occurred
-- plan: noseq=transactions
SELECT occurred_at, id, account_id, amount, currency
FROM transactions WHERE merchant_id = $1 ORDER BY occurred_at DESC LIMIT 20;

-- query: a request that came before: what was made of it
-- values: SELECT idempotency_key FROM transaction_keys WHERE idempotency_key IS NOT NULL LIMIT 1
-- plan: index=ux_transaction_keys_idempotency
SELECT transaction_id, occurred_at, status FROM transaction_keys WHERE idempotency_key = $1;

-- query: one transaction, in the one month where it is
-- values: SELECT transaction_id, occurred_at FROM transaction_keys LIMIT 1
-- plan: pruned=transactions:1
-- plan: noseq=transactions
SELECT * FROM transactions WHERE id = $1 AND occurred_at = $2;

-- query: where a transaction stands: posted, failed, reversed, and by which row
-- values: SELECT original_id FROM transaction_keys WHERE original_id IS NOT NULL LIMIT 1
-- plan: index=transaction_keys_pkey
-- plan: index=ux_transaction_keys_original
SELECT state, successor_id FROM transaction_states WHERE transaction_id = $1;

-- query: the children of a category, by name
-- values: SELECT parent_id FROM categories WHERE parent_id IS NOT NULL LIMIT 1
-- plan: index=ux_categories_parent_name
SELECT id, name FROM categories WHERE parent_id = $1 ORDER BY name;

-- query: a category with all that is below it
-- values: SELECT parent_id FROM categories WHERE parent_id IS NOT NULL LIMIT 1
-- plan: index=ux_categories_parent_name
WITH RECURSIVE below AS (
    SELECT id, name FROM categories WHERE id = $1
    UNION ALL
    SELECT c.id, c.name FROM below b JOIN categories c ON c.parent_id = b.id
)
SELECT id, name FROM below;

-- query: a merchant by the code on a bank's statement
-- values: SELECT merchant_code::text FROM merchants LIMIT 1
-- plan: index=ux_merchants_code
SELECT id, name FROM merchants WHERE merchant_code = $1;

-- query: the newest receipts of a person
-- values: SELECT user_id FROM receipts LIMIT 1
-- plan: index=ix_receipts_user_created
SELECT id, created_at, amount, currency, transaction_id
FROM receipts WHERE user_id = $1 ORDER BY created_at DESC LIMIT 20;

-- query: the receipt of a transaction, with its lines
-- values: SELECT transaction_id FROM receipts WHERE transaction_id IS NOT NULL LIMIT 1
-- plan: index=ix_receipts_transaction
-- plan: index=receipt_items_pkey
SELECT r.id, r.image_s3_key, i.line, i.description, i.quantity, i.amount
FROM receipts r LEFT JOIN receipt_items i ON i.tenant_id = r.tenant_id AND i.receipt_id = r.id
WHERE r.transaction_id = $1 ORDER BY r.id, i.line;

-- query: what a product cost on all receipts
-- values: SELECT product_id FROM receipt_items WHERE product_id IS NOT NULL LIMIT 1
-- plan: index=ix_receipt_items_product
SELECT receipt_id, quantity, amount FROM receipt_items WHERE product_id = $1;

-- query: a product by the code on its package
-- values: SELECT sku::text FROM products LIMIT 1
-- plan: index=ux_products_sku
SELECT id, name, price, currency FROM products WHERE sku = $1 AND is_active;

-- query: the products of a category, by name
-- values: SELECT category_id FROM products WHERE category_id IS NOT NULL LIMIT 1
-- plan: index=ix_products_category_name
SELECT id, name, price, currency FROM products WHERE category_id = $1 ORDER BY name LIMIT 50;

-- query: where a product is in stock
-- values: SELECT product_id FROM inventory LIMIT 1
-- plan: index=inventory_pkey
SELECT location_id, quantity - reserved AS available FROM inventory WHERE product_id = $1;

-- query: the stock of a location, page by page
-- values: SELECT location_id FROM inventory LIMIT 1
-- plan: index=ix_inventory_location_product
SELECT product_id, quantity, reserved FROM inventory
WHERE location_id = $1 ORDER BY product_id LIMIT 50;

-- query: what a location must order
-- values: SELECT location_id FROM inventory WHERE quantity - reserved < reorder_threshold LIMIT 1
-- plan: index=ix_inventory_low_stock
SELECT product_id, quantity, reserved, reorder_threshold FROM inventory
WHERE location_id = $1 AND quantity - reserved < reorder_threshold;

-- query: the last movements of a product in a location
-- values: SELECT product_id, location_id FROM inventory_movements LIMIT 1
-- plan: index=ix_inventory_movements_product_location_created
SELECT created_at, reason, quantity_change, reserved_change, order_id
FROM inventory_movements WHERE product_id = $1 AND location_id = $2
ORDER BY created_at DESC LIMIT 20;

-- query: the open cart of a person
-- values: SELECT user_id FROM carts WHERE checked_out_at IS NULL LIMIT 1
-- plan: index=ix_carts_user_created
SELECT id, expires_at FROM carts
WHERE user_id = $1 AND checked_out_at IS NULL AND expires_at > now()
ORDER BY created_at DESC LIMIT 1;

-- query: what is in a cart, at today's prices
-- values: SELECT cart_id FROM cart_items LIMIT 1
-- plan: index=cart_items_pkey
-- plan: index=products_pkey
SELECT p.sku, p.name, i.quantity, p.price, i.quantity * p.price AS total
FROM cart_items i JOIN products p ON p.tenant_id = i.tenant_id AND p.id = i.product_id
WHERE i.cart_id = $1;

-- query: carts that expired, to be deleted
-- plan: index=ix_carts_expires
SELECT id FROM carts
WHERE tenant_id = tenancy.current_tenant() AND checked_out_at IS NULL AND expires_at < now()
ORDER BY expires_at LIMIT 100;

-- query: the newest orders of a person
-- values: SELECT user_id FROM orders LIMIT 1
-- plan: index=ix_orders_user_created
SELECT id, created_at, status, total_amount, currency
FROM orders WHERE user_id = $1 ORDER BY created_at DESC LIMIT 20;

-- query: orders on their way, oldest first
-- plan: index=ix_orders_status_created
SELECT id, user_id, created_at, total_amount FROM orders
WHERE tenant_id = tenancy.current_tenant() AND status = 'shipped' ORDER BY created_at LIMIT 50;

-- query: the order that a cart became
-- values: SELECT cart_id FROM orders WHERE cart_id IS NOT NULL LIMIT 1
-- plan: index=ux_orders_cart
SELECT id, status FROM orders WHERE cart_id = $1;

-- query: the lines of an order
-- values: SELECT order_id FROM order_items LIMIT 1
-- plan: index=order_items_pkey
SELECT product_id, location_id, quantity, unit_price FROM order_items WHERE order_id = $1;

-- query: who ordered a product
-- values: SELECT product_id FROM order_items LIMIT 1
-- plan: index=ix_order_items_product
SELECT order_id, quantity, unit_price FROM order_items WHERE product_id = $1;

-- query: the last day of the audit log
-- plan: index=ix_audit_logs_tenant_created
-- plan: pruned=audit_logs:2
SELECT created_at, entity, entity_id, action, user_id FROM audit_logs
WHERE tenant_id = tenancy.current_tenant()
  AND created_at > now() - INTERVAL '1 day' AND created_at <= now()
ORDER BY created_at DESC LIMIT 100;

-- query: the history of one thing
-- values: SELECT entity::text, entity_id FROM audit_logs WHERE entity = 'products' LIMIT 1
-- plan: index=ix_audit_logs_entity_created
SELECT created_at, action, user_id, diff FROM audit_logs
WHERE entity = $1 AND entity_id = $2 ORDER BY created_at DESC LIMIT 50;

-- query: what a person did
-- values: SELECT user_id FROM audit_logs WHERE user_id IS NOT NULL LIMIT 1
-- plan: index=ix_audit_logs_user_created
SELECT created_at, entity, entity_id, action FROM audit_logs
WHERE user_id = $1 ORDER BY created_at DESC LIMIT 50;

-- query: the events that wait to be published, in order
-- plan: index=ix_outbox_status
SELECT id, event_id, event_type, payload FROM events_outbox
WHERE tenant_id = tenancy.current_tenant() AND status = 'pending' ORDER BY id LIMIT 100;

-- query: the files of a thing
-- values: SELECT entity::text, entity_id FROM attachments LIMIT 1
-- plan: index=ix_attachments_entity
SELECT id, file_name, content_type, s3_key FROM attachments WHERE entity = $1 AND entity_id = $2;

-- query: spending by top category and month, out of the facts
-- values: SELECT category_id FROM analytics_fact_transactions WHERE category_id IS NOT NULL LIMIT 1
-- plan: index=ix_analytics_fact_transactions_category_date
SELECT d.year, d.month, f.currency, -sum(f.amount) AS spent
FROM analytics_fact_transactions f
JOIN analytics_dim_dates d ON d.tenant_id = f.tenant_id AND d.date = f.date
WHERE f.category_id = $1 AND f.date >= CURRENT_DATE - 365
GROUP BY d.year, d.month, f.currency ORDER BY d.year, d.month;

-- query: the facts of a week, for a chart
-- plan: index=ux_analytics_fact_transactions_date
SELECT date, type, sum(transaction_count), sum(amount) FROM analytics_fact_transactions
WHERE tenant_id = tenancy.current_tenant() AND date > CURRENT_DATE - 7 AND date <= CURRENT_DATE GROUP BY date, type;

-- query: what sold best in a week
-- plan: index=analytics_fact_sales_pkey
SELECT product_id, currency, sum(quantity) AS quantity, sum(amount) AS amount
FROM analytics_fact_sales
WHERE tenant_id = tenancy.current_tenant() AND date > CURRENT_DATE - 7 AND date <= CURRENT_DATE
GROUP BY product_id, currency ORDER BY amount DESC LIMIT 10;
