-- Synthetic data for one tenant: 3 portfolios, 48 hourly bars of 8 invented instruments, 160 trades
-- at prices of those bars, and the positions that follow from the trades. Every value is taken from
-- md5 of the tenant's id and the row's name, so a tenant always gets the same data (relative to the
-- current hour) and two tenants get different data.

INSERT INTO portfolios (id, user_id, name, description, base_currency, created_at)
SELECT md5(tenancy.current_tenant() || ':portfolio:' || n)::uuid,
       md5(tenancy.current_tenant() || ':user:' || (n + 1) / 2)::uuid,
       (ARRAY['Growth', 'Income', 'Hedge'])[n],
       (ARRAY['Technology and health, held for years', 'Utilities and dividends',
              'Short holding periods'])[n],
       (ARRAY['USD', 'USD', 'EUR'])[n],
       date_trunc('hour', now()) - make_interval(days => 90 - 20 * n)
FROM generate_series(1, 3) AS n;

-- A random walk per symbol: each bar opens where the one before closed.
INSERT INTO market_data (symbol, timestamp, open, high, low, close, volume)
WITH instrument (symbol, price, daily_volume) AS (
    VALUES ('ARDN', 184.20, 52000), ('BLYX', 41.75, 180000), ('CORV', 312.60, 21000),
           ('DELM', 27.35, 240000), ('ESKA', 96.10, 75000), ('FNTX', 540.00, 9000),
           ('GRVL', 12.48, 410000), ('HALC', 68.90, 98000)
), dice AS (
    SELECT symbol, price, daily_volume, hour,
           get_byte(hash, 0) / 255.0 - 0.5 AS step,
           get_byte(hash, 1) / 255.0 AS above,
           get_byte(hash, 2) / 255.0 AS below,
           get_byte(hash, 3) / 255.0 AS activity
    FROM instrument, generate_series(1, 48) AS hour,
         decode(md5(tenancy.current_tenant() || ':bar:' || symbol || hour), 'hex') AS hash
), closed AS (
    SELECT *, round(price * exp(sum(step * 0.012) OVER walk), 2) AS close_price
    FROM dice WINDOW walk AS (PARTITION BY symbol ORDER BY hour)
), bar AS (
    SELECT *, lag(close_price, 1, round(price, 2)) OVER walk AS open_price
    FROM closed WINDOW walk AS (PARTITION BY symbol ORDER BY hour)
)
SELECT symbol,
       date_trunc('hour', now()) - make_interval(hours => 48 - hour),
       open_price,
       round(greatest(open_price, close_price) * (1 + above * 0.004), 2),
       round(least(open_price, close_price) * (1 - below * 0.004), 2),
       close_price,
       (daily_volume / 24 * (0.5 + activity))::bigint
FROM bar;

-- Every third trade of a portfolio in a symbol sells a little, so that no position goes short.
INSERT INTO trades (id, portfolio_id, symbol, side, quantity, price, commission, executed_at,
                    order_id, created_at)
WITH draft AS (
    SELECT n, hash,
           md5(tenancy.current_tenant() || ':portfolio:' || 1 + get_byte(hash, 0) % 3)::uuid
               AS portfolio_id,
           (ARRAY['ARDN', 'BLYX', 'CORV', 'DELM', 'ESKA', 'FNTX', 'GRVL', 'HALC'])
               [1 + get_byte(hash, 1) % 8] AS symbol,
           date_trunc('hour', now()) - make_interval(hours => 47 - (n * 47 / 160)) AS hour
    FROM generate_series(1, 160) AS n,
         decode(md5(tenancy.current_tenant() || ':trade:' || n), 'hex') AS hash
), turn AS (
    SELECT *, row_number() OVER (PARTITION BY portfolio_id, symbol ORDER BY n) % 3 = 0 AS is_sale
    FROM draft
), filled AS (
    SELECT turn.*,
           CASE WHEN is_sale THEN 1 + get_byte(hash, 2) % 10
                ELSE 20 + get_byte(hash, 2) % 100 END AS amount,
           round(bar.low + (bar.high - bar.low) * get_byte(hash, 3) / 255.0, 2) AS price,
           hour - make_interval(secs => get_byte(hash, 4) * 14) AS executed_at
    FROM turn JOIN market_data AS bar ON bar.symbol = turn.symbol AND bar.timestamp = turn.hour
)
SELECT md5(tenancy.current_tenant() || ':trade-id:' || n)::uuid, portfolio_id, symbol,
       CASE WHEN is_sale THEN 'SELL' ELSE 'BUY' END, amount, price,
       round(1 + amount * price * 0.0005, 2), executed_at,
       'ORD-' || upper(substr(encode(hash, 'hex'), 1, 10)), executed_at
FROM filled;

INSERT INTO positions (id, portfolio_id, symbol, quantity, avg_price, current_price, realized_pnl,
                       unrealized_pnl, opened_at)
WITH total AS (
    SELECT portfolio_id, symbol, min(executed_at) AS opened_at,
           sum(quantity) FILTER (WHERE side = 'BUY') AS bought,
           coalesce(sum(quantity) FILTER (WHERE side = 'SELL'), 0) AS sold,
           coalesce(sum(quantity * price) FILTER (WHERE side = 'SELL'), 0) AS proceeds,
           sum(quantity * price) FILTER (WHERE side = 'BUY')
               / sum(quantity) FILTER (WHERE side = 'BUY') AS cost
    FROM trades GROUP BY portfolio_id, symbol
), last_bar AS (
    SELECT DISTINCT ON (symbol) symbol, close FROM market_data ORDER BY symbol, timestamp DESC
)
SELECT md5(tenancy.current_tenant() || ':position:' || portfolio_id || symbol)::uuid,
       portfolio_id, symbol, bought - sold, cost, close, proceeds - sold * cost,
       (bought - sold) * (close - cost), opened_at
FROM total JOIN last_bar USING (symbol);
