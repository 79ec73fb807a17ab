DROP TABLE addresses, customers, prices, price_lists, product_variants, products, categories,
    tax_rates, tax_classes, state_moves, settings;
DROP FUNCTION guard_address(), erase_addresses(), check_category_tree(), check_state_move(),
    require_read_committed(), comes_from_trigger(integer), refuse_write(), touch_updated_at();
DROP DOMAIN json_map, email, title, rate_ppm, pieces, country_code, currency_code, money_minor;
