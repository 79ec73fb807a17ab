DROP FUNCTION refresh_analytics(date, date);
DROP INDEX ix_orders_created;
DROP TABLE analytics_fact_sales, analytics_fact_transactions, analytics_dim_products,
    analytics_dim_merchants, analytics_dim_categories, analytics_dim_accounts, analytics_dim_dates;
