DROP TABLE positions;
DROP TABLE portfolios;
DROP FUNCTION touch_updated_at();
DROP DOMAIN positive_amount;
DROP DOMAIN amount;
DROP DOMAIN trade_side;
DROP DOMAIN symbol;
