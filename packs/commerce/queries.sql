-- What the application of a shop asks of its tenant, and the indexes that answer it.

-- query: sign-in, a customer by email
-- values: SELECT email FROM customers WHERE status = 'ACTIVE' ORDER BY id LIMIT 1
-- plan: index=idx_customers_email
SELECT id, name, price_list_id FROM customers WHERE email = $1 AND status = 'ACTIVE';

-- query: active customers, newest first, the page after a given one
-- values: SELECT created_at, id FROM customers WHERE status = 'ACTIVE' ORDER BY created_at DESC LIMIT 1
-- plan: index=idx_active_customers
SELECT id, email, name, created_at FROM customers
WHERE status = 'ACTIVE' AND created_at <= $1 AND (created_at < $1 OR id > $2)
ORDER BY created_at DESC, id LIMIT 25;

-- query: addresses of a customer
-- values: SELECT customer_id FROM addresses ORDER BY id LIMIT 1
-- plan: index=ix_addresses_customer_id
SELECT * FROM addresses WHERE customer_id = $1;

-- query: default address of a customer
-- values: SELECT customer_id FROM addresses ORDER BY id LIMIT 1
-- plan: index=ux_addresses_default
SELECT * FROM addresses WHERE customer_id = $1 AND is_default;

-- query: subcategories in their order
-- values: SELECT parent_id FROM categories WHERE parent_id IS NOT NULL ORDER BY id LIMIT 1
-- plan: index=ix_categories_parent_id
SELECT id, slug, name FROM categories WHERE parent_id = $1 ORDER BY position LIMIT 5;

-- query: active products of a category by name
-- values: SELECT category_id FROM products WHERE category_id IS NOT NULL ORDER BY id LIMIT 1
-- plan: index=idx_products_category
-- plan: noseq=products
SELECT id, slug, name FROM products WHERE category_id = $1 AND status = 'ACTIVE' ORDER BY name LIMIT 24;

-- query: products by words
-- values: SELECT 'word123 wood'
-- plan: index=ix_products_search
SELECT id, slug, name FROM products
WHERE search @@ plainto_tsquery('simple', $1) AND status = 'ACTIVE' LIMIT 24;

-- query: a product's page
-- values: SELECT slug FROM products ORDER BY id LIMIT 1
-- plan: index=products_slug_key
-- plan: index=ix_product_variants_product_id
SELECT p.id, p.name, p.description, v.id AS variant_id, v.sku, v.options
FROM products AS p JOIN product_variants AS v ON v.product_id = p.id AND v.is_active WHERE p.slug = $1;

-- query: a variant by SKU
-- values: SELECT sku FROM product_variants ORDER BY id LIMIT 1
-- plan: index=product_variants_sku_key
SELECT id, product_id, name FROM product_variants WHERE sku = $1;

-- query: a variant by the code that was scanned
-- values: SELECT barcode FROM product_variants WHERE barcode IS NOT NULL ORDER BY id LIMIT 1
-- plan: index=ix_product_variants_barcode
SELECT id, sku, name FROM product_variants WHERE barcode = $1;

-- query: the price of a variant now, for a number of pieces
-- values: SELECT price_list_id, variant_id FROM prices ORDER BY variant_id LIMIT 1
-- plan: index=prices_pkey
SELECT DISTINCT ON (min_quantity) min_quantity, amount FROM prices
WHERE price_list_id = $1 AND variant_id = $2 AND valid_from <= now() AND min_quantity <= 10
ORDER BY min_quantity DESC, valid_from DESC LIMIT 1;

-- query: price changes of a list that begin this week
-- values: SELECT id FROM price_lists WHERE code = 'default'
-- plan: index=ix_prices_price_list_id
SELECT variant_id, min_quantity, valid_from, amount FROM prices
WHERE price_list_id = $1 AND valid_from > now() AND valid_from < now() + INTERVAL '7 days' ORDER BY valid_from;

-- query: the tax rate for a class and country today
-- values: SELECT tax_class_id, country FROM tax_rates LIMIT 1
-- plan: noseq=products
SELECT rate FROM tax_rates
WHERE tax_class_id = $1 AND country = $2 AND region = '' AND valid_from <= CURRENT_DATE
ORDER BY valid_from DESC LIMIT 1;

-- query: what can be sold of a variant, by location
-- values: SELECT variant_id FROM stock_levels ORDER BY variant_id LIMIT 1
-- plan: index=stock_levels_pkey
SELECT location_id, on_hand - reserved AS available FROM stock_levels WHERE variant_id = $1;

-- query: what a location must order again
-- values: SELECT location_id FROM stock_levels WHERE on_hand - reserved <= reorder_level LIMIT 1
-- plan: index=ix_stock_levels_low
SELECT variant_id, on_hand - reserved AS available, reorder_level FROM stock_levels
WHERE location_id = $1 AND on_hand - reserved <= reorder_level;

-- query: the ledger of a variant at a location, newest first
-- values: SELECT variant_id, location_id FROM stock_levels ORDER BY variant_id LIMIT 1
-- plan: index=ix_stock_moves_variant_id
SELECT at, kind, quantity, reference FROM stock_moves
WHERE variant_id = $1 AND location_id = $2 ORDER BY at DESC LIMIT 50;

-- query: who holds pieces of a variant
-- values: SELECT variant_id, location_id FROM reservations WHERE status = 'HELD' ORDER BY id LIMIT 1
-- plan: index=ix_reservations_held
SELECT id, quantity, cart_id, order_line_id, expires_at FROM reservations
WHERE variant_id = $1 AND location_id = $2 AND status = 'HELD';

-- query: hold a piece for a cart
-- values: SELECT variant_id, location_id, (SELECT id FROM carts ORDER BY id LIMIT 1) FROM stock_levels WHERE on_hand > reserved ORDER BY variant_id LIMIT 1
-- plan: noseq=stock_levels
INSERT INTO reservations (variant_id, location_id, quantity, cart_id, expires_at)
VALUES ($1, $2, 1, $3, now() + INTERVAL '30 minutes') RETURNING id;

-- query: let go of what expired, a batch at a time
-- plan: index=ix_reservations_expires_at
-- plan: index=reservations_pkey
UPDATE reservations SET status = 'EXPIRED'
WHERE id IN (SELECT id FROM reservations WHERE status = 'HELD' AND expires_at < now()
             ORDER BY expires_at LIMIT 20 FOR UPDATE SKIP LOCKED);

-- query: the reservations of a cart
-- values: SELECT cart_id FROM reservations WHERE cart_id IS NOT NULL ORDER BY id LIMIT 1
-- plan: index=ix_reservations_cart_id
SELECT id, variant_id, quantity, expires_at FROM reservations WHERE cart_id = $1 AND status = 'HELD';

-- query: the newest open cart of a customer with its items
-- values: SELECT customer_id FROM carts WHERE status = 'OPEN' ORDER BY id LIMIT 1
-- plan: index=ix_carts_customer_id
-- plan: index=cart_items_pkey
SELECT c.id, i.variant_id, i.quantity
FROM (SELECT id FROM carts WHERE customer_id = $1 AND status = 'OPEN' ORDER BY updated_at DESC LIMIT 1) AS c
JOIN cart_items AS i ON i.cart_id = c.id;

-- query: carts left alone for a day
-- plan: index=ix_carts_open
SELECT id, customer_id FROM carts
WHERE status = 'OPEN' AND updated_at < now() - INTERVAL '1 day' ORDER BY updated_at LIMIT 100;

-- query: a discount by its code
-- values: SELECT code FROM discounts ORDER BY id LIMIT 1
-- plan: index=discounts_code_key
SELECT id, rate, amount, currency, min_amount FROM discounts
WHERE code = $1 AND valid_from <= now() AND valid_until > now() AND (max_uses IS NULL OR used_count < max_uses);

-- query: how often a customer used a discount
-- values: SELECT discount_id, customer_id FROM discount_uses ORDER BY order_id LIMIT 1
-- plan: index=ix_discount_uses_discount_id
SELECT count(*) FROM discount_uses WHERE discount_id = $1 AND customer_id = $2;

-- query: an order by its number
-- values: SELECT number FROM orders ORDER BY id LIMIT 1
-- plan: index=orders_number_key
SELECT id, status, currency, total_amount, placed_at FROM orders WHERE number = $1;

-- query: orders of a customer, newest first
-- values: SELECT customer_id FROM orders ORDER BY id LIMIT 1
-- plan: index=ix_orders_customer_id
SELECT id, number, status, total_amount, created_at FROM orders
WHERE customer_id = $1 ORDER BY created_at DESC LIMIT 20;

-- query: all orders, newest first, the page after a given one
-- values: SELECT created_at, id FROM orders ORDER BY created_at DESC LIMIT 1
-- plan: index=ix_orders_created_at
SELECT id, number, status, total_amount FROM orders
WHERE created_at <= $1 AND (created_at < $1 OR id > $2) ORDER BY created_at DESC, id LIMIT 50;

-- query: orders that wait for payment, oldest first
-- plan: index=ix_orders_open
SELECT id, number, total_amount, placed_at FROM orders
WHERE status = 'PLACED' ORDER BY placed_at LIMIT 50;

-- query: an order with its lines
-- values: SELECT id FROM orders ORDER BY id LIMIT 1
-- plan: index=ix_order_lines_order_id
-- plan: index=orders_pkey
SELECT o.number, l.name, l.quantity, l.unit_amount, l.discount_amount, l.tax_amount
FROM orders AS o JOIN order_lines AS l ON l.order_id = o.id WHERE o.id = $1;

-- query: place an order
-- values: SELECT o.id FROM orders AS o WHERE o.status = 'DRAFT' AND EXISTS (SELECT FROM order_lines AS l WHERE l.order_id = o.id) ORDER BY o.id LIMIT 1
-- plan: index=orders_pkey
UPDATE orders SET status = 'PLACED' WHERE id = $1 RETURNING number, total_amount;

-- query: pieces sold of a variant
-- values: SELECT variant_id FROM order_lines ORDER BY id LIMIT 1
-- plan: index=ix_order_lines_variant_id
SELECT sum(l.quantity - l.returned_quantity) FROM order_lines AS l WHERE l.variant_id = $1;

-- query: payments of an order and what went back
-- values: SELECT order_id FROM payments ORDER BY id LIMIT 1
-- plan: index=ix_payments_order_id
SELECT id, status, amount, refunded_amount FROM payments WHERE order_id = $1;

-- query: the payment that a provider reports about
-- values: SELECT provider, provider_reference FROM payments ORDER BY id LIMIT 1
-- plan: index=ux_payments_provider_reference
SELECT id, order_id, status FROM payments WHERE provider = $1 AND provider_reference = $2;

-- query: refunds of a payment
-- values: SELECT payment_id FROM refunds ORDER BY id LIMIT 1
-- plan: index=ix_refunds_payment_id
SELECT id, status, amount, reason FROM refunds WHERE payment_id = $1;

-- query: what a location has to pack, oldest first
-- values: SELECT location_id FROM shipments WHERE status = 'PENDING' ORDER BY id LIMIT 1
-- plan: index=ix_shipments_pending
SELECT id, order_id, created_at FROM shipments
WHERE location_id = $1 AND status = 'PENDING' ORDER BY created_at LIMIT 50;

-- query: shipments of an order with their pieces
-- values: SELECT order_id FROM shipments ORDER BY id LIMIT 1
-- plan: index=ix_shipments_order_id
-- plan: index=shipment_lines_pkey
SELECT s.id, s.status, s.tracking, l.order_line_id, l.quantity
FROM shipments AS s JOIN shipment_lines AS l ON l.shipment_id = s.id WHERE s.order_id = $1;

-- query: the shipment that a carrier reports about
-- values: SELECT tracking FROM shipments WHERE tracking IS NOT NULL ORDER BY id LIMIT 1
-- plan: index=ix_shipments_tracking
SELECT id, order_id, status FROM shipments WHERE tracking = $1;

-- query: returns that wait, oldest first
-- plan: index=ix_returns_open
SELECT id, order_id, status, created_at FROM returns
WHERE status IN ('REQUESTED', 'APPROVED') ORDER BY created_at LIMIT 50;

-- query: webhook calls that are due, taken by one worker
-- plan: index=ix_webhook_deliveries_due
SELECT id, endpoint_id, event, payload FROM webhook_deliveries
WHERE status = 'PENDING' AND next_attempt_at <= now()
ORDER BY next_attempt_at LIMIT 20 FOR UPDATE SKIP LOCKED;

-- query: the last hour of the audit log
-- plan: pruned=audit_log:2
-- plan: index=ix_audit_log_at
SELECT at, login, actor, action, table_name, row_id FROM audit_log
WHERE at > now() - INTERVAL '1 hour' AND at <= now() ORDER BY at DESC LIMIT 100;

-- query: what happened to one row
-- values: SELECT row_id FROM audit_log WHERE table_name = 'orders' ORDER BY row_id LIMIT 1
-- plan: index=ix_audit_log_row_id
SELECT at, login, actor, action, changes FROM audit_log
WHERE row_id = $1 AND table_name = 'orders' ORDER BY at DESC LIMIT 50;
