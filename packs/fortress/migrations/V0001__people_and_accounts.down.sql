DROP TABLE accounts, users;
DROP FUNCTION guard_account(), is_purge(text, oid), comes_from_trigger(), touch_updated_at();
DROP DOMAIN account_type, unsigned_amount, amount, json_map, short_text, phone_number,
    email_address, currency_code;
