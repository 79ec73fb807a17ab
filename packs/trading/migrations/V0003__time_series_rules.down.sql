ALTER TABLE market_data DROP CONSTRAINT market_data_bar_is_possible;

DROP INDEX idx_trades_order_id;
DROP INDEX idx_trades_executed;
DROP INDEX idx_trades_symbol_executed;
DROP INDEX idx_trades_portfolio_id_executed;

ALTER TABLE trades DROP CONSTRAINT trades_portfolio_id_fkey;
