-- What partitioned tables and hypertables have in common: the foreign key, checks and indexes.

ALTER TABLE trades
    ADD CONSTRAINT trades_portfolio_id_fkey
        FOREIGN KEY (portfolio_id) REFERENCES portfolios (id) ON DELETE CASCADE,
    ADD CONSTRAINT trades_symbol_not_blank CHECK (btrim(symbol) <> ''),
    ADD CONSTRAINT trades_side_check CHECK (side IN ('BUY', 'SELL')),
    ADD CONSTRAINT trades_quantity_positive CHECK (quantity > 0 AND quantity < 'NaN'),
    ADD CONSTRAINT trades_price_is_number CHECK (price < 'NaN'),
    ADD CONSTRAINT trades_commission_is_number CHECK (commission < 'NaN');

CREATE INDEX idx_trades_portfolio_id_executed ON trades (portfolio_id, executed_at DESC);
CREATE INDEX idx_trades_symbol_executed ON trades (symbol, executed_at DESC);
CREATE INDEX idx_trades_executed ON trades (executed_at DESC);
CREATE INDEX idx_trades_order_id ON trades (order_id) WHERE order_id IS NOT NULL;

-- A bar contains its opening and closing price. NaN fails the comparison with low or high.
ALTER TABLE market_data
    ADD CONSTRAINT market_data_symbol_not_blank CHECK (btrim(symbol) <> ''),
    ADD CONSTRAINT market_data_bar_is_closed CHECK (
        high < 'NaN' AND low <= open AND low <= close AND high >= open AND high >= close),
    ADD CONSTRAINT market_data_volume_not_negative CHECK (volume >= 0);
