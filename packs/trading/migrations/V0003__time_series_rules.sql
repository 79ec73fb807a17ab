-- What partitioned tables and hypertables have in common: the foreign key, indexes and the one check
-- that needs several columns.

-- lint:ignore add_foreign_key published together with the version that made the table
ALTER TABLE trades
    ADD CONSTRAINT trades_portfolio_id_fkey
        FOREIGN KEY (portfolio_id) REFERENCES portfolios (id) ON DELETE CASCADE;

-- lint:ignore create_index published together with the version that made the table
CREATE INDEX idx_trades_portfolio_id_executed ON trades (portfolio_id, executed_at DESC);
-- lint:ignore create_index published together with the version that made the table
CREATE INDEX idx_trades_symbol_executed ON trades (symbol, executed_at DESC);
-- lint:ignore create_index published together with the version that made the table
CREATE INDEX idx_trades_executed ON trades (executed_at DESC);
-- lint:ignore create_index published together with the version that made the table
CREATE INDEX idx_trades_order_id ON trades (order_id) WHERE order_id IS NOT NULL;

-- A bar contains its opening and closing price, and nobody trades less than nothing.
-- lint:ignore add_check published together with the version that made the table
ALTER TABLE market_data
    ADD CONSTRAINT market_data_bar_is_possible CHECK (
        open BETWEEN low AND high AND close BETWEEN low AND high AND volume >= 0);
