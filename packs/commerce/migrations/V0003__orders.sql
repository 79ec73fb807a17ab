-- Discounts, orders and their lines, payments and refunds, shipments and returns.

-- A discount has a rate or an amount. used_count is kept by the triggers of discount_uses; the
-- CHECK holds the limit for two buyers at once: the second one's update waits for the first.
CREATE TABLE discounts (
    id                    uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    code                  varchar(50) NOT NULL UNIQUE,
    rate                  rate_ppm,
    amount                money_minor,
    currency              currency_code,
    min_amount            money_minor NOT NULL DEFAULT 0,
    valid_from            timestamptz NOT NULL DEFAULT now(),
    valid_until           timestamptz NOT NULL DEFAULT 'infinity',
    max_uses              integer,
    max_uses_per_customer integer,
    used_count            integer     NOT NULL DEFAULT 0,
    updated_at            timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT discounts_rate_or_amount CHECK (
        num_nonnulls(rate, amount) = 1 AND (amount IS NULL) = (currency IS NULL)),
    CONSTRAINT discounts_code_is_upper CHECK (code ~ '^[A-Z0-9_-]+$'),
    CONSTRAINT discounts_valid_range CHECK (valid_from < valid_until),
    CONSTRAINT discounts_use_limit CHECK (used_count >= 0 AND used_count <= max_uses)
);

CREATE TRIGGER discounts_touch BEFORE UPDATE ON discounts
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER discounts_begin_unused BEFORE INSERT ON discounts
    FOR EACH ROW WHEN (NEW.used_count <> 0)
    EXECUTE FUNCTION refuse_write('the uses of a discount are counted in discount_uses');
CREATE TRIGGER discounts_count BEFORE UPDATE ON discounts
    FOR EACH ROW WHEN (NEW.used_count <> OLD.used_count AND NOT comes_from_trigger(1))
    EXECUTE FUNCTION refuse_write('the uses of a discount are counted in discount_uses');

-- A draft is written freely. When it is placed its totals are computed from its lines, and from
-- then on both are fixed, so they cannot disagree. Addresses are copies: a customer's may change.
-- An order on account is sent before it is paid.
CREATE TABLE orders (
    id                  uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    number              bigint      NOT NULL GENERATED ALWAYS AS IDENTITY UNIQUE,
    customer_id         uuid        REFERENCES customers (id),
    email               email,
    currency            currency_code NOT NULL,
    status              varchar(20) NOT NULL DEFAULT 'DRAFT',
    billing_address     json_map,
    shipping_address    json_map,
    shipping_method     varchar(50),
    on_account          boolean     NOT NULL DEFAULT false,
    lines_amount        money_minor NOT NULL DEFAULT 0,
    lines_tax_amount    money_minor NOT NULL DEFAULT 0,
    shipping_amount     money_minor NOT NULL DEFAULT 0,
    shipping_tax_amount money_minor NOT NULL DEFAULT 0,
    total_amount        money_minor NOT NULL GENERATED ALWAYS AS
                            (lines_amount + shipping_amount) STORED,
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now(),
    placed_at           timestamptz,
    CONSTRAINT orders_shipping_tax_is_part CHECK (shipping_tax_amount <= shipping_amount),
    CONSTRAINT orders_placed_has_time CHECK (
        placed_at IS NOT NULL OR status = 'DRAFT' OR status = 'CANCELLED')
);

CREATE INDEX ix_orders_customer_id ON orders (customer_id, created_at DESC);
CREATE INDEX ix_orders_created_at ON orders (created_at DESC, id);
CREATE INDEX ix_orders_open ON orders (status, placed_at)
    WHERE status = 'PLACED' OR status = 'PAID' OR status = 'FULFILLING';

-- What was bought, as it was then. Amounts follow from quantity, price, discount and rate; with
-- tax_included the tax is part of the price. Tax is rounded half up, once for each line.
CREATE TABLE order_lines (
    id                 uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    order_id           uuid        NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    variant_id         uuid        NOT NULL REFERENCES product_variants (id),
    name               title       NOT NULL,
    quantity           pieces      NOT NULL,
    unit_amount        money_minor NOT NULL,
    discount_amount    money_minor NOT NULL DEFAULT 0,
    tax_rate           rate_ppm    NOT NULL,
    tax_included       boolean     NOT NULL DEFAULT true,
    line_amount        money_minor NOT NULL GENERATED ALWAYS AS
                           (quantity * unit_amount - discount_amount) STORED,
    tax_amount         money_minor NOT NULL GENERATED ALWAYS AS (CASE WHEN tax_included
        THEN ((quantity * unit_amount - discount_amount) * tax_rate * 2 + 1000000 + tax_rate)
             / (2 * (1000000 + tax_rate))
        ELSE ((quantity * unit_amount - discount_amount) * tax_rate + 500000) / 1000000 END) STORED,
    fulfilled_quantity integer     NOT NULL DEFAULT 0,
    returned_quantity  integer     NOT NULL DEFAULT 0,
    CONSTRAINT order_lines_returned_fulfilled_ordered CHECK (
        0 <= returned_quantity AND returned_quantity <= fulfilled_quantity
        AND fulfilled_quantity <= quantity)
);

CREATE INDEX ix_order_lines_order_id ON order_lines (order_id);
CREATE INDEX ix_order_lines_variant_id ON order_lines (variant_id);

-- lint:ignore add_foreign_key published together with the version that made the table
ALTER TABLE reservations ADD CONSTRAINT reservations_order_line_id_fkey
    FOREIGN KEY (order_line_id) REFERENCES order_lines (id) ON DELETE CASCADE;

-- The share lock on the order makes one wait who places it while a line is written, and the other
-- way round: whoever comes second sees what the first one did. For who places it that needs READ
-- COMMITTED (guard_order); a line's older snapshot fails on the order that has changed.
CREATE FUNCTION guard_order_line() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    order_status varchar;
BEGIN
    PERFORM set_config('search_path', format('pg_catalog,%I,pg_temp', TG_TABLE_SCHEMA), true);
    IF TG_OP = 'UPDATE' THEN
        IF comes_from_trigger(2) THEN
            RETURN NEW; -- the counters of shipments and returns
        ELSIF (NEW.id, NEW.order_id, NEW.fulfilled_quantity, NEW.returned_quantity) IS DISTINCT FROM
              (OLD.id, OLD.order_id, OLD.fulfilled_quantity, OLD.returned_quantity) THEN
            RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE =
                'an order line stays in its order, and shipments and returns count its pieces';
        END IF;
    ELSIF TG_OP = 'INSERT'
          AND (NEW.fulfilled_quantity, NEW.returned_quantity) IS DISTINCT FROM (0, 0) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation',
            MESSAGE = 'shipments and returns count the pieces of an order line';
    END IF;
    SELECT o.status INTO order_status FROM orders o
    WHERE o.id = coalesce(NEW.order_id, OLD.order_id) FOR SHARE;
    IF order_status <> 'DRAFT' THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation',
            MESSAGE = format('the order is %s: its lines are fixed', lower(order_status));
    END IF;
    RETURN coalesce(NEW, OLD);
END
$$;

CREATE TRIGGER order_lines_guard BEFORE INSERT OR UPDATE OR DELETE ON order_lines
    FOR EACH ROW EXECUTE FUNCTION guard_order_line();

CREATE TABLE discount_uses (
    order_id    uuid NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    discount_id uuid NOT NULL REFERENCES discounts (id),
    customer_id uuid,
    PRIMARY KEY (order_id, discount_id)
);

CREATE INDEX ix_discount_uses_discount_id ON discount_uses (discount_id, customer_id);

-- A use is given back with its draft or when the order is cancelled. The customer is the order's.
CREATE FUNCTION guard_discount_use() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    bought record;
BEGIN
    PERFORM set_config('search_path', format('pg_catalog,%I,pg_temp', TG_TABLE_SCHEMA), true);
    IF TG_OP = 'UPDATE' THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation',
            MESSAGE = 'the use of a discount does not change';
    END IF;
    SELECT * INTO bought FROM orders o WHERE o.id = coalesce(NEW.order_id, OLD.order_id) FOR SHARE;
    IF bought.status <> 'DRAFT' AND NOT (TG_OP = 'DELETE' AND bought.status = 'CANCELLED') THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation',
            MESSAGE = format('the order is %s: its discounts are fixed', lower(bought.status));
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    NEW.customer_id := bought.customer_id;
    RETURN NEW;
END
$$;

-- Counts when the row is there: what runs before an insertion runs also where ON CONFLICT inserts
-- nothing. The discount's row changes with each use, so that of two sessions the second one waits,
-- and fails where its snapshot is older.
CREATE FUNCTION count_discount_use() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    used record;
BEGIN
    PERFORM set_config('search_path', format('pg_catalog,%I,pg_temp', TG_TABLE_SCHEMA), true);
    UPDATE discounts d SET used_count = d.used_count + CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END
    WHERE d.id = coalesce(NEW.discount_id, OLD.discount_id) RETURNING d.* INTO used;
    IF TG_OP = 'DELETE' THEN
        RETURN NULL;
    END IF;
    IF now() < used.valid_from OR now() >= used.valid_until THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation',
            MESSAGE = format('discount "%s" is not valid now', used.code);
    END IF;
    IF used.max_uses_per_customer IS NOT NULL AND NEW.customer_id IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation',
            MESSAGE = format('discount "%s" is limited per customer, and the order has none',
                             used.code);
    ELSIF used.max_uses_per_customer < (
            SELECT count(*) FROM discount_uses u
            WHERE u.discount_id = used.id AND u.customer_id = NEW.customer_id) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation',
            MESSAGE = format('the customer has used discount "%s" as often as allowed', used.code);
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER discount_uses_guard BEFORE INSERT OR UPDATE OR DELETE ON discount_uses
    FOR EACH ROW EXECUTE FUNCTION guard_discount_use();
CREATE TRIGGER discount_uses_count AFTER INSERT OR DELETE ON discount_uses
    FOR EACH ROW EXECUTE FUNCTION count_discount_use();

-- refunded_amount is kept by the trigger of refunds.
CREATE TABLE payments (
    id                 uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    order_id           uuid        NOT NULL REFERENCES orders (id),
    provider           varchar(50) NOT NULL,
    provider_reference varchar(255),
    amount             money_minor NOT NULL,
    refunded_amount    money_minor NOT NULL DEFAULT 0,
    status             varchar(20) NOT NULL DEFAULT 'PENDING',
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT payments_amount_positive CHECK (amount > 0),
    CONSTRAINT payments_cover_refunds CHECK (refunded_amount <= amount)
);

CREATE INDEX ix_payments_order_id ON payments (order_id);
CREATE UNIQUE INDEX ux_payments_provider_reference ON payments (provider, provider_reference);

CREATE TRIGGER payments_status BEFORE INSERT OR UPDATE ON payments
    FOR EACH ROW EXECUTE FUNCTION check_state_move();
CREATE TRIGGER payments_begin BEFORE INSERT ON payments
    FOR EACH ROW WHEN (NEW.refunded_amount <> 0)
    EXECUTE FUNCTION refuse_write('what is refunded of a payment is counted in refunds');
CREATE TRIGGER payments_fixed BEFORE UPDATE ON payments
    FOR EACH ROW WHEN ((NEW.id, NEW.order_id, NEW.provider, NEW.amount)
            IS DISTINCT FROM (OLD.id, OLD.order_id, OLD.provider, OLD.amount)
        OR NEW.refunded_amount <> OLD.refunded_amount AND NOT comes_from_trigger(1))
    EXECUTE FUNCTION refuse_write(
        'a payment keeps order, provider and amount, and refunds count what went back');
CREATE TRIGGER payments_stay BEFORE DELETE ON payments
    FOR EACH ROW EXECUTE FUNCTION refuse_write('a payment stays: void it, or refund it');

CREATE TABLE refunds (
    id                 uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    payment_id         uuid        NOT NULL REFERENCES payments (id),
    amount             money_minor NOT NULL,
    reason             varchar(200) NOT NULL DEFAULT '',
    provider_reference varchar(255),
    status             varchar(20) NOT NULL DEFAULT 'PENDING',
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT refunds_amount_positive CHECK (amount > 0)
);

CREATE INDEX ix_refunds_payment_id ON refunds (payment_id);

CREATE TRIGGER refunds_status BEFORE INSERT OR UPDATE ON refunds
    FOR EACH ROW EXECUTE FUNCTION check_state_move();
CREATE TRIGGER refunds_fixed BEFORE UPDATE ON refunds
    FOR EACH ROW WHEN ((NEW.id, NEW.payment_id, NEW.amount)
        IS DISTINCT FROM (OLD.id, OLD.payment_id, OLD.amount))
    EXECUTE FUNCTION refuse_write('a refund keeps payment and amount');
CREATE TRIGGER refunds_stay BEFORE DELETE ON refunds
    FOR EACH ROW EXECUTE FUNCTION refuse_write('a refund stays: a failed one counts no more');

-- A refund counts from the moment it is asked for, so that two at once cannot exceed the payment.
CREATE FUNCTION count_refund() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM set_config('search_path', format('pg_catalog,%I,pg_temp', TG_TABLE_SCHEMA), true);
    UPDATE payments p
    SET refunded_amount = p.refunded_amount
        + CASE TG_OP WHEN 'INSERT' THEN NEW.amount ELSE -NEW.amount END
    WHERE p.id = NEW.payment_id AND p.status = 'CAPTURED';
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation',
            MESSAGE = 'only a captured payment can be refunded';
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER refunds_count AFTER INSERT ON refunds
    FOR EACH ROW EXECUTE FUNCTION count_refund();
CREATE TRIGGER refunds_count_failed AFTER UPDATE ON refunds
    FOR EACH ROW WHEN (NEW.status = 'FAILED' AND OLD.status <> 'FAILED')
    EXECUTE FUNCTION count_refund();

-- What a move of a placed order rests on: payments that cover it, shipments with all its pieces.
-- The payments are locked, so that none is refunded meanwhile.
CREATE FUNCTION why_order_cannot_be(become varchar, o orders) RETURNS text
LANGUAGE plpgsql
AS $$
BEGIN
    IF become = 'PAID' THEN
        PERFORM FROM payments p WHERE p.order_id = o.id FOR SHARE;
        IF o.total_amount > (SELECT coalesce(sum(p.amount - p.refunded_amount), 0) FROM payments p
                             WHERE p.order_id = o.id AND p.status = 'CAPTURED') THEN
            RETURN 'is not paid in full';
        END IF;
    ELSIF become = 'FULFILLING' AND o.status = 'PLACED' AND NOT o.on_account THEN
        RETURN 'is neither paid nor on account';
    ELSIF become IN ('COMPLETED', 'CLOSED', 'CANCELLED') THEN
        IF EXISTS (SELECT FROM shipments s WHERE s.order_id = o.id AND s.status = 'PENDING') THEN
            RETURN 'has a shipment that is pending';
        ELSIF become = 'COMPLETED' AND EXISTS (
                SELECT FROM order_lines l
                WHERE l.order_id = o.id AND l.fulfilled_quantity < l.quantity) THEN
            RETURN 'has pieces that were not sent: it can be CLOSED without them';
        END IF;
    END IF;
    RETURN NULL;
END
$$;

-- Named so that it runs after orders_a_status, which has judged the move. Moves rest on lines,
-- discount uses, reservations and shipments, whose triggers lock the order.
CREATE FUNCTION guard_order() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    problem text;
BEGIN
    PERFORM set_config('search_path', format('pg_catalog,%I,pg_temp', TG_TABLE_SCHEMA), true);
    IF TG_OP = 'DELETE' THEN
        IF OLD.status <> 'DRAFT' THEN
            RAISE EXCEPTION USING ERRCODE = 'check_violation',
                MESSAGE = format('order %s is %s: it stays', OLD.number, lower(OLD.status));
        END IF;
        RETURN OLD;
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.status <> OLD.status THEN
        PERFORM require_read_committed();
    END IF;
    IF TG_OP = 'INSERT' OR OLD.status = 'DRAFT' AND NEW.status <> 'PLACED' THEN
        NEW.lines_amount := 0;
        NEW.lines_tax_amount := 0;
        NEW.placed_at := NULL;
        RETURN NEW;
    END IF;
    IF NEW.status = 'PLACED' AND OLD.status = 'DRAFT' THEN
        SELECT sum(l.line_amount + CASE WHEN l.tax_included THEN 0 ELSE l.tax_amount END),
               sum(l.tax_amount), now()
        INTO NEW.lines_amount, NEW.lines_tax_amount, NEW.placed_at
        FROM order_lines l WHERE l.order_id = NEW.id HAVING count(*) > 0;
        IF NOT FOUND THEN
            RAISE EXCEPTION USING ERRCODE = 'check_violation',
                MESSAGE = format('order %s has no lines', NEW.number);
        ELSIF EXISTS (SELECT FROM discount_uses u WHERE u.order_id = NEW.id
                      AND u.customer_id IS DISTINCT FROM NEW.customer_id) THEN
            RAISE EXCEPTION USING ERRCODE = 'check_violation',
                MESSAGE = format('order %s has discounts of another customer', NEW.number);
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.number, NEW.customer_id, NEW.currency, NEW.shipping_method, NEW.on_account,
        NEW.lines_amount, NEW.lines_tax_amount, NEW.shipping_amount, NEW.shipping_tax_amount,
        NEW.created_at, NEW.placed_at)
       IS DISTINCT FROM
       (OLD.id, OLD.number, OLD.customer_id, OLD.currency, OLD.shipping_method, OLD.on_account,
        OLD.lines_amount, OLD.lines_tax_amount, OLD.shipping_amount, OLD.shipping_tax_amount,
        OLD.created_at, OLD.placed_at)
       OR NEW.email <> coalesce(OLD.email, '')
       OR NEW.billing_address <> coalesce(OLD.billing_address, '{}')
       OR NEW.shipping_address <> coalesce(OLD.shipping_address, '{}') THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation',
            MESSAGE = format('order %s is %s: only its status may change',
                             OLD.number, lower(OLD.status)),
            HINT = 'The email and the addresses may also be set to NULL, to erase them.';
    END IF;
    IF NEW.status <> OLD.status THEN
        problem := why_order_cannot_be(NEW.status, OLD);
        IF problem IS NOT NULL THEN
            RAISE EXCEPTION USING ERRCODE = 'check_violation',
                MESSAGE = format('order %s %s', OLD.number, problem);
        END IF;
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER orders_a_status BEFORE INSERT OR UPDATE ON orders
    FOR EACH ROW EXECUTE FUNCTION check_state_move();
CREATE TRIGGER orders_b_guard BEFORE INSERT OR UPDATE OR DELETE ON orders
    FOR EACH ROW EXECUTE FUNCTION guard_order();

-- A cancelled order gives back what it held, a closed one what will not be sent.
CREATE FUNCTION release_order() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM set_config('search_path', format('pg_catalog,%I,pg_temp', TG_TABLE_SCHEMA), true);
    UPDATE reservations r SET status = 'RELEASED' FROM order_lines l
    WHERE l.order_id = NEW.id AND r.order_line_id = l.id AND r.status = 'HELD';
    IF NEW.status = 'CANCELLED' THEN
        DELETE FROM discount_uses u WHERE u.order_id = NEW.id;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER orders_release AFTER UPDATE ON orders
    FOR EACH ROW WHEN (NEW.status IN ('CANCELLED', 'CLOSED') AND NEW.status <> OLD.status)
    EXECUTE FUNCTION release_order();

CREATE TABLE shipments (
    id           uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    order_id     uuid        NOT NULL REFERENCES orders (id),
    location_id  uuid        NOT NULL REFERENCES locations (id),
    carrier      varchar(50) NOT NULL DEFAULT '',
    tracking     varchar(100),
    status       varchar(20) NOT NULL DEFAULT 'PENDING',
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX ix_shipments_order_id ON shipments (order_id);
CREATE INDEX ix_shipments_pending ON shipments (location_id, created_at) WHERE status = 'PENDING';
CREATE INDEX ix_shipments_tracking ON shipments (tracking) WHERE tracking IS NOT NULL;

CREATE TABLE shipment_lines (
    shipment_id   uuid   NOT NULL REFERENCES shipments (id),
    order_line_id uuid   NOT NULL REFERENCES order_lines (id),
    quantity      pieces NOT NULL,
    PRIMARY KEY (shipment_id, order_line_id)
);

CREATE INDEX ix_shipment_lines_order_line_id ON shipment_lines (order_line_id);

CREATE TABLE returns (
    id         uuid         PRIMARY KEY DEFAULT gen_random_uuid(),
    order_id   uuid         NOT NULL REFERENCES orders (id),
    reason     varchar(200) NOT NULL DEFAULT '',
    status     varchar(20)  NOT NULL DEFAULT 'REQUESTED',
    created_at timestamptz  NOT NULL DEFAULT now(),
    updated_at timestamptz  NOT NULL DEFAULT now()
);

CREATE INDEX ix_returns_order_id ON returns (order_id);
CREATE INDEX ix_returns_open ON returns (created_at)
    WHERE status = 'REQUESTED' OR status = 'APPROVED';

CREATE TABLE return_lines (
    return_id     uuid   NOT NULL REFERENCES returns (id),
    order_line_id uuid   NOT NULL REFERENCES order_lines (id),
    quantity      pieces NOT NULL,
    PRIMARY KEY (return_id, order_line_id)
);

CREATE INDEX ix_return_lines_order_line_id ON return_lines (order_line_id);

-- Adds the pieces of a shipment or return to the counters of the order line, whose CHECK refuses
-- more than was ordered, or more back than went out. Lines change only while theirs is new, and
-- pieces leave only for an order in fulfilment, which can no longer be cancelled. The order is
-- locked, so that it is not completed meanwhile. After the fact, as ON CONFLICT may insert nothing.
CREATE FUNCTION count_fulfilment() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    of_order uuid;
    line     uuid := coalesce(NEW.order_line_id, OLD.order_line_id);
    change   integer := coalesce(NEW.quantity, 0) - coalesce(OLD.quantity, 0);
    is_sent  boolean := TG_TABLE_NAME = 'shipment_lines';
BEGIN
    PERFORM set_config('search_path', format('pg_catalog,%I,pg_temp', TG_TABLE_SCHEMA), true);
    IF is_sent THEN
        SELECT s.order_id INTO of_order FROM shipments s
        WHERE s.id = coalesce(NEW.shipment_id, OLD.shipment_id) AND s.status = 'PENDING' FOR SHARE;
    ELSE
        SELECT r.order_id INTO of_order FROM returns r
        WHERE r.id = coalesce(NEW.return_id, OLD.return_id) AND r.status = 'REQUESTED' FOR SHARE;
    END IF;
    IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - 'quantity' <> to_jsonb(OLD) - 'quantity' THEN
        of_order := NULL;
    END IF;
    PERFORM FROM orders o WHERE o.id = of_order FOR SHARE;
    UPDATE order_lines l
    SET fulfilled_quantity = l.fulfilled_quantity + CASE WHEN is_sent THEN change ELSE 0 END,
        returned_quantity = l.returned_quantity + CASE WHEN is_sent THEN 0 ELSE change END
    FROM orders o
    WHERE l.id = line AND l.order_id = of_order AND o.id = of_order
      AND (o.status = 'FULFILLING' OR o.status IN ('COMPLETED', 'CLOSED') AND NOT is_sent);
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation',
            MESSAGE = format('%s: not a line of this order, or no longer new,'
                             ' or the order is not in fulfilment', TG_TABLE_NAME);
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER shipment_lines_count AFTER INSERT OR UPDATE OR DELETE ON shipment_lines
    FOR EACH ROW EXECUTE FUNCTION count_fulfilment();
CREATE TRIGGER return_lines_count AFTER INSERT OR UPDATE OR DELETE ON return_lines
    FOR EACH ROW EXECUTE FUNCTION count_fulfilment();

-- A shipment that is cancelled and a return that is rejected count no more: all the lines that they
-- have by now.
CREATE FUNCTION uncount_fulfilment() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM set_config('search_path', format('pg_catalog,%I,pg_temp', TG_TABLE_SCHEMA), true);
    PERFORM require_read_committed();
    IF TG_TABLE_NAME = 'shipments' THEN
        UPDATE order_lines l SET fulfilled_quantity = l.fulfilled_quantity - s.quantity
        FROM shipment_lines s WHERE s.shipment_id = NEW.id AND l.id = s.order_line_id;
    ELSE
        UPDATE order_lines l SET returned_quantity = l.returned_quantity - r.quantity
        FROM return_lines r WHERE r.return_id = NEW.id AND l.id = r.order_line_id;
    END IF;
    RETURN NULL;
END
$$;

-- An order gets its shipments between its placing and its end, so that none is pending when it has
-- ended, and a draft can always be cancelled. The share lock: as for lines.
CREATE FUNCTION guard_shipment() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    order_status varchar;
BEGIN
    PERFORM set_config('search_path', format('pg_catalog,%I,pg_temp', TG_TABLE_SCHEMA), true);
    SELECT o.status INTO order_status FROM orders o WHERE o.id = NEW.order_id FOR SHARE;
    IF order_status IN ('COMPLETED', 'CLOSED', 'CANCELLED') THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation',
            MESSAGE = format('the order is %s: nothing more is sent', lower(order_status));
    ELSIF order_status = 'DRAFT' THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation',
            MESSAGE = 'the order is a draft: nothing is sent before it is placed';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER shipments_guard BEFORE INSERT ON shipments
    FOR EACH ROW EXECUTE FUNCTION guard_shipment();
CREATE TRIGGER shipments_status BEFORE INSERT OR UPDATE ON shipments
    FOR EACH ROW EXECUTE FUNCTION check_state_move();
CREATE TRIGGER shipments_fixed BEFORE UPDATE ON shipments
    FOR EACH ROW WHEN ((NEW.id, NEW.order_id) IS DISTINCT FROM (OLD.id, OLD.order_id))
    EXECUTE FUNCTION refuse_write('a shipment stays with its order');
CREATE TRIGGER shipments_uncount AFTER UPDATE ON shipments
    FOR EACH ROW WHEN (NEW.status = 'CANCELLED' AND OLD.status <> 'CANCELLED')
    EXECUTE FUNCTION uncount_fulfilment();
CREATE TRIGGER returns_status BEFORE INSERT OR UPDATE ON returns
    FOR EACH ROW EXECUTE FUNCTION check_state_move();
CREATE TRIGGER returns_fixed BEFORE UPDATE ON returns
    FOR EACH ROW WHEN ((NEW.id, NEW.order_id) IS DISTINCT FROM (OLD.id, OLD.order_id))
    EXECUTE FUNCTION refuse_write('a return stays with its order');
CREATE TRIGGER returns_uncount AFTER UPDATE ON returns
    FOR EACH ROW WHEN (NEW.status = 'REJECTED' AND OLD.status <> 'REJECTED')
    EXECUTE FUNCTION uncount_fulfilment();
