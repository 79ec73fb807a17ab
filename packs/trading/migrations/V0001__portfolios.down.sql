DROP TABLE positions;
DROP TABLE portfolios;
DROP FUNCTION touch_updated_at();
