-- What a trading application asks of one tenant. The form of this file: tests/integration/pack_queries.py;
-- the plans are those of native partitions. Both bounds of a time matter, see README.md.

-- query: portfolios of one user
-- values: SELECT user_id FROM portfolios LIMIT 1
-- plan: index=idx_portfolios_user_id
SELECT id, name, base_currency, is_active
FROM portfolios
WHERE user_id = $1;

-- query: rename a portfolio
-- values: SELECT id, 'Growth' FROM portfolios LIMIT 1
-- plan: index=portfolios_pkey
UPDATE portfolios SET name = $2 WHERE id = $1
RETURNING updated_at;

-- query: positions of one portfolio with their present value
-- values: SELECT id FROM portfolios LIMIT 1
-- plan: index=idx_positions_portfolio_id
SELECT symbol, quantity, avg_price, current_price, quantity * current_price AS value, unrealized_pnl
FROM positions
WHERE portfolio_id = $1
ORDER BY symbol;

-- query: who holds a symbol
-- values: SELECT symbol FROM positions LIMIT 1
-- plan: index=idx_positions_symbol
SELECT portfolio_id, quantity, avg_price
FROM positions
WHERE symbol = $1 AND quantity <> 0;

-- query: a new price for a symbol
-- values: SELECT symbol, 313.20 FROM positions LIMIT 1
-- plan: index=idx_positions_symbol
UPDATE positions
SET current_price = $2::numeric, unrealized_pnl = quantity * ($2::numeric - avg_price)
WHERE symbol = $1;

-- query: what a user is exposed to, by symbol
-- values: SELECT user_id FROM portfolios LIMIT 1
-- plan: index=idx_portfolios_user_id
-- plan: index=idx_positions_portfolio_id
SELECT positions.symbol, sum(positions.quantity) AS quantity,
       sum(positions.quantity * positions.current_price) AS value
FROM portfolios
JOIN positions ON positions.portfolio_id = portfolios.id
WHERE portfolios.user_id = $1 AND portfolios.is_active AND positions.quantity <> 0
GROUP BY positions.symbol
ORDER BY value DESC NULLS LAST;

-- query: record a trade of an active portfolio
-- values: SELECT id FROM portfolios WHERE is_active LIMIT 1
-- plan: index=portfolios_pkey
INSERT INTO trades (portfolio_id, symbol, side, quantity, price, commission, executed_at, order_id)
SELECT id, 'SYM7', 'BUY', 10, 312.60, 1.25, now(), 'ORD-NEW'
FROM portfolios
WHERE id = $1 AND is_active
RETURNING id, executed_at;

-- query: the newest page of a portfolio's trades
-- values: SELECT portfolio_id FROM trades LIMIT 1
-- plan: index=idx_trades_portfolio_id_executed
-- plan: noseq=trades
SELECT id, symbol, side, quantity, price, commission, executed_at
FROM trades
WHERE portfolio_id = $1 AND executed_at <= now()
ORDER BY executed_at DESC
LIMIT 50;

-- query: the page after it, from where the last one ended
-- values: SELECT portfolio_id, executed_at, id FROM trades LIMIT 1
-- plan: index=idx_trades_portfolio_id_executed
-- plan: noseq=trades
SELECT id, symbol, side, quantity, price, commission, executed_at
FROM trades
WHERE portfolio_id = $1 AND (executed_at, id) < ($2, $3)
ORDER BY executed_at DESC, id DESC
LIMIT 50;

-- query: what was traded in a symbol today
-- values: SELECT symbol FROM trades LIMIT 1
-- plan: index=idx_trades_symbol_executed
-- plan: pruned=trades:1
SELECT side, count(*) AS trades, sum(quantity) AS quantity,
       sum(quantity * price) / sum(quantity) AS average_price
FROM trades
WHERE symbol = $1 AND executed_at >= date_trunc('day', now(), 'UTC')
  AND executed_at < date_trunc('day', now(), 'UTC') + INTERVAL '1 day'
GROUP BY side;

-- query: the last trades in a symbol, of all portfolios
-- values: SELECT symbol FROM trades LIMIT 1
-- plan: index=idx_trades_symbol_executed
SELECT executed_at, side, quantity, price
FROM trades
WHERE symbol = $1 AND executed_at <= now()
ORDER BY executed_at DESC
LIMIT 20;

-- query: how many trades count against the plan's max_trades_per_day
-- plan: index=idx_trades_executed
-- plan: pruned=trades:2
SELECT count(*) AS trades_24h
FROM trades
WHERE executed_at > now() - INTERVAL '24 hours' AND executed_at <= now();

-- query: the fills of one order
-- values: SELECT order_id FROM trades WHERE order_id IS NOT NULL LIMIT 1
-- plan: index=idx_trades_order_id
-- plan: noseq=trades
SELECT id, symbol, side, quantity, price, executed_at
FROM trades
WHERE order_id = $1;

-- query: one trade by its id, in every partition
-- values: SELECT id FROM trades LIMIT 1
-- plan: index=trades_pkey
-- plan: noseq=trades
SELECT *
FROM trades
WHERE id = $1;

-- query: one trade by its id and time, in one partition
-- values: SELECT id, executed_at FROM trades LIMIT 1
-- plan: pruned=trades:1
-- plan: noseq=trades
SELECT *
FROM trades
WHERE id = $1 AND executed_at = $2;

-- query: commission paid by a portfolio this month
-- values: SELECT portfolio_id FROM trades LIMIT 1
-- plan: index=idx_trades_portfolio_id_executed
-- plan: pruned=trades:1
SELECT count(*) AS trades, sum(commission) AS commission
FROM trades
WHERE portfolio_id = $1 AND executed_at >= date_trunc('month', now(), 'UTC')
  AND executed_at < date_trunc('month', now(), 'UTC') + INTERVAL '1 month';

-- query: the bars of a symbol for a chart of the last days
-- values: SELECT symbol FROM market_data LIMIT 1
-- plan: index=market_data_pkey
-- plan: pruned=market_data:2
SELECT timestamp, open, high, low, close, volume
FROM market_data
WHERE symbol = $1 AND timestamp >= now() - INTERVAL '5 days' AND timestamp <= now()
ORDER BY timestamp;

-- query: daily bars of this month, made of the stored ones
-- values: SELECT symbol FROM market_data LIMIT 1
-- plan: index=market_data_pkey
-- plan: pruned=market_data:1
SELECT date_trunc('day', timestamp, 'UTC') AS day, (array_agg(open ORDER BY timestamp))[1] AS open,
       max(high) AS high, min(low) AS low, (array_agg(close ORDER BY timestamp DESC))[1] AS close,
       sum(volume) AS volume
FROM market_data
WHERE symbol = $1 AND timestamp >= date_trunc('month', now(), 'UTC')
  AND timestamp < date_trunc('month', now(), 'UTC') + INTERVAL '1 month'
GROUP BY day
ORDER BY day;

-- query: the last price of a symbol, no older than a week
-- values: SELECT symbol FROM market_data LIMIT 1
-- plan: index=market_data_pkey
-- plan: pruned=market_data:2
SELECT timestamp, close
FROM market_data
WHERE symbol = $1 AND timestamp >= now() - INTERVAL '7 days' AND timestamp <= now()
ORDER BY timestamp DESC
LIMIT 1;

-- query: store a bar, or correct the one that is there
-- values: SELECT symbol, timestamp FROM market_data LIMIT 1
-- plan: index=market_data_pkey
INSERT INTO market_data (symbol, timestamp, open, high, low, close, volume)
VALUES ($1, $2, 100, 104, 99, 103, 5200)
ON CONFLICT (symbol, timestamp) DO UPDATE
SET open = EXCLUDED.open, high = EXCLUDED.high, low = EXCLUDED.low, close = EXCLUDED.close,
    volume = EXCLUDED.volume;

-- query: the positions of a portfolio at the last prices of the week
-- values: SELECT id FROM portfolios LIMIT 1
-- plan: index=idx_positions_portfolio_id
-- plan: index=market_data_pkey
-- plan: noseq=market_data
SELECT positions.symbol, positions.quantity, last.close, positions.quantity * last.close AS value
FROM positions
LEFT JOIN LATERAL (SELECT close
                   FROM market_data
                   WHERE symbol = positions.symbol AND timestamp >= now() - INTERVAL '7 days'
                     AND timestamp <= now()
                   ORDER BY timestamp DESC
                   LIMIT 1) AS last ON true
WHERE positions.portfolio_id = $1;

-- query: profit and loss of a portfolio, traded volume included
-- values: SELECT id FROM portfolios LIMIT 1
-- plan: index=portfolios_pkey
-- plan: index=idx_positions_portfolio_id
-- plan: index=idx_trades_portfolio_id_executed
SELECT portfolios.name, pnl.realized, pnl.unrealized, volume.traded_30d
FROM portfolios
CROSS JOIN LATERAL (SELECT sum(realized_pnl) AS realized, sum(unrealized_pnl) AS unrealized
                    FROM positions WHERE portfolio_id = portfolios.id) AS pnl
CROSS JOIN LATERAL (SELECT sum(quantity * price) AS traded_30d
                    FROM trades
                    WHERE portfolio_id = portfolios.id AND executed_at > now() - INTERVAL '30 days'
                      AND executed_at <= now()) AS volume
WHERE portfolios.id = $1;

-- query: close a portfolio; its positions and trades go with it
-- values: SELECT id FROM portfolios LIMIT 1
-- plan: index=portfolios_pkey
DELETE FROM portfolios
WHERE id = $1;
