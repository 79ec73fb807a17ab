ALTER TABLE market_data
    DROP CONSTRAINT market_data_volume_not_negative,
    DROP CONSTRAINT market_data_bar_is_closed,
    DROP CONSTRAINT market_data_symbol_not_blank;

DROP INDEX idx_trades_order_id;
DROP INDEX idx_trades_executed;
DROP INDEX idx_trades_symbol_executed;
DROP INDEX idx_trades_portfolio_id_executed;

ALTER TABLE trades
    DROP CONSTRAINT trades_commission_is_number,
    DROP CONSTRAINT trades_price_is_number,
    DROP CONSTRAINT trades_quantity_positive,
    DROP CONSTRAINT trades_side_check,
    DROP CONSTRAINT trades_symbol_not_blank,
    DROP CONSTRAINT trades_portfolio_id_fkey;
