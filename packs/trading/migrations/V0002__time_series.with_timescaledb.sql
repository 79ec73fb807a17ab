-- The two time series as hypertables: trades in chunks of one day, market data of one hour. The
-- columns and keys are those of the plain migration; indexes are common (V0003), so the extension
-- makes none of its own.

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
);

SELECT create_hypertable('trades', 'executed_at', chunk_time_interval => INTERVAL '1 day',
                         create_default_indexes => false);

CREATE TABLE market_data (
    symbol    symbol      NOT NULL,
    timestamp timestamptz NOT NULL,
    open      amount      NOT NULL,
    high      amount      NOT NULL,
    low       amount      NOT NULL,
    close     amount      NOT NULL,
    volume    bigint      NOT NULL DEFAULT 0,
    CONSTRAINT market_data_pkey PRIMARY KEY (symbol, timestamp)
);

SELECT create_hypertable('market_data', 'timestamp', chunk_time_interval => INTERVAL '1 hour',
                         create_default_indexes => false);
