-- The two time series, as native monthly partitions. Tenantry makes the partitions; what falls
-- into none of them (history that is imported) goes to the default partition.
-- The variant for TimescaleDB declares the same columns and keys; what follows is common (V0003).

CREATE TABLE trades (
    id           uuid            NOT NULL DEFAULT gen_random_uuid(),
    portfolio_id uuid            NOT NULL,
    symbol       symbol          NOT NULL,
    side         trade_side      NOT NULL,
    quantity     positive_amount NOT NULL,
    price        amount          NOT NULL,
    commission   amount          NOT NULL DEFAULT 0,
    executed_at  timestamptz     NOT NULL,
    order_id     varchar(100),
    created_at   timestamptz     NOT NULL DEFAULT now(),
    CONSTRAINT trades_pkey PRIMARY KEY (id, executed_at)
) PARTITION BY RANGE (executed_at);

CREATE TABLE trades_default PARTITION OF trades DEFAULT;

CREATE TABLE market_data (
    symbol    symbol      NOT NULL,
    timestamp timestamptz NOT NULL,
    open      amount      NOT NULL,
    high      amount      NOT NULL,
    low       amount      NOT NULL,
    close     amount      NOT NULL,
    volume    bigint      NOT NULL DEFAULT 0,
    CONSTRAINT market_data_pkey PRIMARY KEY (symbol, timestamp)
) PARTITION BY RANGE (timestamp);

CREATE TABLE market_data_default PARTITION OF market_data DEFAULT;
