#!/usr/bin/env python3
"""The rules of the fortress pack: each is tried to be broken, in a tenant of each tier."""
import contextlib
import functools
import itertools
import threading

import harness
from harness import Session, refused_sql, shared_server

TIERS = ("row", "schema")
DRIFT = "SELECT count(*) FROM reconcile_accounts() WHERE difference <> 0"
_number = itertools.count(1)


@functools.lru_cache(maxsize=None)
def tenant(tier):
    return shared_server().create("rules-" + tier, "fortress", "--tier", tier, "--plan", "critical")


def in_both_tiers(test):
    """Runs a test with the connection string of the application, once for each tier."""

    @functools.wraps(test)
    def run():
        for tier in TIERS:
            try:
                test(tenant(tier)["app"])
            except Exception as e:
                raise AssertionError("in the %s tier: %s" % (tier, e)) from e
            assert shared_server().psql(DRIFT, tenant(tier)["app"]) == "0", tier

    del run.__wrapped__
    return run


def ask(app, sql):
    return shared_server().psql(sql, app)


def privileged(app, sql):
    """SQL as a superuser in the place of the tenant, past all rights: what triggers alone refuse."""
    schema = ask(app, "SELECT current_schema")
    return shared_server().psql("SET search_path = %s; %s" % (schema, sql), shared_server().superuser, expect=None)


def new_account(app, currency="BRL"):
    return ask(app, "INSERT INTO accounts (name, type, currency) VALUES ('a', 'bank', '%s') RETURNING id" % currency)


def post(account, kind="credit", amount="10", status="posted", **more):
    """The INSERT of one transaction, with its id."""
    values = {"account_id": account, "type": kind, "amount": amount, "status": status, "currency": "BRL", **more}
    return "INSERT INTO transactions (%s) VALUES (%s) RETURNING id" % (
        ", ".join(values), ", ".join("'%s'" % value for value in values.values()))


def balance(app, account):
    return float(ask(app, "SELECT balance FROM accounts WHERE id = '%s'" % account))


def new_user(app):
    number = next(_number)
    return ask(app, "INSERT INTO users (email) VALUES ('u%d@example.org') RETURNING id" % number)


def new_stock(app, quantity=10, price="2.50", currency="BRL"):
    """A product in a new location: (product, location)."""
    number = next(_number)
    product = ask(app, "INSERT INTO products (sku, name, price, currency) VALUES ('S%d', 'p', %s, '%s') RETURNING id"
                  % (number, price, currency))
    location = ask(app, "INSERT INTO locations (name) VALUES ('L%d') RETURNING id" % number)
    ask(app, "INSERT INTO inventory (product_id, location_id) VALUES ('%s', '%s')" % (product, location))
    ask(app, move(product, location, "restock", quantity))
    return product, location


def move(product, location, reason, quantity, reserved=0):
    return ("INSERT INTO inventory_movements (product_id, location_id, reason, quantity_change, reserved_change)"
            " VALUES ('%s', '%s', '%s', %d, %d)" % (product, location, reason, quantity, reserved))


def stock(app, product):
    return ask(app, "SELECT quantity, reserved FROM inventory WHERE product_id = '%s'" % product)


def new_cart(app, product, quantity=2):
    cart = ask(app, "INSERT INTO carts (user_id) VALUES ('%s') RETURNING id" % new_user(app))
    ask(app, "INSERT INTO cart_items (cart_id, product_id, quantity) VALUES ('%s', '%s', %d)" % (cart, product, quantity))
    return cart


@in_both_tiers
def test_the_ledger_is_only_added_to_by_right_and_by_trigger(app):
    transaction = ask(app, post(new_account(app)))
    for table in ("transactions", "transaction_keys", "audit_logs", "inventory_movements", "order_items"):
        for sql in ("UPDATE %s SET tenant_id = tenant_id", "DELETE FROM %s", "TRUNCATE %s CASCADE"):
            refused_sql(app, sql % table, "permission denied")
            result = privileged(app, sql % table)
            assert "are added and never changed" in result.err, result.text()
    assert ask(app, "SELECT status FROM transactions WHERE id = '%s'" % transaction) == "posted"


@in_both_tiers
def test_a_partition_takes_no_rows_past_the_ledger(app):
    account = new_account(app)
    this_month = ask(app, "SELECT 'transactions_' || to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM')")
    refused_sql(app, "INSERT INTO audit_logs_default (entity, action) VALUES ('a', 'b')", "permission denied")
    for partition in (this_month, "transactions_default"):
        for sql in (post(account).replace("INTO transactions ", "INTO %s " % partition),
                    "UPDATE %s SET tenant_id = tenant_id" % partition, "DELETE FROM %s" % partition):
            refused_sql(app, sql, "permission denied")
    assert balance(app, account) == 0


@in_both_tiers
def test_posted_rows_move_balances_and_others_do_not(app):
    account, other = new_account(app), new_account(app)
    for row, expected in (
        (post(account, "credit", "100"), (100, 0)),
        (post(account, "debit", "30.25"), (69.75, 0)),
        (post(account, "fee", "0.75"), (69, 0)),
        (post(account, "transfer", "9", counterparty_account_id=other), (60, 9)),
        (post(account, "credit", "5", status="pending"), (60, 9)),
        (post(account, "credit", "5", status="failed"), (60, 9)),
        (post(account, "credit", "1", occurred_at="2001-01-01"), (61, 9)),
    ):
        ask(app, row)
        assert (balance(app, account), balance(app, other)) == expected, row
    ask(app, "INSERT INTO transactions (account_id, type, status, amount, currency)"
        " SELECT '%s', 'credit', 'posted', n, 'BRL' FROM generate_series(1, 100) n" % account)
    assert balance(app, account) == 61 + 5050


@in_both_tiers
def test_impossible_transactions_are_refused(app):
    account, euros = new_account(app), new_account(app, "EUR")
    for sql, says in (
        (post(account, amount="-1"), "unsigned_amount_check"),
        (post(account, amount="NaN"), "unsigned_amount_check"),
        (post(account, "gift"), "transaction_type_check"),
        (post(account, status="reversed"), "transaction_status_check"),
        (post(account, currency="brl"), "currency_code_check"),
        (post(account, currency="EUR"), "is closed, or not in EUR"),
        (post(account, "transfer", counterparty_account_id=euros), "is closed, or not in BRL"),
        (post(account, "transfer", counterparty_account_id=account), "transactions_counterparty_of_transfer"),
        (post(account, "transfer"), "transactions_counterparty_of_transfer"),
        (post(account, "debit", counterparty_account_id=euros), "transactions_counterparty_of_transfer"),
        (post("00000000-0000-0000-0000-000000000000"), "foreign key"),
    ):
        refused_sql(app, sql, says)
    assert balance(app, account) == 0


@in_both_tiers
def test_a_transaction_is_recorded_as_of_now_whenever_it_happened(app):
    account = new_account(app)
    for time in ("2001-01-01", "tomorrow"):
        refused_sql(app, post(account, created_at=time), "recorded as of now")
    ask(app, post(account, occurred_at="2001-01-01"))
    assert ask(app, "SELECT count(*) FROM transactions WHERE account_id = '%s' AND created_at > now() - INTERVAL '1 hour'"
               % account) == "1"


@in_both_tiers
def test_a_balance_cannot_be_written(app):
    account = new_account(app)
    ask(app, post(account))
    refused_sql(app, "UPDATE accounts SET balance = 1000 WHERE id = '%s'" % account, "by transactions only")
    refused_sql(app, "DO $$ BEGIN UPDATE accounts SET balance = 'NaN'; END $$", "amount_check")
    refused_sql(app, "INSERT INTO accounts (name, type, currency, balance) VALUES ('a', 'bank', 'BRL', 5)",
                "begins with a balance of zero")
    refused_sql(app, "UPDATE accounts SET currency = 'EUR' WHERE id = '%s'" % account, "cannot change")
    refused_sql(app, "UPDATE accounts SET closed_at = now() WHERE id = '%s'" % account, "cannot be closed")
    refused_sql(app, "DELETE FROM accounts WHERE id = '%s'" % account, "foreign key")
    refused_sql(app, "CREATE TEMP TABLE accounts (id uuid)", "permission denied")
    ask(app, post(account, "debit"))
    ask(app, "UPDATE accounts SET closed_at = now(), name = 'old' WHERE id = '%s'" % account)
    refused_sql(app, post(account), "is closed")


@in_both_tiers
def test_a_reversal_is_a_counter_entry_and_comes_once(app):
    account, other = new_account(app), new_account(app)
    for kind, more in (("credit", {}), ("debit", {}), ("fee", {}), ("transfer", {"counterparty_account_id": other})):
        original = ask(app, post(account, kind, "7", **more))
        reversal = ask(app, "SELECT reverse_transaction('%s', 'wrong')" % original)
        assert (balance(app, account), balance(app, other)) == (0, 0), kind
        sums = ask(app, "SELECT account_id, sum(amount) FROM ledger_entries WHERE transaction_id IN ('%s', '%s')"
                   " GROUP BY account_id HAVING sum(amount) <> 0" % (original, reversal))
        assert sums == "", sums
        assert ask(app, "SELECT state, successor_id FROM transaction_states WHERE transaction_id = '%s'" % original
                   ) == "reversed|" + reversal
        refused_sql(app, "SELECT reverse_transaction('%s')" % original, "ux_transaction_keys_original")
        refused_sql(app, "SELECT reverse_transaction('%s')" % reversal, "neither settles nor reverses")
    refused_sql(app, "SELECT reverse_transaction(gen_random_uuid())", "there is no posted transaction")


@in_both_tiers
def test_a_counter_entry_that_does_not_match_is_refused(app):
    account, other = new_account(app), new_account(app)
    original = ask(app, post(account, "credit", "7"))
    failed = ask(app, post(account, "credit", "7", status="failed"))
    for sql in (
        post(account, "debit", "8", original_id=original),
        post(account, "credit", "7", original_id=original),
        post(account, "fee", "7", original_id=original),
        post(other, "debit", "7", original_id=original),
        post(account, "debit", "7", status="pending", original_id=original),
        post(account, "debit", "7", original_id=failed),
    ):
        refused_sql(app, sql, "neither settles nor reverses")
    refused_sql(app, post(account, "debit", "7", original_id="00000000-0000-0000-0000-000000000000"), "foreign key")
    assert balance(app, account) == 7


@in_both_tiers
def test_a_pending_row_is_settled_once_with_its_own_contents(app):
    account = new_account(app)
    pending = ask(app, post(account, amount="7", status="pending"))
    for sql in (post(account, amount="8", original_id=pending), post(account, "debit", "7", original_id=pending),
                post(account, amount="7", status="pending", original_id=pending)):
        refused_sql(app, sql, "neither settles nor reverses")
    posted = ask(app, "SELECT settle_transaction('%s')" % pending)
    assert balance(app, account) == 7
    refused_sql(app, "SELECT settle_transaction('%s', 'failed')" % pending, "ux_transaction_keys_original")
    ask(app, "SELECT reverse_transaction('%s')" % posted)
    failing = ask(app, post(account, status="pending"))
    ask(app, "SELECT settle_transaction('%s', 'failed')" % failing)
    states = ask(app, "SELECT state FROM transaction_states WHERE transaction_id IN ('%s', '%s', '%s') ORDER BY state"
                 % (pending, posted, failing))
    assert (balance(app, account), states) == (0, "failed\nposted\nreversed")


@in_both_tiers
def test_an_idempotency_key_posts_once_over_all_months(app):
    account, key = new_account(app), "request-%d" % next(_number)
    transaction = ask(app, post(account, idempotency_key=key))
    for month in ("now", "2001-01-01", "2031-01-01"):
        refused_sql(app, post(account, idempotency_key=key, occurred_at=month), "ux_transaction_keys_idempotency")
        refused_sql(app, post(account, id=transaction, occurred_at=month), "transaction_keys_pkey")
    refused_sql(app, "INSERT INTO transaction_keys (transaction_id, occurred_at, status)"
                " VALUES (gen_random_uuid(), now(), 'posted')", "written by triggers only")
    assert balance(app, account) == 10


def test_tenants_may_use_the_same_keys():
    for tier in TIERS:
        neighbour = shared_server().create("same-" + tier, "fortress", "--tier", tier)
        for app in (tenant(tier)["app"], neighbour["app"]):
            ask(app, post(new_account(app), idempotency_key="same"))
            ask(app, "INSERT INTO users (email, phone) VALUES ('same@example.org', '+5511912345678')")
            ask(app, "INSERT INTO products (sku, name, price, currency) VALUES ('SAME', 'p', 1, 'BRL')")


@in_both_tiers
def test_the_ledger_reconciles_after_two_sessions_at_once(app):
    accounts = [new_account(app) for _ in range(4)]
    failures = []

    def work(order):
        sql = "".join(
            "INSERT INTO transactions (account_id, counterparty_account_id, type, status, amount, currency)"
            " SELECT a, b, 'transfer', 'posted', 1.5, 'BRL' FROM (VALUES %s) AS v (a, b);"
            % ", ".join("('%s'::uuid, '%s'::uuid)" % pair for pair in order) for _ in range(40))
        result = shared_server().psql(sql, app, expect=None)
        if result.status != 0:
            failures.append(result.text())

    pairs = list(itertools.permutations(accounts, 2))[:7]
    threads = [threading.Thread(target=work, args=(order,)) for order in (pairs, pairs[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures
    total = ask(app, "SELECT count(*), sum(balance) FROM accounts WHERE id IN (%s)"
                % ", ".join("'%s'" % account for account in accounts))
    assert total == "4|0.000000", total
    expected = [1.5 * 80 * (sum(b == account for _, b in pairs) - sum(a == account for a, _ in pairs)) for account in accounts]
    assert [balance(app, account) for account in accounts] == expected


@in_both_tiers
def test_two_sessions_reverse_a_transaction_once(app):
    account = new_account(app)
    original = ask(app, post(account))
    with Session(app) as first:
        first.ask("BEGIN;")
        first.ask("SELECT reverse_transaction('%s');" % original)
        refused_sql(app, "SET lock_timeout = '100ms'; SELECT reverse_transaction('%s')" % original, "lock timeout")
        first.ask("COMMIT;")
    refused_sql(app, "SELECT reverse_transaction('%s')" % original, "ux_transaction_keys_original")
    assert balance(app, account) == 0


@in_both_tiers
def test_categories_stay_a_tree(app):
    a, b, c = (ask(app, "INSERT INTO categories (name) VALUES ('c%d') RETURNING id" % next(_number)) for _ in range(3))
    below = "UPDATE categories SET parent_id = '%s' WHERE id = '%s'"
    ask(app, below % (a, b) + ";" + below % (b, c))
    for parent, child in ((a, a), (b, a), (c, a), (c, b)):
        refused_sql(app, below % (parent, child), "would be below itself")
    refused_sql(app, "INSERT INTO categories (id, parent_id, name) VALUES"
                " ('{0}', '{1}', 'x'), ('{1}', '{0}', 'y')".format(
                    "00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000b"), "below itself")
    refused_sql(app, "INSERT INTO categories (parent_id, name) SELECT parent_id, name FROM categories WHERE id = '%s'" % b,
                "ux_categories_parent_name")
    refused_sql(app, "INSERT INTO categories (name) SELECT name FROM categories WHERE id = '%s'" % a,
                "ux_categories_parent_name")
    refused_sql(app, "DELETE FROM categories WHERE id = '%s'" % a, "foreign key")


@in_both_tiers
def test_two_sessions_cannot_close_a_circle_of_categories(app):
    a, b = (ask(app, "INSERT INTO categories (name) VALUES ('c%d') RETURNING id" % next(_number)) for _ in range(2))
    below = "UPDATE categories SET parent_id = '%s' WHERE id = '%s';"
    for isolation in ("READ COMMITTED", "REPEATABLE READ"):
        with Session(app) as first:
            first.ask("BEGIN ISOLATION LEVEL %s;" % isolation)
            assert "ERROR" not in first.ask(below % (a, b))
            refused_sql(app, "SET lock_timeout = '100ms'; BEGIN ISOLATION LEVEL %s; " % isolation + below % (b, a),
                        "lock timeout")
            first.ask("COMMIT;")
        refused_sql(app, below % (b, a), "would be below itself")
        ask(app, "UPDATE categories SET parent_id = NULL WHERE id = '%s'" % b)


@in_both_tiers
def test_people_have_proper_addresses_once(app):
    user = new_user(app)
    for column, value, says in (
        ("email", "Ann@example.org", "email_address_check"), ("email", "ann", "email_address_check"),
        ("phone", "0711", "phone_number_check"), ("profile", "[]", "json_map_check"),
    ):
        refused_sql(app, "UPDATE users SET %s = '%s' WHERE id = '%s'" % (column, value, user), says)
    refused_sql(app, "INSERT INTO users (email) SELECT email FROM users WHERE id = '%s'" % user, "ux_users_tenant_email")
    ask(app, "INSERT INTO users DEFAULT VALUES; INSERT INTO users DEFAULT VALUES")


@in_both_tiers
def test_stock_changes_by_movements_only_and_stays_possible(app):
    product, location = new_stock(app)
    ask(app, "SELECT checkout_cart('%s', '%s')" % (new_cart(app, product, 4), location))
    assert stock(app, product) == "10|4"
    for sql in ("UPDATE inventory SET quantity = 99", "UPDATE inventory SET reserved = 0 WHERE reserved > 0"):
        refused_sql(app, sql, "by inventory_movements only")
    ask(app, "UPDATE inventory SET reorder_threshold = 3")
    for sql, says in (
        (move(product, location, "waste", -7), "inventory_reserved_is_there"),
        (move(product, location, "waste", -11), "check"),
        (move(product, location, "reservation", 0, 1), "by orders only"),
        (move(product, location, "release", 0, -1), "by orders only"),
        (move(product, location, "sale", -1, -1), "by orders only"),
        (move(product, location, "sale", -1, 0), "reason_fits"),
        (move(product, location, "restock", -1), "reason_fits"),
        (move(product, location, "gift", 1), "reason_fits"),
        (move(product, product, "restock", 1), "foreign key"),
    ):
        refused_sql(app, sql, says)
    refused_sql(app, "INSERT INTO inventory (product_id, location_id, quantity) SELECT id, '%s', 5 FROM products"
                " WHERE id <> '%s' LIMIT 1" % (location, product), "by inventory_movements only")
    assert stock(app, product) == "10|4"


@in_both_tiers
def test_a_cart_becomes_one_order_and_the_stock_follows(app):
    product, location = new_stock(app)
    cart = new_cart(app, product, 3)
    checkout = "SELECT checkout_cart('%s', '%s')" % (cart, location)
    with Session(app) as first:
        first.ask("BEGIN;")
        first.ask(checkout + ";")
        refused_sql(app, "SET lock_timeout = '100ms'; " + checkout, "lock timeout")
        first.ask("COMMIT;")
    refused_sql(app, checkout, "is checked out, expired or not there")
    order = ask(app, "SELECT id FROM orders WHERE cart_id = '%s' AND total_amount = 7.5 AND currency = 'BRL'" % cart)
    assert stock(app, product) == "10|3"
    for sql, says in (
        ("UPDATE orders SET total_amount = 1 WHERE id = '%s'", "do not change"),
        ("UPDATE orders SET currency = 'EUR' WHERE id = '%s'", "do not change"),
        ("UPDATE orders SET status = 'shipped' WHERE id = '%s'", "cannot be shipped"),
        ("UPDATE orders SET status = 'delivered' WHERE id = '%s'", "cannot be delivered"),
        ("UPDATE orders SET status = 'lost' WHERE id = '%s'", "order_status_check"),
        ("DELETE FROM orders WHERE id = '%s'", "foreign key"),
    ):
        refused_sql(app, sql % order, says)
    ask(app, "UPDATE orders SET status = 'paid' WHERE id = '%s'" % order)
    refused_sql(app, "INSERT INTO order_items (order_id, product_id, location_id, quantity, unit_price)"
                " SELECT order_id, product_id, location_id, 1, 1 FROM order_items WHERE order_id = '%s'" % order, "pkey")
    other, elsewhere = new_stock(app)
    refused_sql(app, "INSERT INTO order_items (order_id, product_id, location_id, quantity, unit_price)"
                " VALUES ('%s', '%s', '%s', 1, 1)" % (order, other, elsewhere), "takes no more items")
    ask(app, "UPDATE orders SET status = 'shipped' WHERE id = '%s'" % order)
    assert stock(app, product) == "7|0"
    refused_sql(app, "UPDATE orders SET status = 'cancelled' WHERE id = '%s'" % order, "cannot be cancelled")


def cart_item(cart, product):
    return "INSERT INTO cart_items (cart_id, product_id) VALUES ('%s', '%s')" % (cart, product)


@in_both_tiers
def test_an_item_is_in_the_cart_that_is_checked_out_or_refused(app):
    product, location = new_stock(app)
    foreign = new_stock(app, currency="EUR")[0]
    cart = new_cart(app, product, 1)
    checkout = "SELECT checkout_cart('%s', '%s')" % (cart, location)
    with Session(app) as first:
        first.ask("BEGIN;")
        first.ask(checkout + ";")
        refused_sql(app, "SET lock_timeout = '100ms'; " + cart_item(cart, foreign), "lock timeout")
        first.ask("COMMIT;")
    for change in (cart_item(cart, foreign), "UPDATE cart_items SET quantity = 2 WHERE cart_id = '%s'" % cart,
                   "DELETE FROM cart_items WHERE cart_id = '%s'" % cart,
                   "UPDATE cart_items SET cart_id = '%s' WHERE cart_id = '%s'" % (new_cart(app, foreign, 1), cart),
                   "UPDATE cart_items SET cart_id = '%s' WHERE product_id = '%s'" % (cart, foreign)):
        refused_sql(app, change, "the cart is checked out")
    refused_sql(app, "UPDATE carts SET checked_out_at = NULL WHERE id = '%s'" % cart, "is checked out and stays so")
    cart = new_cart(app, product, 1)
    checkout = "SELECT checkout_cart('%s', '%s')" % (cart, location)
    with Session(app) as first:
        first.ask("BEGIN; " + cart_item(cart, foreign) + ";")
        refused_sql(app, "SET lock_timeout = '100ms'; " + checkout, "lock timeout")
        first.ask("COMMIT;")
    refused_sql(app, checkout, "several currencies")
    ask(app, "DELETE FROM cart_items WHERE product_id = '%s'; DELETE FROM carts WHERE id = '%s'" % (foreign, cart))
    assert ask(app, "SELECT count(*) FROM cart_items WHERE cart_id = '%s'" % cart) == "0"


@in_both_tiers
def test_a_checkout_and_an_item_do_not_pass_each_other_on_an_old_snapshot(app):
    product, location = new_stock(app)
    other = new_stock(app)[0]
    for level in ("REPEATABLE READ", "SERIALIZABLE"):
        for has_item_first in (True, False):
            cart = new_cart(app, product, 1)
            changes = [cart_item(cart, other), "SELECT checkout_cart('%s', '%s')" % (cart, location)]
            first, second = changes if has_item_first else reversed(changes)
            with Session(app) as session:
                session.ask("BEGIN ISOLATION LEVEL %s; SELECT count(*) FROM carts;" % level)
                ask(app, first)
                said = session.ask(second + "; COMMIT;")
            assert "could not serialize access" in said, said


@in_both_tiers
def test_an_order_and_its_items_do_not_pass_each_other_on_an_old_snapshot(app):
    product, location = new_stock(app)
    other, elsewhere = new_stock(app)
    for level in ("REPEATABLE READ", "SERIALIZABLE"):
        for has_item_first in (True, False):
            order = ask(app, "SELECT checkout_cart('%s', '%s')" % (new_cart(app, product, 1), location))
            changes = ["INSERT INTO order_items (order_id, product_id, location_id, quantity, unit_price)"
                       " VALUES ('%s', '%s', '%s', 1, 0)" % (order, other, elsewhere),
                       "UPDATE orders SET status = 'cancelled' WHERE id = '%s'" % order]
            first, second = changes if has_item_first else reversed(changes)
            with Session(app) as session:
                session.ask("BEGIN ISOLATION LEVEL %s; SELECT count(*) FROM order_items;" % level)
                ask(app, first)
                said = session.ask(second + "; COMMIT;")
            assert "could not serialize access" in said, said
    assert (stock(app, product), stock(app, other)) == ("10|2", "10|2")


@in_both_tiers
def test_an_order_needs_stock_and_gives_it_back_when_cancelled(app):
    product, location = new_stock(app, 5)
    refused_sql(app, "SELECT checkout_cart('%s', '%s')" % (new_cart(app, product, 6), location), "inventory_reserved")
    assert stock(app, product) == "5|0"
    order = ask(app, "SELECT checkout_cart('%s', '%s')" % (new_cart(app, product, 5), location))
    assert stock(app, product) == "5|5"
    refused_sql(app, move(product, location, "waste", -1), "inventory_reserved")
    ask(app, "UPDATE orders SET status = 'cancelled' WHERE id = '%s'" % order)
    assert stock(app, product) == "5|0"
    refused_sql(app, "UPDATE orders SET status = 'created' WHERE id = '%s'" % order, "cannot be created")
    cart = new_cart(app, product, 1)
    ask(app, "INSERT INTO cart_items (cart_id, product_id) VALUES ('%s', '%s')" % (cart, new_stock(app, 5, "1", "EUR")[0]))
    refused_sql(app, "SELECT checkout_cart('%s', '%s')" % (cart, location), "several currencies")
    for values in ("'paid', 0", "'created', 5"):
        refused_sql(app, "INSERT INTO orders (user_id, currency, status, total_amount) SELECT id, 'BRL', %s FROM users"
                    " LIMIT 1" % values, "begins as created")


@in_both_tiers
def test_changes_are_audited_by_name_and_not_by_value(app):
    user = new_user(app)
    ask(app, "SET app.current_user_id = '%s'; UPDATE users SET email = 'x%d@example.org', is_active = false"
        " WHERE id = '%s'" % (user, next(_number), user))
    ask(app, "UPDATE users SET last_login_at = now() WHERE id = '%s'" % user)
    log = ask(app, "SELECT action, user_id, diff FROM audit_logs WHERE entity = 'users' AND entity_id = '%s'"
              " ORDER BY created_at" % user)
    assert log == 'insert||{}\nupdate|%s|{"changed": ["email", "is_active"]}' % user, log
    account = new_account(app)
    ask(app, post(account))
    ask(app, "UPDATE accounts SET name = 'b' WHERE id = '%s'" % account)
    log = ask(app, "SELECT action, diff FROM audit_logs WHERE entity_id = '%s' ORDER BY created_at" % account)
    assert log == 'insert|{}\nupdate|{"changed": ["name"]}', log


@in_both_tiers
def test_what_the_application_notes_cannot_look_like_an_audited_change(app):
    note = "INSERT INTO audit_logs (entity, action%s) VALUES ('users', '%s'%s)"
    for action in ("insert", "update", "delete", "UPDATE", "Delete", " insert", "update."):
        refused_sql(app, note % ("", action, ""), "audited by triggers")
    for time in ("2010-01-01", "2000-01-01", "tomorrow"):
        refused_sql(app, note % (", created_at", "signed_in", ", '%s'" % time), "as of now")
    ask(app, note % ("", "signed_in", ""))
    assert ask(app, "SELECT count(*) FROM audit_logs WHERE action = 'signed_in' AND created_at > now() - INTERVAL '1 hour'") == "1"


@contextlib.contextmanager
def temporary_tables():
    """A server on which everybody may make temporary tables, as one that is not ours does."""
    server = shared_server()
    right = "TEMPORARY ON DATABASE %s" % server.psql("SELECT quote_ident(current_database())")
    server.psql("GRANT %s TO PUBLIC" % right, server.superuser)
    try:
        yield
    finally:
        server.psql("REVOKE %s FROM PUBLIC" % right, server.superuser)


# A change made by a trigger of the application's own.
TRIGGER = """BEGIN;
CREATE TEMPORARY TABLE own (n integer);
CREATE FUNCTION pg_temp.act() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN %s; RETURN NULL; END $$;
CREATE TRIGGER act AFTER INSERT ON own FOR EACH ROW EXECUTE FUNCTION pg_temp.act();
INSERT INTO own VALUES (1);
COMMIT;"""
# A function of the pack, on a table that looks like the pack's.
LENT = """BEGIN;
CREATE TEMPORARY TABLE own (LIKE %s);
CREATE TRIGGER lent AFTER INSERT ON own REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION %s();
%s;
COMMIT;"""


@in_both_tiers
def test_a_trigger_on_a_temporary_table_has_no_rights_of_the_packs_triggers(app):
    account = new_account(app)
    product, location = new_stock(app)
    ask(app, "SELECT checkout_cart('%s', '%s')" % (new_cart(app, product, 1), location))
    with temporary_tables():
        for change, says in (
            ("UPDATE accounts SET balance = 5 WHERE id = '%s'" % account, "by transactions only"),
            ("UPDATE inventory SET quantity = 99", "by inventory_movements only"),
            (move(product, location, "release", 0, -1), "by orders only"),
            ("UPDATE orders SET total_amount = 0 WHERE total_amount > 0", "do not change"),
            ("UPDATE outbox_positions SET last_id = 0", "written by triggers only"),
            ("INSERT INTO transaction_keys (transaction_id, occurred_at, status) VALUES (gen_random_uuid(), now(), 'posted')",
             "written by triggers only"),
            ("INSERT INTO audit_logs (entity, action) VALUES ('users', 'update')", "audited by triggers"),
        ):
            refused_sql(app, TRIGGER % change, says)
        refused_sql(app, LENT % ("transactions", "post_transactions", post(account).replace("INTO transactions", "INTO own")
                                 .replace("(account_id", "(tenant_id, id, occurred_at, metadata, created_at, account_id")
                                 .replace("VALUES (", "VALUES (tenancy.current_tenant(), gen_random_uuid(), now(), '{}', now(), ")),
                    "written by triggers only")
        refused_sql(app, LENT % ("inventory_movements", "move_inventory",
                                 "INSERT INTO own SELECT tenant_id, id, product_id, location_id, order_id, 'restock', 5, 0, now()"
                                 " FROM inventory_movements LIMIT 1"), "by inventory_movements only")
        ask(app, "CREATE TEMPORARY TABLE mine (n integer); " + post(account))
    assert balance(app, account) == 10


# A change made by a CHECK that a foreign key's own trigger runs.
CASCADE = """BEGIN;
CREATE TEMPORARY TABLE p (k integer PRIMARY KEY);
CREATE FUNCTION pg_temp.act(integer) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
    IF $1 = 2 THEN %s; END IF; RETURN true; END $$;
CREATE TEMPORARY TABLE c (k integer REFERENCES p ON UPDATE CASCADE, CHECK (pg_temp.act(k)));
INSERT INTO p VALUES (1);
INSERT INTO c VALUES (1);
UPDATE p SET k = 2;
COMMIT;"""


@in_both_tiers
def test_a_check_behind_a_foreign_key_of_temporary_tables_has_no_rights_of_the_packs_triggers(app):
    account = new_account(app)
    product, location = new_stock(app)
    with temporary_tables():
        for change, says in (
            ("UPDATE accounts SET balance = 1000000 WHERE id = '%s'" % account, "by transactions only"),
            ("UPDATE inventory SET quantity = 99 WHERE product_id = '%s'" % product, "by inventory_movements only"),
            (move(product, location, "reservation", 0, 1), "by orders only"),
            ("INSERT INTO audit_logs (entity, action) VALUES ('users', 'delete')", "audited by triggers"),
        ):
            refused_sql(app, CASCADE % change, says)
    assert balance(app, account) == 0


# Temporary tables and types of the catalogue's names, before the catalogue is asked where a change comes from.
CATALOGUE = ("CREATE TEMPORARY TABLE pg_trigger (tgrelid oid);", "CREATE TEMPORARY TABLE pg_depend AS TABLE pg_catalog.pg_depend"
             " WITH NO DATA;", "CREATE DOMAIN pg_temp.regclass AS pg_catalog.text;")


@in_both_tiers
def test_a_temporary_catalogue_does_not_stand_in_for_the_real_one(app):
    account = new_account(app)
    with temporary_tables():
        for stand_in in CATALOGUE:
            for way in (TRIGGER, CASCADE):
                refused_sql(app, way.replace("BEGIN;", "BEGIN;\n" + stand_in, 1)
                            % ("UPDATE accounts SET balance = 1000000 WHERE id = '%s'" % account), "by transactions only")
        for path in ("", "SET search_path = pg_temp, %s; " % ask(app, "SELECT current_schema")):
            ask(app, "%s %sUPDATE accounts SET name = 'b' WHERE id = '%s'" % (" ".join(CATALOGUE), path, account))
    assert balance(app, account) == 0


@in_both_tiers
def test_a_temporary_table_does_not_stand_in_for_one_of_the_place(app):
    account, schema = new_account(app), ask(app, "SELECT current_schema")
    order = ask(app, "INSERT INTO orders (user_id, currency) VALUES ('%s', 'BRL') RETURNING id" % new_user(app))
    assert schema
    with temporary_tables():
        for path in ("", "SET search_path = pg_temp, %s; " % schema, "SET search_path = pg_temp; "):
            ask(app, "CREATE TEMPORARY TABLE accounts AS SELECT * FROM accounts; CREATE TEMPORARY TABLE transaction_keys"
                     " AS SELECT * FROM transaction_keys; CREATE TEMPORARY TABLE audit_logs AS SELECT * FROM audit_logs;"
                     " %s%s; UPDATE %s.orders SET status = status, shipping_address = '{}' WHERE id = '%s';"
                     " UPDATE %s.users SET is_active = NOT is_active"
                % (path, post(account).replace("INTO transactions", "INTO %s.transactions" % schema), schema, order, schema))
    assert balance(app, account) == 30
    assert ask(app, "SELECT count(*) FROM transaction_keys k JOIN transactions t ON t.id = k.transaction_id"
                    " WHERE account_id = '%s'" % account) == "3"
    assert int(ask(app, "SELECT count(*) FROM audit_logs WHERE entity = 'users' AND action = 'update'")) >= 3


@in_both_tiers
def test_an_event_goes_only_when_it_was_sent_a_year_ago(app):
    ask(app, EVENT % (", created_at", ", timestamptz '2001-01-01'", 2))
    second, first = ask(app, "SELECT id FROM events_outbox ORDER BY id DESC LIMIT 2").split()
    remove = "DELETE FROM events_outbox WHERE id IN (%s, %s)" % (first, second)
    refused_sql(app, remove, "kept until it is sent")
    ask(app, "UPDATE events_outbox SET status = 'sent', sent_at = '2001-01-01' WHERE id = " + first)
    refused_sql(app, remove, "kept until it is sent")
    tenant_id = ask(app, "SELECT tenancy.current_tenant()")
    privileged(app, "SET session_replication_role = replica; UPDATE events_outbox SET created_at = now() - INTERVAL '13 months'"
                    " WHERE tenant_id = '%s' AND id IN (%s, %s)" % (tenant_id, first, second))
    refused_sql(app, remove, "kept until it is sent")
    ask(app, "DELETE FROM events_outbox WHERE id = " + first)


EVENT = "INSERT INTO events_outbox (aggregate, event_type, payload%s) SELECT 'a', 'a.b', '{}'%s FROM generate_series(1, %d)"


@in_both_tiers
def test_events_are_numbered_in_the_order_of_commits_without_gaps(app):
    last = int(ask(app, "SELECT coalesce(max(id), 0) FROM events_outbox"))
    ask(app, EVENT % ("", "", 3))
    with Session(app) as first:
        first.ask("BEGIN;")
        first.ask(EVENT % ("", "", 1) + ";")
        refused_sql(app, "SET lock_timeout = '100ms'; " + EVENT % ("", "", 1), "lock timeout")
        first.ask("ROLLBACK;")
    ask(app, EVENT % (", id", ", 9000", 2))
    ids = ask(app, "SELECT string_agg((id - %d)::text, ',' ORDER BY id) FROM events_outbox WHERE id > %d" % (last, last))
    assert ids == "1,2,3,4,5", ids
    known = "INSERT INTO events_outbox (event_id, aggregate, event_type, payload) SELECT %s, 'a', 'a.b', '{}'" \
            " FROM generate_series(1, 2) n ON CONFLICT DO NOTHING"
    event = "CASE n WHEN %d THEN (SELECT event_id FROM events_outbox ORDER BY id LIMIT 1) ELSE gen_random_uuid() END"
    refused_sql(app, known % (event % 1), "one by one")
    ask(app, known % (event % 2))
    assert ask(app, "SELECT max(id) - %d FROM events_outbox" % last) == "6"
    refused_sql(app, EVENT % (", version", ", length(set_config('fortress.outbox_position', '900000', true))", 1), "one by one")
    for sql in ("UPDATE outbox_positions SET last_id = 0", "DELETE FROM outbox_positions"):
        refused_sql(app, sql, "written by triggers only")


@in_both_tiers
def test_publishers_get_different_events_and_cannot_change_them(app):
    ask(app, EVENT % ("", "", 4))
    with Session(app) as first:
        first.ask("BEGIN;")
        ours = first.ask("SELECT id FROM claim_events('one', 2);").split()
        theirs = ask(app, "SELECT id FROM claim_events('two', 2)").split()
        first.ask("COMMIT;")
    assert len(ours) == len(theirs) == 2 and not set(ours) & set(theirs), (ours, theirs)
    event = ours[0]
    for change in ("payload = '{\"x\": 1}'", "event_type = 'x'", "id = 77777", "aggregate_id = gen_random_uuid()"):
        refused_sql(app, "UPDATE events_outbox SET %s WHERE id = %s" % (change, event), "an event does not change")
    refused_sql(app, "UPDATE events_outbox SET status = 'sent' WHERE id = %s" % event, "sent_has_time")
    ask(app, "UPDATE events_outbox SET status = 'sent', sent_at = now() WHERE id = %s" % event)
    refused_sql(app, "UPDATE events_outbox SET status = 'pending', sent_at = NULL WHERE id = %s" % event, "once it is sent")
    again = ask(app, "SELECT id FROM claim_events('three', 100, INTERVAL '0')").split()
    assert event not in again and ours[1] in again, again


@in_both_tiers
def test_facts_add_up_to_the_balances_and_a_second_refresh_changes_nothing(app):
    ask(app, "SELECT refresh_analytics('2000-12-31', '2001-01-02'), refresh_analytics(CURRENT_DATE - 1, CURRENT_DATE + 1)")
    facts = "SELECT md5(string_agg(f::text, '' ORDER BY f::text)) FROM analytics_fact_transactions f"
    before = ask(app, facts)
    wrong = ask(app, "SELECT count(*) FROM accounts a WHERE balance <> (SELECT coalesce(sum(f.amount), 0)"
                " FROM analytics_fact_transactions f WHERE f.account_id = a.id)")
    ask(app, "SELECT refresh_analytics(CURRENT_DATE - 1, CURRENT_DATE + 1)")
    assert (wrong, ask(app, facts)) == ("0", before)
    sales = ask(app, "SELECT coalesce(sum(amount), 0) - (SELECT coalesce(sum(total_amount), 0) FROM orders"
                " WHERE status <> 'cancelled') FROM analytics_fact_sales")
    assert float(sales) == 0, sales


@in_both_tiers
def test_waiting_rows_move_into_new_partitions_without_being_posted_again(app):
    account = new_account(app)
    ask(app, post(account, occurred_at="now"))
    server = shared_server()
    schema = ask(app, "SELECT current_schema")
    month = ask(app, "SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM')")
    # The month is put back into the default partition, as if it had never been made.
    server.psql("ALTER TABLE {0}.transactions DETACH PARTITION {0}.transactions_{1};"
                "INSERT INTO {0}.transactions_default SELECT * FROM {0}.transactions_{1};"
                "DROP TABLE {0}.transactions_{1}".format(schema, month), server.superuser)
    server.tenantry("partition", "ensure")
    assert server.psql("SELECT count(*) FROM %s.transactions_%s WHERE account_id = '%s'" % (schema, month, account),
                       server.superuser) == "1"
    assert balance(app, account) == 10


@functools.lru_cache(maxsize=None)
def demonstration():
    with open(harness.os.path.join(harness.os.path.dirname(__file__), "../../packs/fortress/demo.sql"), encoding="utf-8") as f:
        return f.read()


def rows_of(schema, tenant_id):
    """How many rows of a tenant each table has."""
    server = shared_server()
    tables = server.psql("SELECT c.relname FROM pg_class c WHERE c.relnamespace = '%s'::regnamespace AND c.relkind IN ('r', 'p')"
                         " AND NOT c.relispartition ORDER BY 1" % schema, server.superuser).split()
    counts = server.psql(";".join("SELECT count(*) FROM %s.%s WHERE tenant_id = '%s'" % (schema, table, tenant_id)
                                  for table in tables), server.superuser).split()
    return {table: int(count) for table, count in zip(tables, counts)}


def test_a_tenant_with_rows_in_every_table_is_purged_and_its_neighbour_stays():
    server = shared_server()
    leaving, staying = (server.create(slug, "fortress", "--tier", "row") for slug in ("leaving", "staying"))
    schema = ask(staying["app"], "SELECT current_schema")
    for app in (leaving["app"], staying["app"]):
        ask(app, demonstration())
        ask(app, "INSERT INTO attachments (entity, entity_id, s3_key, file_name, content_type, size_bytes, sha256)"
                 " VALUES ('receipts', gen_random_uuid(), 'k', 'f', 'text/plain', 0, sha256(''));"
                 " INSERT INTO audit_logs (entity, action) VALUES ('users', 'signed_in')")
    before = rows_of(schema, staying["id"])
    assert len(before) > 20 and [table for table, count in rows_of(schema, leaving["id"]).items() if count == 0] == []
    server.tenantry("tenant", "archive", "leaving", "--drain-timeout", "0s")
    server.tenantry("tenant", "purge", "leaving", "--yes")
    assert [table for table, count in rows_of(schema, leaving["id"]).items() if count > 0] == []
    assert rows_of(schema, staying["id"]) == before
    assert ask(staying["app"], DRIFT) == "0"


def test_a_tenant_with_a_schema_of_its_own_is_purged():
    server = shared_server()
    app = server.create("leaving-schema", "fortress", "--tier", "schema")["app"]
    ask(app, demonstration())
    schema = ask(app, "SELECT current_schema")
    server.tenantry("tenant", "archive", "leaving-schema", "--drain-timeout", "0s")
    server.tenantry("tenant", "purge", "leaving-schema", "--yes")
    assert server.psql("SELECT count(*) FROM pg_namespace WHERE nspname = '%s'" % schema, server.superuser) == "0"


def test_the_demonstration_data_loads_and_reconciles():
    for tier in TIERS:
        app = shared_server().create("shown-" + tier, "fortress", "--tier", tier)["app"]
        ask(app, demonstration())
        assert ask(app, DRIFT + "; SELECT count(*) > 300 FROM transactions; SELECT count(*) FROM categories") == "0\nt\n17"


def test_the_columns_with_personal_data_are_there():
    shown = shared_server().tenantry("blueprint", "show", "fortress")["personal_data"]
    assert len(shown) > 20
    app = tenant("schema")["app"]
    columns = ask(app, "SELECT table_name || '.' || column_name FROM information_schema.columns"
                  " WHERE table_schema = current_schema").split("\n")
    assert [c for c in shown if "%s.%s" % (c["table"], c["column"]) not in columns] == []
    keys = [{**c, "table": ""} for c in shown if c["column"] == "idempotency_key"]
    assert len(keys) == 2 and keys[0] == keys[1], keys
    amounts = {c["table"] for c in shown if c["column"] == "amount"}
    assert amounts == {"transactions", "receipts", "receipt_items", "analytics_fact_transactions"}, amounts


if __name__ == "__main__":
    harness.main()
