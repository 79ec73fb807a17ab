-- The supermarket: products, stock by location, carts, orders; and receipts with their items.

CREATE DOMAIN price AS numeric(12, 2) CHECK (VALUE >= 0 AND VALUE < 'NaN');
CREATE DOMAIN quantity AS integer CHECK (VALUE >= 0);
CREATE DOMAIN counted AS integer CHECK (VALUE > 0);

CREATE TABLE products (
    tenant_id   uuid          NOT NULL DEFAULT tenancy.current_tenant(),
    id          uuid          NOT NULL DEFAULT gen_random_uuid(),
    sku         short_text    NOT NULL,
    name        short_text    NOT NULL,
    description text,
    brand       short_text,
    category_id uuid,
    price       price         NOT NULL,
    currency    currency_code NOT NULL,
    tax_code    short_text,
    attributes  json_map      NOT NULL DEFAULT '{}',
    is_active   boolean       NOT NULL DEFAULT true,
    created_at  timestamptz   NOT NULL DEFAULT now(),
    updated_at  timestamptz   NOT NULL DEFAULT now(),
    PRIMARY KEY (id, tenant_id),
    FOREIGN KEY (tenant_id, category_id) REFERENCES categories (tenant_id, id)
);

CREATE UNIQUE INDEX ux_products_sku ON products (sku, tenant_id);
CREATE INDEX ix_products_category_name ON products (category_id, name, tenant_id);

CREATE TRIGGER products_touch BEFORE UPDATE ON products
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE locations (
    tenant_id  uuid         NOT NULL DEFAULT tenancy.current_tenant(),
    id         uuid         NOT NULL DEFAULT gen_random_uuid(),
    name       varchar(100) NOT NULL,
    created_at timestamptz  NOT NULL DEFAULT now(),
    PRIMARY KEY (id, tenant_id)
);

CREATE UNIQUE INDEX ux_locations_name ON locations (name, tenant_id);

-- What is there of a product in a location. The numbers are those of the movements; the row is made
-- by the application, with its threshold, before anything moves.
CREATE TABLE inventory (
    tenant_id         uuid     NOT NULL DEFAULT tenancy.current_tenant(),
    product_id        uuid     NOT NULL,
    location_id       uuid     NOT NULL,
    quantity          quantity NOT NULL DEFAULT 0,
    reserved          quantity NOT NULL DEFAULT 0,
    reorder_threshold quantity NOT NULL DEFAULT 0,
    last_restock_at   timestamptz,
    PRIMARY KEY (product_id, location_id, tenant_id),
    FOREIGN KEY (tenant_id, product_id) REFERENCES products (tenant_id, id),
    FOREIGN KEY (tenant_id, location_id) REFERENCES locations (tenant_id, id),
    CONSTRAINT inventory_reserved_is_there CHECK (reserved <= quantity)
);

CREATE INDEX ix_inventory_location_product ON inventory (location_id, product_id, tenant_id);
CREATE INDEX ix_inventory_low_stock ON inventory (location_id, product_id, tenant_id)
    WHERE quantity - reserved < reorder_threshold;

CREATE TABLE inventory_movements (
    tenant_id       uuid        NOT NULL DEFAULT tenancy.current_tenant(),
    id              uuid        NOT NULL DEFAULT gen_random_uuid(),
    product_id      uuid        NOT NULL,
    location_id     uuid        NOT NULL,
    order_id        uuid,
    reason          varchar(20) NOT NULL,
    quantity_change integer     NOT NULL DEFAULT 0,
    reserved_change integer     NOT NULL DEFAULT 0,
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, tenant_id),
    FOREIGN KEY (tenant_id, product_id, location_id)
        REFERENCES inventory (tenant_id, product_id, location_id),
    -- The direction of each kind; only a correction may go both ways.
    CONSTRAINT inventory_movements_reason_fits CHECK (
        CASE reason
            WHEN 'restock'     THEN quantity_change > 0 AND reserved_change = 0
            WHEN 'return'      THEN quantity_change > 0 AND reserved_change = 0
            WHEN 'waste'       THEN quantity_change < 0 AND reserved_change = 0
            WHEN 'correction'  THEN quantity_change <> 0 AND reserved_change = 0
            WHEN 'reservation' THEN quantity_change = 0 AND reserved_change > 0
            WHEN 'release'     THEN quantity_change = 0 AND reserved_change < 0
            WHEN 'sale'        THEN quantity_change < 0 AND reserved_change = quantity_change
            ELSE false END)
);

CREATE INDEX ix_inventory_movements_product_location_created
    ON inventory_movements (product_id, location_id, created_at DESC, tenant_id);

CREATE FUNCTION guard_inventory() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.quantity = 0 AND NEW.reserved = 0 THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'INSERT' OR (NEW.quantity, NEW.reserved) <> (OLD.quantity, OLD.reserved)
       AND NOT comes_from_trigger() THEN
        RAISE EXCEPTION 'stock is changed by inventory_movements only'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER inventory_guard BEFORE INSERT OR UPDATE ON inventory
    FOR EACH ROW EXECUTE FUNCTION guard_inventory();

-- What is reserved belongs to orders: released or sold by hand it would be missing when one ships.
CREATE FUNCTION move_inventory() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
DECLARE
    effect record;
BEGIN
    IF EXISTS (SELECT FROM added WHERE reserved_change <> 0) AND NOT comes_from_trigger() THEN
        RAISE EXCEPTION 'stock is reserved, released and sold by orders only'
            USING ERRCODE = 'restrict_violation';
    END IF;
    FOR effect IN
        SELECT tenant_id, product_id, location_id, sum(quantity_change) AS quantity_change,
               sum(reserved_change) AS reserved_change,
               max(created_at) FILTER (WHERE reason = 'restock') AS restocked_at
        FROM added
        GROUP BY tenant_id, product_id, location_id
        ORDER BY tenant_id, product_id, location_id
    LOOP
        UPDATE inventory
        SET quantity = quantity + effect.quantity_change,
            reserved = reserved + effect.reserved_change,
            last_restock_at = greatest(last_restock_at, effect.restocked_at)
        WHERE tenant_id = effect.tenant_id AND product_id = effect.product_id
          AND location_id = effect.location_id;
    END LOOP;
    RETURN NULL;
END
$$;

CREATE TRIGGER inventory_movements_move AFTER INSERT ON inventory_movements
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION move_inventory();
CREATE TRIGGER inventory_movements_are_final
    BEFORE UPDATE OR DELETE OR TRUNCATE ON inventory_movements
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE carts (
    tenant_id      uuid        NOT NULL DEFAULT tenancy.current_tenant(),
    id             uuid        NOT NULL DEFAULT gen_random_uuid(),
    user_id        uuid        NOT NULL,
    checked_out_at timestamptz,
    expires_at     timestamptz NOT NULL DEFAULT now() + INTERVAL '7 days',
    created_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, tenant_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);

CREATE INDEX ix_carts_user_created ON carts (user_id, created_at DESC, tenant_id);
CREATE INDEX ix_carts_expires ON carts (tenant_id, expires_at) WHERE checked_out_at IS NULL;

CREATE TABLE cart_items (
    tenant_id  uuid        NOT NULL DEFAULT tenancy.current_tenant(),
    cart_id    uuid        NOT NULL,
    product_id uuid        NOT NULL,
    quantity   counted     NOT NULL DEFAULT 1,
    added_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (cart_id, product_id, tenant_id),
    FOREIGN KEY (tenant_id, cart_id) REFERENCES carts (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, product_id) REFERENCES products (tenant_id, id)
);

CREATE FUNCTION refuse_reopening() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION 'cart % is checked out and stays so', OLD.id
        USING ERRCODE = 'check_violation', HINT = 'Begin another cart.';
END
$$;

CREATE TRIGGER carts_guard BEFORE UPDATE ON carts
    FOR EACH ROW WHEN (OLD.checked_out_at IS NOT NULL
        AND (NEW.checked_out_at IS DISTINCT FROM OLD.checked_out_at
             OR (NEW.id, NEW.user_id) <> (OLD.id, OLD.user_id)))
    EXECUTE FUNCTION refuse_reopening();

-- A cart that was checked out keeps its items: they are those of its order. The cart is updated and
-- not only locked, so that of an item and a checkout the second one sees the first, or fails where
-- its snapshot is older. Items go with a cart that is deleted, and with the tenant.
CREATE FUNCTION guard_cart_items() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
DECLARE
    is_checked_out boolean;
BEGIN
    IF is_purge(TG_OP, TG_RELID) THEN
        RETURN NULL;
    END IF;
    WITH touched AS (
        UPDATE carts SET expires_at = expires_at
        WHERE id IN (OLD.cart_id, NEW.cart_id) AND tenant_id IN (OLD.tenant_id, NEW.tenant_id)
        RETURNING checked_out_at)
    SELECT bool_or(checked_out_at IS NOT NULL) INTO is_checked_out FROM touched;
    IF is_checked_out THEN
        RAISE EXCEPTION 'the cart is checked out: its items do not change'
            USING ERRCODE = 'check_violation', HINT = 'Begin another cart.';
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER cart_items_guard AFTER INSERT OR UPDATE OR DELETE ON cart_items
    FOR EACH ROW EXECUTE FUNCTION guard_cart_items();

-- Orders begin empty with a total of zero; order_items adds to it.
CREATE DOMAIN order_status AS text
    CHECK (VALUE IN ('created', 'paid', 'shipped', 'delivered', 'cancelled'));

CREATE TABLE orders (
    tenant_id         uuid            NOT NULL DEFAULT tenancy.current_tenant(),
    id                uuid            NOT NULL DEFAULT gen_random_uuid(),
    user_id           uuid            NOT NULL,
    cart_id           uuid,
    status            order_status    NOT NULL DEFAULT 'created',
    total_amount      unsigned_amount NOT NULL DEFAULT 0,
    currency          currency_code   NOT NULL,
    shipping_address  json_map,
    payment_reference short_text,
    created_at        timestamptz     NOT NULL DEFAULT now(),
    updated_at        timestamptz     NOT NULL DEFAULT now(),
    PRIMARY KEY (id, tenant_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id),
    FOREIGN KEY (tenant_id, cart_id) REFERENCES carts (tenant_id, id)
);

CREATE UNIQUE INDEX ux_orders_cart ON orders (cart_id, tenant_id) WHERE cart_id IS NOT NULL;
CREATE INDEX ix_orders_user_created ON orders (user_id, created_at DESC, tenant_id);
CREATE INDEX ix_orders_status_created ON orders (tenant_id, status, created_at DESC);

-- The price is that of the day of the order.
CREATE TABLE order_items (
    tenant_id   uuid           NOT NULL DEFAULT tenancy.current_tenant(),
    order_id    uuid           NOT NULL,
    product_id  uuid           NOT NULL,
    location_id uuid           NOT NULL,
    quantity    counted        NOT NULL,
    unit_price  numeric(12, 2) NOT NULL,
    PRIMARY KEY (order_id, product_id, location_id, tenant_id),
    FOREIGN KEY (tenant_id, order_id) REFERENCES orders (tenant_id, id),
    FOREIGN KEY (tenant_id, product_id, location_id)
        REFERENCES inventory (tenant_id, product_id, location_id),
    CONSTRAINT order_items_price_is_possible CHECK (unit_price >= 0 AND unit_price < 'NaN')
);

CREATE INDEX ix_order_items_product ON order_items (product_id, location_id, tenant_id);

-- Adding items: reserves them, adds them to the total, while the order is just created.
CREATE FUNCTION take_order_items() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
DECLARE
    effect record;
    state  text;
BEGIN
    FOR effect IN
        SELECT tenant_id, order_id, sum(quantity * unit_price) AS amount
        FROM added GROUP BY tenant_id, order_id ORDER BY tenant_id, order_id
    LOOP
        UPDATE orders SET total_amount = total_amount + effect.amount
        WHERE tenant_id = effect.tenant_id AND id = effect.order_id
        RETURNING status INTO state;
        IF state <> 'created' THEN
            RAISE EXCEPTION 'order % takes no more items', effect.order_id
                USING ERRCODE = 'check_violation';
        END IF;
    END LOOP;
    INSERT INTO inventory_movements
        (tenant_id, product_id, location_id, order_id, reason, reserved_change)
    SELECT tenant_id, product_id, location_id, order_id, 'reservation', quantity FROM added;
    RETURN NULL;
END
$$;

CREATE TRIGGER order_items_take AFTER INSERT ON order_items
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION take_order_items();
CREATE TRIGGER order_items_are_final BEFORE UPDATE OR DELETE OR TRUNCATE ON order_items
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- created -> paid -> shipped -> delivered, and cancelled until it is shipped. What was reserved is
-- sold when it leaves, and free again when the order is cancelled.
CREATE FUNCTION guard_order() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.status <> 'created' OR NEW.total_amount <> 0 THEN
            RAISE EXCEPTION 'an order begins as created, without items'
                USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.total_amount <> OLD.total_amount AND NOT comes_from_trigger()
       OR (NEW.currency, NEW.user_id) <> (OLD.currency, OLD.user_id)
       OR NEW.cart_id IS DISTINCT FROM OLD.cart_id THEN
        RAISE EXCEPTION 'total, currency, user and cart of an order do not change'
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.status <> OLD.status THEN
        IF (OLD.status, NEW.status) NOT IN (('created', 'paid'), ('created', 'cancelled'),
            ('paid', 'shipped'), ('paid', 'cancelled'), ('shipped', 'delivered')) THEN
            RAISE EXCEPTION 'an order that is % cannot be %', OLD.status, NEW.status
                USING ERRCODE = 'check_violation';
        END IF;
        IF NEW.status IN ('shipped', 'cancelled') THEN
            INSERT INTO inventory_movements (tenant_id, product_id, location_id, order_id, reason,
                                             quantity_change, reserved_change)
            SELECT tenant_id, product_id, location_id, order_id,
                   CASE NEW.status WHEN 'shipped' THEN 'sale' ELSE 'release' END,
                   CASE NEW.status WHEN 'shipped' THEN -quantity ELSE 0 END, -quantity
            FROM order_items WHERE tenant_id = NEW.tenant_id AND order_id = NEW.id;
        END IF;
    END IF;
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

CREATE TRIGGER orders_guard BEFORE INSERT OR UPDATE ON orders
    FOR EACH ROW EXECUTE FUNCTION guard_order();

-- Makes an order of a cart, at today's prices, out of the stock of one location; its id. A cart
-- becomes one order: the second call finds it checked out, or waits for the first.
CREATE FUNCTION checkout_cart(cart_id uuid, location_id uuid, shipping_address jsonb DEFAULT NULL)
RETURNS uuid
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
#variable_conflict use_column
DECLARE
    cart carts;
    made uuid;
BEGIN
    UPDATE carts SET checked_out_at = now()
    WHERE id = checkout_cart.cart_id AND checked_out_at IS NULL AND expires_at > now()
    RETURNING * INTO cart;
    IF cart.id IS NULL THEN
        RAISE EXCEPTION 'cart % is checked out, expired or not there', checkout_cart.cart_id
            USING ERRCODE = 'check_violation';
    END IF;
    -- One statement: the currency is that of the very prices that the order gets.
    WITH items AS MATERIALIZED (
        SELECT i.product_id, i.quantity, p.price, p.currency
        FROM cart_items i JOIN products p ON p.tenant_id = i.tenant_id AND p.id = i.product_id
        WHERE i.tenant_id = cart.tenant_id AND i.cart_id = cart.id
    ), new_order AS (
        INSERT INTO orders (tenant_id, user_id, cart_id, currency, shipping_address)
        SELECT cart.tenant_id, cart.user_id, cart.id, min(currency), checkout_cart.shipping_address
        FROM items HAVING count(DISTINCT currency) = 1
        RETURNING id
    ), new_items AS (
        INSERT INTO order_items
            (tenant_id, order_id, product_id, location_id, quantity, unit_price)
        SELECT cart.tenant_id, o.id, i.product_id, checkout_cart.location_id, i.quantity, i.price
        FROM new_order o, items i
    )
    SELECT id INTO made FROM new_order;
    IF made IS NULL THEN
        RAISE EXCEPTION 'cart % is empty or has prices in several currencies', cart.id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN made;
END
$$;

CREATE TABLE receipts (
    tenant_id      uuid            NOT NULL DEFAULT tenancy.current_tenant(),
    id             uuid            NOT NULL DEFAULT gen_random_uuid(),
    user_id        uuid            NOT NULL,
    transaction_id uuid,
    amount         unsigned_amount NOT NULL,
    currency       currency_code   NOT NULL,
    ocr_data       json_map        NOT NULL DEFAULT '{}',
    image_s3_key   short_text,
    created_at     timestamptz     NOT NULL DEFAULT now(),
    PRIMARY KEY (id, tenant_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id),
    FOREIGN KEY (tenant_id, transaction_id)
        REFERENCES transaction_keys (tenant_id, transaction_id)
);

CREATE INDEX ix_receipts_user_created ON receipts (user_id, created_at DESC, tenant_id);
CREATE INDEX ix_receipts_transaction ON receipts (transaction_id, tenant_id)
    WHERE transaction_id IS NOT NULL;

-- As read from the paper: a line's amount need not be its quantity times its price.
CREATE TABLE receipt_items (
    tenant_id   uuid            NOT NULL DEFAULT tenancy.current_tenant(),
    receipt_id  uuid            NOT NULL,
    line        counted         NOT NULL,
    product_id  uuid,
    description short_text      NOT NULL,
    quantity    unsigned_amount NOT NULL DEFAULT 1,
    amount      amount          NOT NULL,
    PRIMARY KEY (receipt_id, line, tenant_id),
    FOREIGN KEY (tenant_id, receipt_id) REFERENCES receipts (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, product_id) REFERENCES products (tenant_id, id)
);

CREATE INDEX ix_receipt_items_product ON receipt_items (product_id, tenant_id)
    WHERE product_id IS NOT NULL;
