-- lint:ignore drop_table x
DROP TABLE a;
--lint:ignore
SELECT 1; -- lint:ignore nothing at all
/* -- lint:ignore drop_table /* x */ */ ALTER TYPE e ADD VALUE 'a' BEFORE 'b';
SELECT 'a'