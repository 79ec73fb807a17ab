-- Portfolios and the positions in them.

CREATE FUNCTION touch_updated_at() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    NEW.updated_at := pg_catalog.now();
    RETURN NEW;
END
$$;

CREATE TABLE portfolios (
    id            uuid         PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id       uuid         NOT NULL,
    name          varchar(255) NOT NULL,
    description   text,
    base_currency char(3)      NOT NULL DEFAULT 'USD',
    is_active     boolean      NOT NULL DEFAULT true,
    created_at    timestamptz  NOT NULL DEFAULT now(),
    updated_at    timestamptz  NOT NULL DEFAULT now(),
    CONSTRAINT portfolios_name_not_blank CHECK (btrim(name) <> ''),
    CONSTRAINT portfolios_base_currency_is_code CHECK (base_currency ~ '^[A-Z]{3}$')
);

CREATE INDEX idx_portfolios_user_id ON portfolios (user_id);

CREATE TRIGGER portfolios_touch_updated_at BEFORE UPDATE ON portfolios
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- A negative quantity is a short position, zero a closed one that keeps its realized profit.
-- numeric(20,8) accepts NaN, which is greater than every number: the checks keep it out.
CREATE TABLE positions (
    id             uuid           PRIMARY KEY DEFAULT gen_random_uuid(),
    portfolio_id   uuid           NOT NULL REFERENCES portfolios (id) ON DELETE CASCADE,
    symbol         varchar(20)    NOT NULL,
    quantity       numeric(20, 8) NOT NULL,
    avg_price      numeric(20, 8) NOT NULL,
    current_price  numeric(20, 8),
    realized_pnl   numeric(20, 8) NOT NULL DEFAULT 0,
    unrealized_pnl numeric(20, 8) NOT NULL DEFAULT 0,
    opened_at      timestamptz    NOT NULL DEFAULT now(),
    updated_at     timestamptz    NOT NULL DEFAULT now(),
    CONSTRAINT positions_symbol_not_blank CHECK (btrim(symbol) <> ''),
    CONSTRAINT positions_quantity_is_number CHECK (quantity < 'NaN'),
    CONSTRAINT positions_prices_are_numbers CHECK (avg_price < 'NaN' AND current_price < 'NaN'),
    CONSTRAINT positions_pnl_is_number CHECK (realized_pnl < 'NaN' AND unrealized_pnl < 'NaN')
);

CREATE INDEX idx_positions_portfolio_id ON positions (portfolio_id);
CREATE INDEX idx_positions_symbol ON positions (symbol);

CREATE TRIGGER positions_touch_updated_at BEFORE UPDATE ON positions
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
