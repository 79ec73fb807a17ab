-- Portfolios and the positions in them, and the types that all tables share.

-- A check that belongs to a domain is kept once per tenant; one that belongs to a partitioned table
-- is copied to every partition, and whatever is in pg_constraint slows down all later partitions of
-- all tenants (see README.md). So checks are few, and written so that PostgreSQL stores them short.
-- numeric(20,8) accepts NaN, which is greater than every number: the checks keep it out.
CREATE DOMAIN symbol AS varchar(20)
    CONSTRAINT symbol_not_blank CHECK (VALUE ~ '[^ ]');
CREATE DOMAIN trade_side AS varchar(4)
    CONSTRAINT trade_side_is_known CHECK (VALUE ~ '^(BUY|SELL)$');
CREATE DOMAIN amount AS numeric(20, 8)
    CONSTRAINT amount_is_number CHECK (VALUE < 'NaN');
CREATE DOMAIN positive_amount AS amount
    CONSTRAINT positive_amount_is_positive CHECK (VALUE > 0.0);

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
    CONSTRAINT portfolios_name_not_blank CHECK (name ~ '[^ ]'),
    CONSTRAINT portfolios_base_currency_is_code CHECK (base_currency ~ '^[A-Z]{3}$')
);

CREATE INDEX idx_portfolios_user_id ON portfolios (user_id);

CREATE TRIGGER portfolios_touch_updated_at BEFORE UPDATE ON portfolios
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- A negative quantity is a short position, zero a closed one that keeps its realized profit.
CREATE TABLE positions (
    id             uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    portfolio_id   uuid        NOT NULL REFERENCES portfolios (id) ON DELETE CASCADE,
    symbol         symbol      NOT NULL,
    quantity       amount      NOT NULL,
    avg_price      amount      NOT NULL,
    current_price  amount,
    realized_pnl   amount      NOT NULL DEFAULT 0,
    unrealized_pnl amount      NOT NULL DEFAULT 0,
    opened_at      timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX idx_positions_portfolio_id ON positions (portfolio_id);
CREATE INDEX idx_positions_symbol ON positions (symbol);

CREATE TRIGGER positions_touch_updated_at BEFORE UPDATE ON positions
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
