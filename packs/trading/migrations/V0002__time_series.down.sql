-- The same for partitioned tables and hypertables: partitions and chunks go with their table.
DROP TABLE market_data;
DROP TABLE trades;
