-- Facts and dimensions, made from the other tables by refresh_analytics(). They are derived: without
-- foreign keys, and right after a refresh whatever was in them before. Days are days in UTC. Plain
-- types with lengths keep these tables without TOAST tables of their own.

CREATE TABLE analytics_dim_dates (
    tenant_id   uuid     NOT NULL DEFAULT tenancy.current_tenant(),
    date        date     NOT NULL,
    year        smallint NOT NULL,
    quarter     smallint NOT NULL,
    month       smallint NOT NULL,
    day_of_week smallint NOT NULL,
    PRIMARY KEY (date, tenant_id)
);

CREATE TABLE analytics_dim_accounts (
    tenant_id  uuid        NOT NULL DEFAULT tenancy.current_tenant(),
    account_id uuid        NOT NULL,
    type       varchar(20) NOT NULL,
    currency   varchar(3)  NOT NULL,
    is_closed  boolean     NOT NULL,
    PRIMARY KEY (account_id, tenant_id)
);

-- root_name is the name of the category at the top, depth is 0 there.
CREATE TABLE analytics_dim_categories (
    tenant_id   uuid         NOT NULL DEFAULT tenancy.current_tenant(),
    category_id uuid         NOT NULL,
    name        varchar(200) NOT NULL,
    root_id     uuid         NOT NULL,
    root_name   varchar(200) NOT NULL,
    depth       integer      NOT NULL,
    PRIMARY KEY (category_id, tenant_id)
);

CREATE TABLE analytics_dim_merchants (
    tenant_id   uuid         NOT NULL DEFAULT tenancy.current_tenant(),
    merchant_id uuid         NOT NULL,
    name        varchar(200) NOT NULL,
    category    varchar(200),
    PRIMARY KEY (merchant_id, tenant_id)
);

CREATE TABLE analytics_dim_products (
    tenant_id   uuid         NOT NULL DEFAULT tenancy.current_tenant(),
    product_id  uuid         NOT NULL,
    name        varchar(200) NOT NULL,
    brand       varchar(200),
    category_id uuid,
    PRIMARY KEY (product_id, tenant_id)
);

-- One row for each day, account, type, category and merchant with posted entries. amount has the
-- ledger's sign, so the facts of an account add up to its balance.
CREATE TABLE analytics_fact_transactions (
    tenant_id         uuid           NOT NULL DEFAULT tenancy.current_tenant(),
    date              date           NOT NULL,
    account_id        uuid           NOT NULL,
    type              varchar(10)    NOT NULL,
    category_id       uuid,
    merchant_id       uuid,
    currency          varchar(3)     NOT NULL,
    transaction_count integer        NOT NULL,
    amount            numeric(20, 6) NOT NULL
);

CREATE UNIQUE INDEX ux_analytics_fact_transactions_date
    ON analytics_fact_transactions (tenant_id, date, account_id, type, category_id, merchant_id)
    NULLS NOT DISTINCT;
CREATE INDEX ix_analytics_fact_transactions_category_date
    ON analytics_fact_transactions (category_id, date, tenant_id) WHERE category_id IS NOT NULL;

-- What was ordered on a day and not cancelled.
CREATE TABLE analytics_fact_sales (
    tenant_id   uuid           NOT NULL DEFAULT tenancy.current_tenant(),
    date        date           NOT NULL,
    product_id  uuid           NOT NULL,
    location_id uuid           NOT NULL,
    currency    varchar(3)     NOT NULL,
    quantity    bigint         NOT NULL,
    amount      numeric(20, 6) NOT NULL,
    PRIMARY KEY (tenant_id, date, product_id, location_id, currency)
);

-- lint:ignore create_index published together with the version that made the table
CREATE INDEX ix_orders_created ON orders (tenant_id, created_at DESC);

-- Makes the dimensions and the facts of some days anew, from_date to until_date inclusive; how many
-- facts there are. Running it again changes nothing. Two runs of a tenant follow one another.
CREATE FUNCTION refresh_analytics(from_date date, until_date date) RETURNS bigint
LANGUAGE plpgsql SET search_path FROM CURRENT
AS $$
DECLARE
    tenant     uuid := tenancy.current_tenant();
    from_time  timestamptz := from_date::timestamp AT TIME ZONE 'UTC';
    until_time timestamptz := (until_date + 1)::timestamp AT TIME ZONE 'UTC';
    found_rows bigint;
    total      bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(
        'refresh_analytics:' || coalesce(tenant::text, ''), 0));

    INSERT INTO analytics_dim_dates (date, year, quarter, month, day_of_week)
    SELECT d, extract(year FROM d), extract(quarter FROM d), extract(month FROM d),
           extract(isodow FROM d)
    FROM (SELECT from_date + n AS d FROM generate_series(0, until_date - from_date) AS n) AS days
    ON CONFLICT DO NOTHING;

    INSERT INTO analytics_dim_accounts (account_id, type, currency, is_closed)
    SELECT id, type, currency, closed_at IS NOT NULL FROM accounts
    ON CONFLICT (tenant_id, account_id) DO UPDATE
        SET type = EXCLUDED.type, is_closed = EXCLUDED.is_closed;

    INSERT INTO analytics_dim_categories (category_id, name, root_id, root_name, depth)
    WITH RECURSIVE tree AS (
        SELECT id, name, id AS root_id, name AS root_name, 0 AS depth
        FROM categories WHERE parent_id IS NULL
        UNION ALL
        SELECT c.id, c.name, t.root_id, t.root_name, t.depth + 1
        FROM tree t JOIN categories c ON c.parent_id = t.id)
    SELECT id, name, root_id, root_name, depth FROM tree
    ON CONFLICT (tenant_id, category_id) DO UPDATE
        SET name = EXCLUDED.name, root_id = EXCLUDED.root_id, root_name = EXCLUDED.root_name,
            depth = EXCLUDED.depth;

    INSERT INTO analytics_dim_merchants (merchant_id, name, category)
    SELECT id, name, category FROM merchants
    ON CONFLICT (tenant_id, merchant_id) DO UPDATE
        SET name = EXCLUDED.name, category = EXCLUDED.category;

    INSERT INTO analytics_dim_products (product_id, name, brand, category_id)
    SELECT id, name, brand, category_id FROM products
    ON CONFLICT (tenant_id, product_id) DO UPDATE
        SET name = EXCLUDED.name, brand = EXCLUDED.brand, category_id = EXCLUDED.category_id;

    DELETE FROM analytics_fact_transactions
    WHERE tenant_id = tenant AND date BETWEEN from_date AND until_date;
    INSERT INTO analytics_fact_transactions (date, account_id, type, category_id, merchant_id,
                                             currency, transaction_count, amount, tenant_id)
    SELECT (occurred_at AT TIME ZONE 'UTC')::date, account_id, type, category_id, merchant_id,
           currency, count(*), sum(amount), tenant
    FROM ledger_entries
    WHERE tenant_id = tenant AND status = 'posted'
      AND occurred_at >= from_time AND occurred_at < until_time
    GROUP BY 1, 2, 3, 4, 5, 6;
    GET DIAGNOSTICS total = ROW_COUNT;

    DELETE FROM analytics_fact_sales
    WHERE tenant_id = tenant AND date BETWEEN from_date AND until_date;
    INSERT INTO analytics_fact_sales (date, product_id, location_id, currency, quantity, amount,
                                      tenant_id)
    SELECT (o.created_at AT TIME ZONE 'UTC')::date, i.product_id, i.location_id, o.currency,
           sum(i.quantity), sum(i.quantity * i.unit_price), tenant
    FROM orders o JOIN order_items i ON i.tenant_id = o.tenant_id AND i.order_id = o.id
    WHERE o.tenant_id = tenant AND o.status <> 'cancelled'
      AND o.created_at >= from_time AND o.created_at < until_time
    GROUP BY 1, 2, 3, 4;
    GET DIAGNOSTICS found_rows = ROW_COUNT;
    RETURN total + found_rows;
END
$$;
