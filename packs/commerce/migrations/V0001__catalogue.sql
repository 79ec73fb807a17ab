-- Settings, state moves, customers, and what is for sale at which price and tax.

-- An amount of money is a whole number of the currency's smallest unit (cents of a euro, yen):
-- exact, never NaN, and of fixed length, so that tables of amounts need no TOAST table
-- (README.md). The limit leaves room for amount * rate in bigint.
CREATE DOMAIN money_minor AS bigint
    CONSTRAINT money_minor_in_range CHECK (VALUE BETWEEN 0 AND 1000000000000);
CREATE DOMAIN currency_code AS varchar(3)
    CONSTRAINT currency_code_is_iso_4217 CHECK (VALUE ~ '^[A-Z]{3}$');
CREATE DOMAIN country_code AS varchar(2)
    CONSTRAINT country_code_is_iso_3166 CHECK (VALUE ~ '^[A-Z]{2}$');
CREATE DOMAIN pieces AS integer
    CONSTRAINT pieces_positive CHECK (VALUE > 0);
-- Parts per million: 19 % is 190000, 8.875 % is 88750.
CREATE DOMAIN rate_ppm AS integer
    CONSTRAINT rate_ppm_in_range CHECK (VALUE BETWEEN 0 AND 1000000);
CREATE DOMAIN title AS varchar(255)
    CONSTRAINT title_not_blank CHECK (VALUE ~ '[^[:space:]]');
CREATE DOMAIN email AS varchar(320)
    CONSTRAINT email_is_lower_case_address CHECK (
        VALUE ~ '^[^@[:space:]]+@[^@[:space:]]+$' AND VALUE = lower(VALUE));
CREATE DOMAIN json_map AS jsonb
    CONSTRAINT json_map_is_object CHECK (jsonb_typeof(VALUE) = 'object');

CREATE FUNCTION touch_updated_at() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    NEW.updated_at := pg_catalog.now();
    RETURN NEW;
END
$$;

-- Refuses what it is called for; its argument says why.
CREATE FUNCTION refuse_write() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'check_violation', MESSAGE = TG_ARGV[0];
END
$$;

-- Whether a statement comes from a trigger of these tables, at least so deep: 2 in a trigger's
-- function, 1 in its WHEN, which is outside. Where a role may make temporary tables, it can make a
-- trigger on one, which is as deep; so is a CHECK of its own that a foreign key between two runs.
-- In a session with such a trigger, also one that a constraint made, nothing counts.
CREATE FUNCTION comes_from_trigger(depth integer) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF pg_trigger_depth() < depth OR pg_my_temp_schema() = 0 THEN
        RETURN pg_trigger_depth() >= depth;
    END IF;
    RETURN NOT EXISTS (
        SELECT FROM pg_depend d JOIN pg_trigger t ON t.tgrelid = d.objid
        WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = pg_my_temp_schema()
          AND d.classid = 'pg_class'::regclass);
END
$$;

-- For rules that read other tables' rows: after waiting for a lock they must see what was committed
-- meanwhile. An older snapshot does not, and a lock that is gone is nothing that it could fail on.
CREATE FUNCTION require_read_committed() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF current_setting('transaction_isolation') IN ('repeatable read', 'serializable') THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_transaction_state',
            MESSAGE = format('this change needs isolation level read committed, not %s',
                             current_setting('transaction_isolation')),
            DETAIL = 'It depends on rows that may have been written since the snapshot was taken.',
            HINT = 'Make it in a transaction begun with ISOLATION LEVEL READ COMMITTED.';
    END IF;
END
$$;

CREATE TABLE settings (
    key        varchar(100) PRIMARY KEY,
    value      jsonb        NOT NULL,
    updated_at timestamptz  NOT NULL DEFAULT now(),
    CONSTRAINT settings_key_is_dotted CHECK (key ~ '^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$')
);

CREATE TRIGGER settings_touch BEFORE UPDATE ON settings
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- The moves that a row of a table may make; from '' is where it may begin. Tenants may read it
-- only.
CREATE TABLE state_moves (
    machine    varchar(30) NOT NULL,
    from_state varchar(20) NOT NULL,
    to_state   varchar(20) NOT NULL,
    PRIMARY KEY (machine, from_state, to_state)
);

INSERT INTO state_moves (machine, from_state, to_state) VALUES
    ('customers', '', 'ACTIVE'), ('customers', 'ACTIVE', 'DISABLED'),
    ('customers', 'DISABLED', 'ACTIVE'), ('customers', 'ACTIVE', 'ERASED'),
    ('customers', 'DISABLED', 'ERASED'),
    ('products', '', 'DRAFT'), ('products', '', 'ACTIVE'), ('products', 'DRAFT', 'ACTIVE'),
    ('products', 'ACTIVE', 'ARCHIVED'), ('products', 'DRAFT', 'ARCHIVED'),
    ('products', 'ARCHIVED', 'ACTIVE'),
    ('carts', '', 'OPEN'), ('carts', 'OPEN', 'ORDERED'), ('carts', 'OPEN', 'ABANDONED'),
    ('carts', 'ABANDONED', 'OPEN'),
    ('reservations', '', 'HELD'), ('reservations', 'HELD', 'RELEASED'),
    ('reservations', 'HELD', 'EXPIRED'), ('reservations', 'HELD', 'SHIPPED'),
    ('orders', '', 'DRAFT'), ('orders', 'DRAFT', 'PLACED'), ('orders', 'DRAFT', 'CANCELLED'),
    ('orders', 'PLACED', 'PAID'), ('orders', 'PLACED', 'CANCELLED'),
    ('orders', 'PAID', 'FULFILLING'), ('orders', 'PAID', 'CANCELLED'),
    ('orders', 'PLACED', 'FULFILLING'), ('orders', 'FULFILLING', 'COMPLETED'),
    ('orders', 'FULFILLING', 'CLOSED'),
    ('payments', '', 'PENDING'), ('payments', 'PENDING', 'AUTHORIZED'),
    ('payments', 'PENDING', 'CAPTURED'), ('payments', 'PENDING', 'FAILED'),
    ('payments', 'PENDING', 'VOIDED'), ('payments', 'AUTHORIZED', 'CAPTURED'),
    ('payments', 'AUTHORIZED', 'VOIDED'), ('payments', 'AUTHORIZED', 'FAILED'),
    ('refunds', '', 'PENDING'), ('refunds', 'PENDING', 'SUCCEEDED'),
    ('refunds', 'PENDING', 'FAILED'),
    ('shipments', '', 'PENDING'), ('shipments', 'PENDING', 'SHIPPED'),
    ('shipments', 'PENDING', 'CANCELLED'), ('shipments', 'SHIPPED', 'DELIVERED'),
    ('shipments', 'SHIPPED', 'LOST'), ('shipments', 'LOST', 'DELIVERED'),
    ('returns', '', 'REQUESTED'), ('returns', 'REQUESTED', 'APPROVED'),
    ('returns', 'REQUESTED', 'REJECTED'), ('returns', 'APPROVED', 'RECEIVED'),
    ('returns', 'APPROVED', 'REJECTED'), ('returns', 'RECEIVED', 'CLOSED'),
    ('webhook_deliveries', '', 'PENDING'), ('webhook_deliveries', 'PENDING', 'DELIVERED'),
    ('webhook_deliveries', 'PENDING', 'FAILED'), ('webhook_deliveries', 'FAILED', 'PENDING');

-- Triggers that read tables find them in the schema of the table that they belong to, whatever the
-- session's search_path is and whatever the schema will be called. The SET clause makes
-- what set_config() changes end with the function; pg_temp comes last, so that no temporary table
-- stands in for one of ours.
CREATE FUNCTION check_state_move() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    before varchar := '';
BEGIN
    IF TG_OP = 'UPDATE' THEN
        NEW.updated_at := now();
        IF NEW.status = OLD.status THEN
            RETURN NEW;
        END IF;
        before := OLD.status;
    END IF;
    PERFORM set_config('search_path', format('pg_catalog,%I,pg_temp', TG_TABLE_SCHEMA), true);
    IF NOT EXISTS (SELECT FROM state_moves m WHERE m.machine = TG_TABLE_NAME
                   AND m.from_state = before AND m.to_state = NEW.status) THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation',
            MESSAGE = format('%s: no move from status "%s" to "%s"',
                             TG_TABLE_NAME, before, NEW.status),
            HINT = 'The table state_moves lists the moves that are allowed.';
    END IF;
    RETURN NEW;
END
$$;

-- Rates are for a class and a place; region '' is the whole country.
CREATE TABLE tax_classes (
    id   uuid         PRIMARY KEY DEFAULT gen_random_uuid(),
    code varchar(50)  NOT NULL UNIQUE,
    name varchar(200) NOT NULL
);

CREATE TABLE tax_rates (
    tax_class_id uuid        NOT NULL REFERENCES tax_classes (id) ON DELETE CASCADE,
    country      varchar(2)  NOT NULL,
    region       varchar(10) NOT NULL DEFAULT '',
    valid_from   date        NOT NULL DEFAULT '2000-01-01',
    rate         rate_ppm    NOT NULL,
    PRIMARY KEY (tax_class_id, country, region, valid_from),
    CONSTRAINT tax_rates_country_is_code CHECK (country ~ '^[A-Z]{2}$')
);

CREATE TABLE categories (
    id         uuid         PRIMARY KEY DEFAULT gen_random_uuid(),
    parent_id  uuid         REFERENCES categories (id),
    slug       varchar(100) NOT NULL UNIQUE,
    name       varchar(200) NOT NULL,
    position   integer      NOT NULL DEFAULT 0
);

CREATE INDEX ix_categories_parent_id ON categories (parent_id, position);

-- Walks from the new parent to the root. Each category on the way is locked, so that of two moves
-- that would make a cycle together one waits for the other, in every isolation level.
CREATE FUNCTION check_category_tree() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    ancestor uuid := NEW.parent_id;
BEGIN
    PERFORM set_config('search_path', format('pg_catalog,%I,pg_temp', TG_TABLE_SCHEMA), true);
    WHILE ancestor IS NOT NULL LOOP
        IF ancestor = NEW.id THEN
            RAISE EXCEPTION USING ERRCODE = 'check_violation',
                MESSAGE = format('category "%s" would be its own ancestor', NEW.slug);
        END IF;
        SELECT c.parent_id INTO ancestor FROM categories c WHERE c.id = ancestor FOR SHARE;
    END LOOP;
    RETURN NEW;
END
$$;

CREATE TRIGGER categories_tree BEFORE INSERT OR UPDATE OF id, parent_id ON categories
    FOR EACH ROW WHEN (NEW.parent_id IS NOT NULL) EXECUTE FUNCTION check_category_tree();

CREATE TABLE products (
    id           uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    category_id  uuid        REFERENCES categories (id),
    tax_class_id uuid        NOT NULL REFERENCES tax_classes (id),
    slug         varchar(100) NOT NULL UNIQUE,
    name         title       NOT NULL,
    description  text        NOT NULL DEFAULT '',
    attributes   json_map NOT NULL DEFAULT '{}',
    status       varchar(20) NOT NULL DEFAULT 'DRAFT',
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    search       tsvector    NOT NULL GENERATED ALWAYS AS
                     (to_tsvector('pg_catalog.simple', name || ' ' || description)) STORED
);

CREATE INDEX idx_products_category ON products (category_id, name);
CREATE INDEX ix_products_search ON products USING gin (search);
CREATE TRIGGER products_status BEFORE INSERT OR UPDATE ON products
    FOR EACH ROW EXECUTE FUNCTION check_state_move();

-- What is sold and stocked. A product has at least one.
CREATE TABLE product_variants (
    id           uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    product_id   uuid        NOT NULL REFERENCES products (id) ON DELETE CASCADE,
    sku          varchar(64) NOT NULL UNIQUE,
    barcode      varchar(14),
    name         title       NOT NULL,
    options      json_map NOT NULL DEFAULT '{}',
    weight_grams integer     CHECK (weight_grams >= 0),
    is_active    boolean     NOT NULL DEFAULT true,
    updated_at   timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX ix_product_variants_product_id ON product_variants (product_id);
CREATE INDEX ix_product_variants_barcode ON product_variants (barcode) WHERE barcode IS NOT NULL;
CREATE TRIGGER product_variants_touch BEFORE UPDATE ON product_variants
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE price_lists (
    id           uuid         PRIMARY KEY DEFAULT gen_random_uuid(),
    code         varchar(50)  NOT NULL UNIQUE,
    name         varchar(200) NOT NULL,
    currency     varchar(3)   NOT NULL,
    tax_included boolean      NOT NULL DEFAULT true,
    CONSTRAINT price_lists_currency_is_code CHECK (currency ~ '^[A-Z]{3}$')
);

-- A price holds from valid_from until the next one of the same list, variant and quantity begins;
-- an amount of NULL ends it without a successor. So ranges cannot overlap, and no end has to be
-- kept right.
CREATE TABLE prices (
    price_list_id uuid        NOT NULL REFERENCES price_lists (id) ON DELETE CASCADE,
    variant_id    uuid        NOT NULL REFERENCES product_variants (id) ON DELETE CASCADE,
    min_quantity  pieces      NOT NULL DEFAULT 1,
    valid_from    timestamptz NOT NULL DEFAULT now(),
    amount        money_minor,
    PRIMARY KEY (variant_id, price_list_id, min_quantity, valid_from)
);

CREATE INDEX ix_prices_price_list_id ON prices (price_list_id, valid_from);

CREATE TABLE customers (
    id            uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    email         email,
    name          title,
    phone         varchar(30),
    company       varchar(255),
    tax_number    varchar(50),
    price_list_id uuid        REFERENCES price_lists (id) ON DELETE SET NULL,
    accepts_email boolean     NOT NULL DEFAULT false,
    status        varchar(20) NOT NULL DEFAULT 'ACTIVE',
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT customers_known_until_erased CHECK (
        (status = 'ERASED') = (email IS NULL)
        AND (status <> 'ERASED' OR num_nonnulls(name, phone, company, tax_number) = 0))
);

CREATE UNIQUE INDEX idx_customers_email ON customers (email);
CREATE INDEX idx_active_customers ON customers (created_at DESC, id) WHERE status = 'ACTIVE';
CREATE TRIGGER customers_status BEFORE INSERT OR UPDATE ON customers
    FOR EACH ROW EXECUTE FUNCTION check_state_move();

CREATE TABLE addresses (
    id           uuid         PRIMARY KEY DEFAULT gen_random_uuid(),
    customer_id  uuid         NOT NULL REFERENCES customers (id) ON DELETE CASCADE,
    name         title        NOT NULL,
    line1        title        NOT NULL,
    line2        varchar(255) NOT NULL DEFAULT '',
    city         title        NOT NULL,
    region       varchar(100) NOT NULL DEFAULT '',
    postal_code  varchar(20)  NOT NULL DEFAULT '',
    country      country_code NOT NULL,
    phone        varchar(30),
    is_default   boolean      NOT NULL DEFAULT false
);

CREATE INDEX ix_addresses_customer_id ON addresses (customer_id);
CREATE UNIQUE INDEX ux_addresses_default ON addresses (customer_id) WHERE is_default;

-- Who is erased takes the addresses along, and gets no other. Of an erasure and a new address the
-- one that comes second waits for the first and then sees it, which needs READ COMMITTED for the
-- erasure; an address on an older snapshot fails on the customer that has changed.
CREATE FUNCTION erase_addresses() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM set_config('search_path', format('pg_catalog,%I,pg_temp', TG_TABLE_SCHEMA), true);
    PERFORM require_read_committed();
    DELETE FROM addresses a WHERE a.customer_id = NEW.id;
    RETURN NULL;
END
$$;

CREATE FUNCTION guard_address() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    customer_status varchar;
BEGIN
    PERFORM set_config('search_path', format('pg_catalog,%I,pg_temp', TG_TABLE_SCHEMA), true);
    SELECT c.status INTO customer_status FROM customers c WHERE c.id = NEW.customer_id FOR SHARE;
    IF customer_status = 'ERASED' THEN
        RAISE EXCEPTION USING ERRCODE = 'check_violation',
            MESSAGE = 'the customer was erased: no address is kept';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER customers_erase AFTER UPDATE ON customers
    FOR EACH ROW WHEN (NEW.status = 'ERASED' AND OLD.status <> 'ERASED')
    EXECUTE FUNCTION erase_addresses();
CREATE TRIGGER addresses_guard BEFORE INSERT OR UPDATE ON addresses
    FOR EACH ROW EXECUTE FUNCTION guard_address();

-- A session that says that it works for another tenant (app.current_tenant_id) sees no customer and
-- changes no product. The role says who the tenant is, the setting can only narrow; the owner, who
-- runs migrations, is not concerned. Reading products needs no tenant, so that their search may use
-- its index: @@ is not leakproof and would have to wait for a policy. The condition is that of
-- tenancy.current_tenant(), written out: triggers read these tables, and an SQL function would be
-- planned anew in each of their statements.
ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation_customers ON customers
    USING (EXISTS (
        SELECT FROM tenancy.role_tenants m WHERE m.role_name = current_user
        AND coalesce(nullif(lower(current_setting('app.current_tenant_id', true)), ''),
                     m.tenant_id::text) = m.tenant_id::text));
ALTER TABLE addresses ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_isolation_addresses ON addresses
    USING (EXISTS (
        SELECT FROM tenancy.role_tenants m WHERE m.role_name = current_user
        AND coalesce(nullif(lower(current_setting('app.current_tenant_id', true)), ''),
                     m.tenant_id::text) = m.tenant_id::text));
ALTER TABLE products ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant_reads_products ON products FOR SELECT USING (true);
CREATE POLICY tenant_isolation_products ON products
    USING (EXISTS (
        SELECT FROM tenancy.role_tenants m WHERE m.role_name = current_user
        AND coalesce(nullif(lower(current_setting('app.current_tenant_id', true)), ''),
                     m.tenant_id::text) = m.tenant_id::text));
