-- What a trading application asks of one tenant, and the index that answers it. The statements run
-- as they are on the demo data, with the search_path of the tenant's schema; an application sends
-- parameters where the scalar subselects stand. They are the same for partitions and hypertables.

-- Portfolios of one user. Index: idx_portfolios_user_id
SELECT id, name, base_currency, is_active
FROM portfolios
WHERE user_id = (SELECT user_id FROM portfolios LIMIT 1);

-- Positions of one portfolio with their present value. Index: idx_positions_portfolio_id
SELECT symbol, quantity, avg_price, current_price, quantity * current_price AS value, unrealized_pnl
FROM positions
WHERE portfolio_id = (SELECT id FROM portfolios LIMIT 1)
ORDER BY symbol;

-- Who holds a symbol. Index: idx_positions_symbol
SELECT portfolio_id, quantity, avg_price
FROM positions
WHERE symbol = 'CORV' AND quantity <> 0;

-- A new price for a symbol. Index: idx_positions_symbol
UPDATE positions
SET current_price = 313.20, unrealized_pnl = quantity * (313.20 - avg_price)
WHERE symbol = 'CORV';

-- The newest page of a portfolio's trades; the next page starts at the last row's executed_at.
-- Index: idx_trades_portfolio_id_executed
SELECT id, symbol, side, quantity, price, commission, executed_at
FROM trades
WHERE portfolio_id = (SELECT id FROM portfolios LIMIT 1) AND executed_at < now()
ORDER BY executed_at DESC
LIMIT 50;

-- What was traded in a symbol today. Index: idx_trades_symbol_executed, in one partition
SELECT side, count(*) AS trades, sum(quantity) AS quantity,
       sum(quantity * price) / sum(quantity) AS average_price
FROM trades
WHERE symbol = 'CORV' AND executed_at >= date_trunc('day', now())
  AND executed_at < date_trunc('day', now()) + INTERVAL '1 day'
GROUP BY side;

-- How many trades counted against the plan's max_trades_per_day. Index: idx_trades_executed
SELECT count(*) AS trades_24h
FROM trades
WHERE executed_at > now() - INTERVAL '24 hours' AND executed_at <= now();

-- The fills of one order. Index: idx_trades_order_id, in every partition
SELECT id, symbol, side, quantity, price, executed_at
FROM trades
WHERE order_id = (SELECT order_id FROM trades WHERE order_id IS NOT NULL LIMIT 1);

-- One trade by its id. Index: the primary key, in every partition; add executed_at to reach one
SELECT *
FROM trades
WHERE id = (SELECT id FROM trades LIMIT 1);

-- The bars of a symbol for a chart. Index: the primary key of market_data
SELECT timestamp, open, high, low, close, volume
FROM market_data
WHERE symbol = 'CORV' AND timestamp >= now() - INTERVAL '12 hours' AND timestamp <= now()
ORDER BY timestamp;

-- The last price of a symbol, no older than a week.
-- Index: the primary key of market_data, backwards
SELECT timestamp, close
FROM market_data
WHERE symbol = 'CORV' AND timestamp >= now() - INTERVAL '7 days' AND timestamp <= now()
ORDER BY timestamp DESC
LIMIT 1;

-- Profit and loss of a portfolio, traded volume included.
-- Indexes: idx_positions_portfolio_id, idx_trades_portfolio_id_executed
SELECT p.name, pnl.realized, pnl.unrealized, volume.traded_30d
FROM portfolios AS p
CROSS JOIN LATERAL (SELECT sum(realized_pnl) AS realized, sum(unrealized_pnl) AS unrealized
                    FROM positions WHERE portfolio_id = p.id) AS pnl
CROSS JOIN LATERAL (SELECT sum(quantity * price) AS traded_30d
                    FROM trades
                    WHERE portfolio_id = p.id AND executed_at > now() - INTERVAL '30 days'
                        AND executed_at <= now()) AS volume
WHERE p.id = (SELECT id FROM portfolios LIMIT 1);
