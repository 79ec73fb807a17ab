-- Stock by location with its ledger, carts, and what is held for carts and orders.

CREATE TABLE locations (
    id        uuid         PRIMARY KEY DEFAULT gen_random_uuid(),
    code      varchar(50)  NOT NULL UNIQUE,
    name      varchar(200) NOT NULL,
    country   varchar(2),
    is_active boolean      NOT NULL DEFAULT true
);

-- on_hand is the sum of stock_moves, reserved that of the reservations held. Only the triggers of
-- those two tables write them; the CHECK is what keeps two buyers from having the last piece: the
-- second one's update waits for the first and then fails.
CREATE TABLE stock_levels (
    variant_id    uuid    NOT NULL REFERENCES product_variants (id),
    location_id   uuid    NOT NULL REFERENCES locations (id),
    on_hand       integer NOT NULL DEFAULT 0,
    reserved      integer NOT NULL DEFAULT 0,
    reorder_level integer NOT NULL DEFAULT 0,
    PRIMARY KEY (variant_id, location_id),
    CONSTRAINT stock_levels_cover_reservations CHECK (reserved BETWEEN 0 AND on_hand)
);

CREATE INDEX ix_stock_levels_low ON stock_levels (location_id)
    WHERE on_hand - reserved <= reorder_level;

CREATE TRIGGER stock_levels_begin_empty BEFORE INSERT ON stock_levels
    FOR EACH ROW WHEN ((NEW.on_hand <> 0 OR NEW.reserved <> 0) AND NOT comes_from_trigger(1))
    EXECUTE FUNCTION refuse_write('stock is changed by stock_moves and reservations');
CREATE TRIGGER stock_levels_follow BEFORE UPDATE ON stock_levels
    FOR EACH ROW WHEN ((NEW.variant_id, NEW.location_id, NEW.on_hand, NEW.reserved)
            IS DISTINCT FROM (OLD.variant_id, OLD.location_id, OLD.on_hand, OLD.reserved)
        AND NOT comes_from_trigger(1))
    EXECUTE FUNCTION refuse_write('stock is changed by stock_moves and reservations');
CREATE TRIGGER stock_levels_stay BEFORE DELETE ON stock_levels
    FOR EACH ROW WHEN (OLD.on_hand <> 0)
    EXECUTE FUNCTION refuse_write('there is stock left at the location');

-- The ledger. A transfer is two rows in one transaction.
CREATE TABLE stock_moves (
    variant_id  uuid        NOT NULL,
    location_id uuid        NOT NULL,
    at          timestamptz NOT NULL DEFAULT now(),
    quantity    integer     NOT NULL,
    kind        varchar(20) NOT NULL,
    reference   uuid,
    CONSTRAINT stock_moves_kind_has_sign CHECK (CASE kind
        WHEN 'RECEIPT' THEN quantity > 0 WHEN 'RETURN' THEN quantity > 0
        WHEN 'SHIPMENT' THEN quantity < 0
        WHEN 'ADJUSTMENT' THEN quantity <> 0 WHEN 'TRANSFER' THEN quantity <> 0
        ELSE false END)
);

CREATE INDEX ix_stock_moves_variant_id ON stock_moves (variant_id, location_id, at DESC);

-- The row of stock_levels has the foreign keys, and each move needs one: a move has none of its
-- own.
CREATE FUNCTION apply_stock_move() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM set_config('search_path', format('pg_catalog,%I,pg_temp', TG_TABLE_SCHEMA), true);
    UPDATE stock_levels s SET on_hand = s.on_hand + NEW.quantity
    WHERE s.variant_id = NEW.variant_id AND s.location_id = NEW.location_id;
    IF NOT FOUND THEN
        INSERT INTO stock_levels AS s (variant_id, location_id, on_hand)
        VALUES (NEW.variant_id, NEW.location_id, NEW.quantity)
        ON CONFLICT (variant_id, location_id) DO UPDATE SET on_hand = s.on_hand + EXCLUDED.on_hand;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER stock_moves_apply AFTER INSERT ON stock_moves
    FOR EACH ROW EXECUTE FUNCTION apply_stock_move();
CREATE TRIGGER stock_moves_stay BEFORE UPDATE OR DELETE ON stock_moves
    FOR EACH ROW EXECUTE FUNCTION refuse_write(
        'stock_moves is a ledger: add a move that corrects it');

CREATE TABLE carts (
    id          uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    customer_id uuid        REFERENCES customers (id) ON DELETE CASCADE,
    currency    varchar(3)  NOT NULL,
    status      varchar(20) NOT NULL DEFAULT 'OPEN',
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT carts_currency_is_code CHECK (currency ~ '^[A-Z]{3}$')
);

CREATE INDEX ix_carts_customer_id ON carts (customer_id, updated_at DESC);
CREATE INDEX ix_carts_open ON carts (updated_at) WHERE status = 'OPEN';
CREATE TRIGGER carts_status BEFORE INSERT OR UPDATE ON carts
    FOR EACH ROW EXECUTE FUNCTION check_state_move();

CREATE TABLE cart_items (
    cart_id    uuid   NOT NULL REFERENCES carts (id) ON DELETE CASCADE,
    variant_id uuid   NOT NULL REFERENCES product_variants (id) ON DELETE CASCADE,
    quantity   pieces NOT NULL,
    PRIMARY KEY (cart_id, variant_id)
);

CREATE INDEX ix_cart_items_variant_id ON cart_items (variant_id);

-- Pieces held at one location for a cart until expires_at, or for an order line. Only status, owner
-- and expiry may change, and of one that was shipped nothing.
CREATE TABLE reservations (
    id            uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    variant_id    uuid        NOT NULL,
    location_id   uuid        NOT NULL,
    quantity      pieces      NOT NULL,
    cart_id       uuid        REFERENCES carts (id) ON DELETE CASCADE,
    order_line_id uuid,
    status        varchar(20) NOT NULL DEFAULT 'HELD',
    expires_at    timestamptz,
    updated_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT reservations_stock_level FOREIGN KEY (variant_id, location_id)
        REFERENCES stock_levels (variant_id, location_id),
    CONSTRAINT reservations_one_owner CHECK (num_nonnulls(cart_id, order_line_id) = 1)
);

CREATE INDEX ix_reservations_cart_id ON reservations (cart_id) WHERE cart_id IS NOT NULL;
CREATE INDEX ix_reservations_order_line_id ON reservations (order_line_id)
    WHERE order_line_id IS NOT NULL;
CREATE INDEX ix_reservations_held ON reservations (variant_id, location_id) WHERE status = 'HELD';
CREATE INDEX ix_reservations_expires_at ON reservations (expires_at) WHERE status = 'HELD';

CREATE TRIGGER reservations_status BEFORE INSERT OR UPDATE ON reservations
    FOR EACH ROW EXECUTE FUNCTION check_state_move();

-- Each change of what is held goes to stock_levels in one UPDATE, which locks its row: of two
-- buyers the second one waits. A reservation that ships leaves the reserved pieces first and the
-- stock after, through the ledger; as many pieces ship as shipments of the order line took along, and
-- of its variant, which a draft may still change.
-- Deleting a reservation that is held releases it. Holding pieces for an order locks it, so that it
-- is not cancelled or closed meanwhile.
CREATE FUNCTION apply_reservation() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    held         integer := 0;
    line_variant uuid;
    order_status varchar;
BEGIN
    PERFORM set_config('search_path', format('pg_catalog,%I,pg_temp', TG_TABLE_SCHEMA), true);
    IF TG_OP = 'UPDATE' THEN
        IF (NEW.id, NEW.variant_id, NEW.location_id, NEW.quantity)
           IS DISTINCT FROM (OLD.id, OLD.variant_id, OLD.location_id, OLD.quantity) THEN
            RAISE EXCEPTION USING ERRCODE = 'check_violation',
                MESSAGE = 'a reservation does not change: release it and make another';
        END IF;
        IF NEW.status = 'SHIPPED' AND OLD.status = 'HELD' THEN
            PERFORM require_read_committed();
            SELECT l.variant_id INTO line_variant FROM order_lines l
            WHERE l.id = NEW.order_line_id FOR NO KEY UPDATE;
            IF NEW.order_line_id IS NULL OR (
                SELECT sum(r.quantity) FROM reservations r
                WHERE r.order_line_id = NEW.order_line_id AND r.status = 'SHIPPED'
            ) > (
                SELECT coalesce(sum(i.quantity), 0)
                FROM shipment_lines i JOIN shipments s ON s.id = i.shipment_id
                WHERE i.order_line_id = NEW.order_line_id
                  AND s.status IN ('SHIPPED', 'DELIVERED', 'LOST')
            ) THEN
                RAISE EXCEPTION USING ERRCODE = 'check_violation',
                    MESSAGE = 'reserved pieces ship with a shipment of their order line';
            END IF;
        END IF;
    END IF;
    IF TG_OP <> 'INSERT' AND OLD.status = 'HELD' THEN
        held := held - OLD.quantity;
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.status = 'HELD' THEN
        held := held + NEW.quantity;
        SELECT o.status, l.variant_id INTO order_status, line_variant
        FROM order_lines l JOIN orders o ON o.id = l.order_id
        WHERE l.id = NEW.order_line_id FOR SHARE OF o;
        IF order_status IN ('CANCELLED', 'CLOSED') THEN
            RAISE EXCEPTION USING ERRCODE = 'check_violation',
                MESSAGE = format('the order is %s: nothing is held for it', lower(order_status));
        END IF;
    END IF;
    IF line_variant <> NEW.variant_id THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation',
            MESSAGE = 'the order line is for another variant than the reserved pieces';
    END IF;
    IF held <> 0 THEN
        UPDATE stock_levels s SET reserved = s.reserved + held
        WHERE s.variant_id = coalesce(NEW.variant_id, OLD.variant_id)
          AND s.location_id = coalesce(NEW.location_id, OLD.location_id);
    END IF;
    IF held < 0 AND TG_OP = 'UPDATE' AND NEW.status = 'SHIPPED' THEN
        INSERT INTO stock_moves (variant_id, location_id, quantity, kind, reference)
        VALUES (NEW.variant_id, NEW.location_id, -NEW.quantity, 'SHIPMENT', NEW.id);
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER reservations_shipped_stay BEFORE DELETE ON reservations
    FOR EACH ROW WHEN (OLD.status = 'SHIPPED')
    EXECUTE FUNCTION refuse_write('a reservation that was shipped stays');
CREATE TRIGGER reservations_shipped_fixed BEFORE UPDATE ON reservations
    FOR EACH ROW WHEN (OLD.status = 'SHIPPED' AND (NEW.cart_id, NEW.order_line_id)
        IS DISTINCT FROM (OLD.cart_id, OLD.order_line_id))
    EXECUTE FUNCTION refuse_write('a reservation that was shipped stays with its order line');
CREATE TRIGGER reservations_apply AFTER INSERT OR UPDATE OR DELETE ON reservations
    FOR EACH ROW EXECUTE FUNCTION apply_reservation();
