DROP FUNCTION settle_transaction(uuid, text), reverse_transaction(uuid, text), reconcile_accounts();
DROP VIEW transaction_states, ledger_entries;
DROP TABLE transactions, transaction_keys, merchants, categories;
DROP FUNCTION post_transactions(), opposite_type(text), refuse_direct_change(), refuse_change(),
    guard_category_tree();
DROP DOMAIN transaction_status, transaction_type;
