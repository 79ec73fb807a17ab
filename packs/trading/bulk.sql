-- Many rows for one tenant: 5,000 portfolios with 100,000 positions, 100,000 trades and 100,000 bars
-- of 400 instruments. For measuring and for the test of queries.sql, not for people to look at:
-- everything follows from row numbers. Times are counted from the beginning of the current month in
-- UTC, so that its partition is full on its first day too; half of the rows lie before it.

INSERT INTO portfolios (id, user_id, name, is_active)
SELECT md5('portfolio:' || n)::uuid, md5('user:' || n / 2)::uuid, 'Portfolio ' || n, n % 10 > 0
FROM generate_series(1, 5000) AS n;

INSERT INTO positions (portfolio_id, symbol, quantity, avg_price, current_price, unrealized_pnl)
SELECT md5('portfolio:' || p)::uuid, 'SYM' || (p * 7 + k * 19) % 400, (p + k) % 50 - 5,
       10 + (p + k) % 90, 12 + (p + k) % 90, 2 * ((p + k) % 50 - 5)
FROM generate_series(1, 5000) AS p, generate_series(1, 20) AS k;

INSERT INTO trades (portfolio_id, symbol, side, quantity, price, commission, executed_at, order_id)
SELECT md5('portfolio:' || 1 + n * 13 % 5000)::uuid, 'SYM' || n * 31 % 400,
       CASE WHEN n % 3 = 0 THEN 'SELL' ELSE 'BUY' END, 1 + n % 500, 10 + n % 90, 1.25,
       date_trunc('month', now(), 'UTC') + (n - 50000) * INTERVAL '48 seconds', 'ORD-' || n / 2
FROM generate_series(1, 100000) AS n;

INSERT INTO market_data (symbol, timestamp, open, high, low, close, volume)
SELECT 'SYM' || s, date_trunc('month', now(), 'UTC') + (h - 125) * INTERVAL '5 hours',
       100 + s % 50, 103 + s % 50, 98 + s % 50, 101 + h % 2 + s % 50, s * h
FROM generate_series(0, 399) AS s, generate_series(0, 249) AS h;
