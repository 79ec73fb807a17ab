DROP FUNCTION refresh_tenant_metrics();
DROP TABLE tenant_metrics;
