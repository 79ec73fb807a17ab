#!/usr/bin/env python3
"""The commerce pack: each rule that its database keeps, and somebody who tries to break it."""
import contextlib
import functools
import itertools
import os
import threading
import time
import uuid

import harness
from harness import Session, refused_sql, shared_server

DEMO = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "packs", "commerce", "demo.sql")
BLOCKED_TIMEOUT_S = 20
_names = itertools.count(1)


@functools.lru_cache(maxsize=None)
def shop():
    """One tenant for the file; every test has products and orders of its own."""
    return shared_server().create("shop", "commerce")


def sql(text, login="app"):
    return shared_server().psql(text, shop()[login])


def refused(text, says, login="app"):
    """What the database must refuse, and changes nothing by."""
    return refused_sql(shop()[login], text, says)


def new_id():
    return str(uuid.uuid4())


def values(**columns):
    """The two lists of an INSERT; None is NULL."""
    literals = ["NULL" if v is None else "'%s'" % str(v).replace("'", "''") for v in columns.values()]
    return "(%s) VALUES (%s)" % (", ".join(columns), ", ".join(literals))


def add(table, **columns):
    """Inserts a row with an id of ours, which it gives."""
    columns.setdefault("id", new_id())
    sql("INSERT INTO %s %s" % (table, values(**columns)))
    return columns["id"]


def variant():
    n = next(_names)
    tax_class = sql("SELECT id FROM tax_classes WHERE code = 'standard'")
    product = add("products", tax_class_id=tax_class, slug="p%d" % n, name="Product %d" % n, status="ACTIVE")
    return add("product_variants", product_id=product, sku="SKU-%d" % n, name="Product %d" % n)


@functools.lru_cache(maxsize=None)
def warehouse():
    return sql("SELECT id FROM locations WHERE code = 'main'")


def stocked(pieces):
    """A variant of which so many pieces are there."""
    made = variant()
    sql("INSERT INTO stock_moves " + values(variant_id=made, location_id=warehouse(), quantity=pieces, kind="RECEIPT"))
    return made


def stock(of):
    return sql("SELECT on_hand, reserved FROM stock_levels WHERE variant_id = '%s'" % of)


def reserve(of, pieces, **owner):
    """The statement that holds pieces for a cart or an order line."""
    return "INSERT INTO reservations " + values(variant_id=of, location_id=warehouse(), quantity=pieces, **owner)


def cart():
    return add("carts", currency="EUR")


def draft(quantity=2, unit_amount=1000, of=None, **columns):
    """An order with one line: both ids."""
    order = add("orders", currency="EUR", **columns)
    line = add("order_lines", order_id=order, variant_id=of or variant(), name="Thing", quantity=quantity,
               unit_amount=unit_amount, tax_rate=190000)
    return order, line


def move(table, row, *statuses):
    for status in statuses:
        sql("UPDATE %s SET status = '%s' WHERE id = '%s'" % (table, status, row))


def placed(**columns):
    order, line = draft(**columns)
    move("orders", order, "PLACED")
    return order, line


def paid(amount=2000, of=None):
    order, line = placed(unit_amount=amount // 2, of=of)
    payment = add("payments", order_id=order, provider="cardpay", amount=amount)
    move("payments", payment, "CAPTURED")
    return order, line, payment


def in_fulfilment(of=None):
    order, line, _ = paid(of=of)
    move("orders", order, "PAID", "FULFILLING")
    return order, line


def send(order, line, quantity, *statuses):
    """A shipment of pieces of a line, sent unless said otherwise."""
    shipment = add("shipments", order_id=order, location_id=warehouse())
    sql("INSERT INTO shipment_lines " + values(shipment_id=shipment, order_line_id=line, quantity=quantity))
    move("shipments", shipment, *(statuses or ["SHIPPED"]))
    return shipment


def customer():
    return add("customers", email="c%d@example.com" % next(_names), name="Somebody")


def at_isolation(level, first, meanwhile, then):
    """What a transaction is told of its second statement, when another session committed after its first one."""
    with contextlib.closing(Session(shop()["app"])) as session:
        said = session.ask("BEGIN ISOLATION LEVEL %s; %s;" % (level, first))
        assert "ERROR" not in said, said
        sql(meanwhile)
        return session.ask(then + "; COMMIT;")


# Those whose snapshot is as old as their transaction.
OLD_SNAPSHOTS = ("REPEATABLE READ", "SERIALIZABLE")


class Second:
    """Another session that runs one statement while the first one has locked what it needs."""

    def __init__(self, statement):
        self._session = Session(shop()["app"])
        self._pid = self._session.ask("SELECT pg_backend_pid();")
        self._thread = threading.Thread(target=self._run, args=(statement,))
        self.said = None

    def _run(self, statement):
        self.said = self._session.ask(statement + ";")

    def start(self):
        """Returns when the statement waits for the other session."""
        self._thread.start()
        end = time.monotonic() + BLOCKED_TIMEOUT_S
        waits = "SELECT cardinality(pg_blocking_pids(%s)) > 0" % self._pid
        while shared_server().psql(waits, shared_server().superuser) != "t":
            assert self._thread.is_alive() and time.monotonic() < end, "it does not wait: %r" % self.said
            time.sleep(harness.POLL_S)

    def finish(self):
        self._thread.join(BLOCKED_TIMEOUT_S)
        self._session.close()
        return self.said


def race(first, second, end="COMMIT"):
    """What the second statement says when it waited for the first, which then ended so."""
    with contextlib.closing(Session(shop()["app"])) as session:
        said = session.ask("BEGIN; " + first + ";")
        assert "ERROR" not in said, said
        other = Second(second)
        other.start()
        session.ask(end + ";")
        return other.finish()


# Stock


def test_stock_is_what_the_ledger_says():
    v = stocked(10)
    sql("INSERT INTO stock_moves " + values(variant_id=v, location_id=warehouse(), quantity=-3, kind="ADJUSTMENT"))
    assert stock(v) == "7|0"
    refused("INSERT INTO stock_moves " + values(variant_id=v, location_id=warehouse(), quantity=-8, kind="ADJUSTMENT"),
            "stock_levels_cover_reservations")
    refused("INSERT INTO stock_moves " + values(variant_id=v, location_id=warehouse(), quantity=3, kind="SHIPMENT"),
            "stock_moves_kind_has_sign")
    assert stock(v) == "7|0"


def test_stock_is_changed_in_no_other_way():
    v = stocked(5)
    says = "stock is changed by stock_moves and reservations"
    refused("UPDATE stock_levels SET on_hand = 99 WHERE variant_id = '%s'" % v, says)
    refused("UPDATE stock_levels SET reserved = 1 WHERE variant_id = '%s'" % v, says)
    refused("INSERT INTO stock_levels " + values(variant_id=variant(), location_id=warehouse(), on_hand=5), says)
    refused("DELETE FROM stock_levels WHERE variant_id = '%s'" % v, "there is stock left")
    refused("UPDATE stock_moves SET quantity = 50 WHERE variant_id = '%s'" % v, "permission denied")
    refused("DELETE FROM stock_moves WHERE variant_id = '%s'" % v, "permission denied")
    sql("UPDATE stock_levels SET reorder_level = 3 WHERE variant_id = '%s'" % v)
    assert stock(v) == "5|0"


def test_no_more_is_held_than_there_is():
    v = stocked(5)
    sql(reserve(v, 3, cart_id=cart()))
    refused(reserve(v, 3, cart_id=cart()), "stock_levels_cover_reservations")
    refused(reserve(v, 0, cart_id=cart()), "pieces_positive")
    refused(reserve(v, 1), "reservations_one_owner")
    refused(reserve(variant(), 1, cart_id=cart()), "reservations_stock_level")
    assert stock(v) == "5|3"
    refused("INSERT INTO stock_moves " + values(variant_id=v, location_id=warehouse(), quantity=-3, kind="TRANSFER"),
            "stock_levels_cover_reservations")


def test_a_reservation_is_released_shipped_or_deleted_once():
    v, c = stocked(10), cart()
    order, line = in_fulfilment(v)
    ids = [new_id() for _ in range(4)]
    for r in ids:
        owner = {"order_line_id": line} if r == ids[1] else {"cart_id": c}
        sql(reserve(v, 2, id=r, **owner))
    assert stock(v) == "10|8"
    refused("UPDATE reservations SET quantity = 1 WHERE id = '%s'" % ids[0], "a reservation does not change")
    move("reservations", ids[0], "RELEASED")
    send(order, line, 2)
    move("reservations", ids[1], "SHIPPED")
    assert stock(v) == "8|4"
    for r, status in ((ids[0], "SHIPPED"), (ids[1], "RELEASED"), (ids[0], "HELD")):
        refused("UPDATE reservations SET status = '%s' WHERE id = '%s'" % (status, r), "reservations: no move from")
    sql("DELETE FROM reservations WHERE id = '%s'" % ids[2])
    assert stock(v) == "8|2"
    sql("DELETE FROM carts WHERE id = '%s'" % c)
    assert stock(v) == "8|0"
    assert sql("SELECT sum(quantity) FROM stock_moves WHERE variant_id = '%s'" % v) == "8"


def test_two_sessions_cannot_both_have_the_last_piece():
    v = stocked(1)
    said = race(reserve(v, 1, cart_id=cart()), reserve(v, 1, cart_id=cart()))
    assert "stock_levels_cover_reservations" in said, said
    assert stock(v) == "1|1"


def test_the_second_session_has_the_last_piece_when_the_first_one_gives_up():
    v = stocked(1)
    said = race(reserve(v, 1, cart_id=cart()), reserve(v, 1, cart_id=cart()), end="ROLLBACK")
    assert "ERROR" not in said, said
    assert stock(v) == "1|1"


def test_many_sessions_together_hold_exactly_what_there_is():
    v, carts = stocked(5), [cart() for _ in range(8)]
    with contextlib.ExitStack() as stack:
        sessions = [stack.enter_context(contextlib.closing(Session(shop()["app"]))) for _ in carts]
        said = [None] * len(carts)

        def run(i):
            said[i] = sessions[i].ask(reserve(v, 1, cart_id=carts[i]) + ";")

        threads = [threading.Thread(target=run, args=(i,)) for i in range(len(carts))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert stock(v) == "5|5"
    assert sum("stock_levels_cover_reservations" in text for text in said) == 3, said


# Orders


def test_totals_are_those_of_the_lines():
    order, _ = draft(quantity=3, unit_amount=999, shipping_amount=490, lines_amount=1)
    add("order_lines", order_id=order, variant_id=variant(), name="Net", quantity=1, unit_amount=1000,
        tax_rate=190000, tax_included="false", discount_amount=100)
    assert sql("SELECT lines_amount FROM orders WHERE id = '%s'" % order) == "0"
    sql("UPDATE orders SET status = 'PLACED', lines_amount = 5, lines_tax_amount = 5 WHERE id = '%s'" % order)
    # 2997 with 478.5 tax in it, 900 and 171 tax on it
    answer = sql("SELECT lines_amount, lines_tax_amount, total_amount FROM orders WHERE id = '%s'" % order)
    assert answer == "4068|650|4558", answer
    refused("INSERT INTO orders (currency, total_amount) VALUES ('EUR', 5)", "total_amount")


def test_lines_of_an_order_that_is_placed_are_fixed():
    order, line = placed()
    for statement in (
        "UPDATE order_lines SET quantity = 1 WHERE id = '%s'" % line,
        "UPDATE order_lines SET name = 'Other' WHERE id = '%s'" % line,
        "DELETE FROM order_lines WHERE id = '%s'" % line,
        "INSERT INTO order_lines " + values(order_id=order, variant_id=variant(), name="More", quantity=1,
                                            unit_amount=1, tax_rate=0),
    ):
        refused(statement, "the order is placed: its lines are fixed")
    _, other = draft()
    refused("UPDATE order_lines SET order_id = '%s' WHERE id = '%s'" % (order, other), "stays in its order")
    refused("UPDATE order_lines SET fulfilled_quantity = 1 WHERE id = '%s'" % other, "shipments and returns count")


def test_an_order_that_is_placed_is_fixed():
    order, _ = placed(email="a@example.com")
    for change in ("lines_amount = 1", "shipping_amount = 5", "currency = 'USD'", "placed_at = now()",
                   "customer_id = '%s'" % customer(), "email = 'b@example.com'",
                   "shipping_address = '{\"city\": \"Elsewhere\"}'"):
        refused("UPDATE orders SET %s WHERE id = '%s'" % (change, order), "only its status may change")
    refused("DELETE FROM orders WHERE id = '%s'" % order, "it stays")
    sql("UPDATE orders SET email = NULL WHERE id = '%s'" % order)
    refused("UPDATE orders SET email = 'a@example.com' WHERE id = '%s'" % order, "only its status may change")


def test_a_line_cannot_slip_into_an_order_that_is_being_placed():
    order, _ = draft()
    more = "INSERT INTO order_lines " + values(order_id=order, variant_id=variant(), name="More", quantity=1,
                                               unit_amount=500, tax_rate=0)
    said = race("UPDATE orders SET status = 'PLACED' WHERE id = '%s'" % order, more)
    assert "its lines are fixed" in said, said
    assert sql("SELECT total_amount FROM orders WHERE id = '%s'" % order) == "2000"


def test_an_order_that_is_placed_has_the_line_that_it_waited_for():
    order, _ = draft()
    more = "INSERT INTO order_lines " + values(order_id=order, variant_id=variant(), name="More", quantity=1,
                                               unit_amount=500, tax_rate=0)
    said = race(more, "UPDATE orders SET status = 'PLACED' WHERE id = '%s'" % order)
    assert "ERROR" not in said, said
    assert sql("SELECT total_amount FROM orders WHERE id = '%s'" % order) == "2500"


def test_an_order_moves_only_as_the_table_of_moves_says():
    order, _ = draft()
    for status in ("PAID", "FULFILLING", "COMPLETED", "SOMETHING", ""):
        refused("UPDATE orders SET status = '%s' WHERE id = '%s'" % (status, order), 'no move from status "DRAFT"')
    refused("INSERT INTO orders (currency, status) VALUES ('EUR', 'PAID')", 'no move from status ""')
    move("orders", order, "CANCELLED")
    refused("UPDATE orders SET status = 'PLACED' WHERE id = '%s'" % order, 'no move from status "CANCELLED"')
    refused("INSERT INTO state_moves VALUES ('orders', 'CANCELLED', 'PAID')", "permission denied")
    refused("DELETE FROM state_moves", "permission denied")


def test_an_order_without_lines_cannot_be_placed():
    order = add("orders", currency="EUR")
    refused("UPDATE orders SET status = 'PLACED' WHERE id = '%s'" % order, "has no lines")


def test_an_order_is_paid_when_its_payments_cover_it():
    order, _ = placed()
    payment = add("payments", order_id=order, provider="cardpay", amount=1999)
    move("payments", payment, "CAPTURED")
    pay = "UPDATE orders SET status = 'PAID' WHERE id = '%s'" % order
    refused(pay, "is not paid in full")
    second = add("payments", order_id=order, provider="cardpay", amount=1)
    refused(pay, "is not paid in full")
    move("payments", second, "AUTHORIZED", "CAPTURED")
    sql(pay)


def test_an_order_is_sent_before_it_is_paid_only_on_account():
    order, _ = placed()
    fulfil = "UPDATE orders SET status = 'FULFILLING' WHERE id = '%s'" % order
    refused(fulfil, "is neither paid nor on account")
    refused("UPDATE orders SET on_account = true, status = 'FULFILLING' WHERE id = '%s'" % order, "only its status may change")
    order, _ = placed(on_account="true")
    refused("UPDATE orders SET status = 'PAID' WHERE id = '%s'" % order, "is not paid in full")
    move("orders", order, "FULFILLING")


def test_a_refund_and_the_payment_of_its_order_exclude_each_other():
    order, _, payment = paid()
    said = race("INSERT INTO refunds " + values(payment_id=payment, amount=1),
                "UPDATE orders SET status = 'PAID' WHERE id = '%s'" % order)
    assert "is not paid in full" in said, said


def test_an_order_is_completed_when_all_its_pieces_were_sent():
    order, line = in_fulfilment()
    complete, close = ("UPDATE orders SET status = '%s' WHERE id = '%s'" % (s, order) for s in ("COMPLETED", "CLOSED"))
    refused(complete, "has pieces that were not sent")
    send(order, line, 1)
    refused(complete, "has pieces that were not sent")
    shipment = add("shipments", order_id=order, location_id=warehouse())
    sql("INSERT INTO shipment_lines " + values(shipment_id=shipment, order_line_id=line, quantity=1))
    for statement in (complete, close):
        refused(statement, "has a shipment that is pending")
    move("shipments", shipment, "CANCELLED")
    refused(complete, "has pieces that were not sent")
    send(order, line, 1)
    sql(complete)
    refused(close, "no move from status")


def test_an_order_that_is_closed_gives_back_what_is_not_sent():
    v = stocked(4)
    order, line = in_fulfilment(v)
    ids = [new_id(), new_id()]
    for r in ids:
        sql(reserve(v, 1, id=r, order_line_id=line))
    shipment = send(order, line, 1)
    move("reservations", ids[0], "SHIPPED")
    move("orders", order, "CLOSED")
    assert stock(v) == "3|0"
    add("returns", order_id=order)
    sql("INSERT INTO return_lines " + values(return_id=add("returns", order_id=order), order_line_id=line, quantity=1))
    refused("UPDATE shipment_lines SET quantity = 2 WHERE shipment_id = '%s'" % shipment, "no longer new")


def test_an_order_is_not_completed_while_a_piece_is_put_into_a_shipment():
    order, line = in_fulfilment()
    shipment = add("shipments", order_id=order, location_id=warehouse())
    said = race("INSERT INTO shipment_lines " + values(shipment_id=shipment, order_line_id=line, quantity=1),
                "UPDATE orders SET status = 'CLOSED' WHERE id = '%s'" % order)
    assert "has a shipment that is pending" in said, said


def test_reserved_pieces_ship_with_a_shipment():
    v, c = stocked(10), cart()
    order, line = in_fulfilment(v)
    ids = [new_id() for _ in range(3)]
    ship = ["UPDATE reservations SET status = 'SHIPPED' WHERE id = '%s'" % r for r in ids]
    sql(reserve(v, 1, id=ids[0], cart_id=c))
    refused(ship[0], "ship with a shipment")
    for r in ids[1:]:
        sql(reserve(v, 1, id=r, order_line_id=line))
    refused(ship[1], "ship with a shipment")
    shipment = send(order, line, 1, "PENDING")
    refused(ship[1], "ship with a shipment")
    move("shipments", shipment, "SHIPPED")
    assert "ship with a shipment" in race(ship[1], ship[2])
    refused("DELETE FROM reservations WHERE id = '%s'" % ids[1], "that was shipped stays")
    refused("UPDATE reservations SET order_line_id = NULL, cart_id = '%s' WHERE id = '%s'" % (c, ids[1]),
            "stays with its order line")
    assert stock(v) == "9|2"


def test_what_is_reserved_for_an_order_line_is_of_its_variant():
    v, other = stocked(4), stocked(4)
    says = "the order line is for another variant"
    order, line = draft(of=v)
    refused(reserve(other, 1, order_line_id=line), says)
    held, of_cart = new_id(), new_id()
    sql(reserve(v, 1, id=held, order_line_id=line))
    sql(reserve(other, 1, id=of_cart, cart_id=cart()))
    refused("UPDATE reservations SET cart_id = NULL, order_line_id = '%s' WHERE id = '%s'" % (line, of_cart), says)
    sql("UPDATE order_lines SET variant_id = '%s' WHERE id = '%s'" % (other, line))
    move("orders", order, "PLACED")
    payment = add("payments", order_id=order, provider="cardpay", amount=2000)
    move("payments", payment, "CAPTURED")
    move("orders", order, "PAID", "FULFILLING")
    send(order, line, 1)
    refused("UPDATE reservations SET status = 'SHIPPED' WHERE id = '%s'" % held, says)
    move("reservations", held, "RELEASED")
    sql("UPDATE reservations SET cart_id = NULL, order_line_id = '%s' WHERE id = '%s'" % (line, of_cart))
    move("reservations", of_cart, "SHIPPED")
    assert (stock(v), stock(other)) == ("4|0", "3|0")


def test_an_order_that_has_ended_gets_no_other_shipment_and_no_reservation():
    v = stocked(3)
    completed, line = in_fulfilment(v)
    send(completed, line, 2)
    move("orders", completed, "COMPLETED")
    closed, closed_line = in_fulfilment(v)
    move("orders", closed, "CLOSED")
    cancelled, cancelled_line = placed(of=v)
    move("orders", cancelled, "CANCELLED")
    for order, says in ((completed, "completed"), (closed, "closed"), (cancelled, "cancelled")):
        refused("INSERT INTO shipments " + values(order_id=order, location_id=warehouse()),
                "the order is %s: nothing more is sent" % says)
    for line, says in ((closed_line, "closed"), (cancelled_line, "cancelled")):
        refused(reserve(v, 1, order_line_id=line), "the order is %s: nothing is held for it" % says)
    assert stock(v) == "3|0"


def test_an_order_does_not_end_while_it_gets_a_shipment_or_a_reservation():
    order, _ = in_fulfilment()
    close = "UPDATE orders SET status = 'CLOSED' WHERE id = '%s'"
    said = race("INSERT INTO shipments " + values(order_id=order, location_id=warehouse()), close % order)
    assert "has a shipment that is pending" in said, said
    v = stocked(1)
    order, line = in_fulfilment(v)
    said = race(reserve(v, 1, order_line_id=line), close % order)
    assert "ERROR" not in said and stock(v) == "1|0", said
    order, line = in_fulfilment(v)
    said = race(close % order, reserve(v, 1, order_line_id=line))
    assert "nothing is held for it" in said and stock(v) == "1|0", said


def test_a_change_that_depends_on_other_rows_is_not_made_on_an_old_snapshot():
    needs = "this change needs isolation level read committed"
    v = stocked(4)
    for level in OLD_SNAPSHOTS:
        order, _ = draft()
        more = "INSERT INTO order_lines " + values(order_id=order, variant_id=variant(), name="More", quantity=1,
                                                   unit_amount=99900, tax_rate=0)
        place = "UPDATE orders SET status = 'PLACED' WHERE id = '%s'" % order
        said = at_isolation(level, "SELECT count(*) FROM order_lines", more, place)
        assert needs in said, said
        assert "HINT:  Make it in a transaction begun with ISOLATION LEVEL READ COMMITTED." in said, said
        sql(place)
        assert sql("SELECT total_amount FROM orders WHERE id = '%s'" % order) == "101900"

        order, line = in_fulfilment(v)
        shipment = add("shipments", order_id=order, location_id=warehouse())
        said = at_isolation(level, "SELECT count(*) FROM shipment_lines",
                            "INSERT INTO shipment_lines " + values(shipment_id=shipment, order_line_id=line, quantity=1),
                            "UPDATE shipments SET status = 'CANCELLED' WHERE id = '%s'" % shipment)
        assert needs in said, said
        move("shipments", shipment, "SHIPPED")
        held = [new_id() for _ in range(2)]
        for r in held:
            sql(reserve(v, 1, id=r, order_line_id=line))
        ship = ["UPDATE reservations SET status = 'SHIPPED' WHERE id = '%s'" % r for r in held]
        said = at_isolation(level, "SELECT count(*) FROM reservations", ship[0], ship[1])
        assert needs in said, said
        given = add("returns", order_id=order)
        said = at_isolation(level, "SELECT count(*) FROM return_lines",
                            "INSERT INTO return_lines " + values(return_id=given, order_line_id=line, quantity=1),
                            "UPDATE returns SET status = 'REJECTED' WHERE id = '%s'" % given)
        assert needs in said, said
        move("returns", given, "REJECTED")
        assert sql("SELECT fulfilled_quantity, returned_quantity FROM order_lines WHERE id = '%s'" % line) == "1|0"


def test_a_line_on_an_old_snapshot_does_not_slip_into_an_order_that_was_placed():
    for level in OLD_SNAPSHOTS:
        order, _ = draft()
        more = "INSERT INTO order_lines " + values(order_id=order, variant_id=variant(), name="More", quantity=1,
                                                   unit_amount=500, tax_rate=0)
        said = at_isolation(level, "SELECT count(*) FROM orders", "UPDATE orders SET status = 'PLACED' WHERE id = '%s'" % order,
                            more)
        assert "could not serialize access" in said, said
        customer_id = customer()
        discount = add("discounts", code="OLD-%d" % next(_names), rate=1, max_uses_per_customer=1)
        orders = [draft(customer_id=customer_id)[0] for _ in range(2)]
        said = at_isolation(level, "SELECT count(*) FROM discount_uses", discount_use(discount, orders[0]),
                            discount_use(discount, orders[1]))
        assert "could not serialize access" in said, said


def test_an_order_that_is_cancelled_gives_back_what_it_held():
    v = stocked(4)
    discount = add("discounts", code="BACK", rate=100000, max_uses=1)
    order, line = draft(of=v)
    sql("INSERT INTO discount_uses " + values(order_id=order, discount_id=discount))
    sql(reserve(v, 2, order_line_id=line))
    move("orders", order, "PLACED", "CANCELLED")
    assert stock(v) == "4|0"
    assert sql("SELECT used_count FROM discounts WHERE id = '%s'" % discount) == "0"


# Money


def test_money_is_whole_not_negative_and_has_a_currency():
    order, _ = draft()
    line = values(order_id=order, variant_id=variant(), name="X", quantity=1, unit_amount=-1, tax_rate=0)
    refused("INSERT INTO order_lines " + line, "money_minor_in_range")
    line = values(order_id=order, variant_id=variant(), name="X", quantity=1, unit_amount=5, discount_amount=6, tax_rate=0)
    refused("INSERT INTO order_lines " + line, "money_minor_in_range")
    refused("INSERT INTO orders (currency) VALUES ('eur')", "currency_code_is_iso_4217")
    refused("INSERT INTO price_lists (code, name, currency) VALUES ('x', 'X', 'E')", "price_lists_currency_is_code")


def test_refunds_never_exceed_the_payment():
    _, _, payment = paid(2000)
    first = add("refunds", payment_id=payment, amount=1500)
    refused("INSERT INTO refunds " + values(payment_id=payment, amount=501), "payments_cover_refunds")
    move("refunds", first, "FAILED")
    add("refunds", payment_id=payment, amount=2000)
    refused("UPDATE refunds SET amount = 5000 WHERE payment_id = '%s'" % payment, "a refund keeps payment and amount")
    refused("DELETE FROM refunds WHERE payment_id = '%s'" % payment, "a refund stays")
    refused("UPDATE payments SET refunded_amount = 0 WHERE id = '%s'" % payment, "refunds count what went back")
    refused("UPDATE payments SET amount = 9000 WHERE id = '%s'" % payment, "a payment keeps order")
    refused("DELETE FROM payments WHERE id = '%s'" % payment, "a payment stays")
    refused("INSERT INTO refunds " + values(payment_id=payment, amount=0), "refunds_amount_positive")


def test_two_refunds_at_once_cannot_exceed_the_payment():
    _, _, payment = paid(2000)
    refund = "INSERT INTO refunds " + values(payment_id=payment, amount=1200)
    said = race(refund, refund)
    assert "payments_cover_refunds" in said, said


def test_only_a_captured_payment_is_refunded():
    order, _ = placed()
    payment = add("payments", order_id=order, provider="cardpay", amount=2000)
    refused("INSERT INTO refunds " + values(payment_id=payment, amount=1), "only a captured payment")
    move("payments", payment, "FAILED")
    refused("UPDATE payments SET status = 'CAPTURED' WHERE id = '%s'" % payment, 'no move from status "FAILED"')
    refused("INSERT INTO payments " + values(order_id=order, provider="x", amount=5, status="CAPTURED"),
            'no move from status ""')
    refused("INSERT INTO payments " + values(order_id=order, provider="x", amount=5, refunded_amount=1),
            "is counted in refunds")


# Discounts


def discount_use(discount, order):
    return "INSERT INTO discount_uses " + values(order_id=order, discount_id=discount)


def test_a_discount_is_used_as_often_as_allowed():
    discount = add("discounts", code="ONCE", rate=100000, max_uses=1)
    order, _ = draft()
    sql(discount_use(discount, order))
    refused(discount_use(discount, draft()[0]), "discounts_use_limit")
    refused("UPDATE discounts SET used_count = 0 WHERE id = '%s'" % discount, "counted in discount_uses")
    refused("INSERT INTO discounts (code, rate, used_count) VALUES ('MINUS', 1, -5)", "counted in discount_uses")
    refused("UPDATE discount_uses SET discount_id = discount_id WHERE order_id = '%s'" % order, "does not change")
    move("orders", order, "PLACED")
    refused("DELETE FROM discount_uses WHERE order_id = '%s'" % order, "its discounts are fixed")
    refused(discount_use(add("discounts", code="LATE", rate=1), order), "its discounts are fixed")


def test_two_sessions_cannot_both_have_the_last_use_of_a_discount():
    discount = add("discounts", code="LAST", rate=100000, max_uses=1)
    said = race(discount_use(discount, draft()[0]), discount_use(discount, draft()[0]))
    assert "discounts_use_limit" in said, said
    assert sql("SELECT used_count FROM discounts WHERE id = '%s'" % discount) == "1"


def test_two_orders_of_one_customer_at_once_keep_the_limit_per_customer():
    c = customer()
    discount = add("discounts", code="PERSONAL", rate=100000, max_uses_per_customer=1)
    orders = [draft(customer_id=c)[0] for _ in range(2)]
    said = race(discount_use(discount, orders[0]), discount_use(discount, orders[1]))
    assert "as often as allowed" in said, said
    sql(discount_use(discount, draft(customer_id=customer())[0]))


def test_a_limit_per_customer_is_not_passed_by_naming_another_customer():
    c = customer()
    discount = add("discounts", code="MINE", rate=100000, max_uses_per_customer=1)
    refused(discount_use(discount, draft()[0]), "the order has none")
    order, _ = draft(customer_id=customer())
    sql(discount_use(discount, order))
    sql("UPDATE orders SET customer_id = '%s' WHERE id = '%s'" % (c, order))
    refused("UPDATE orders SET status = 'PLACED' WHERE id = '%s'" % order, "discounts of another customer")


def test_a_use_that_is_not_inserted_does_not_count():
    discount = add("discounts", code="AGAIN", rate=1, max_uses=2)
    order, _ = draft()
    for _ in range(4):
        sql(discount_use(discount, order) + " ON CONFLICT DO NOTHING")
    assert sql("SELECT used_count FROM discounts WHERE id = '%s'" % discount) == "1"
    sql("DELETE FROM discount_uses WHERE order_id = '%s'" % order)
    assert sql("SELECT used_count FROM discounts WHERE id = '%s'" % discount) == "0"


def test_a_draft_that_is_deleted_gives_back_what_it_held():
    v = stocked(3)
    discount = add("discounts", code="DRAFTED", rate=1, max_uses=1)
    order, line = draft(of=v)
    sql(discount_use(discount, order))
    sql(reserve(v, 2, order_line_id=line))
    sql("DELETE FROM orders WHERE id = '%s'" % order)
    assert stock(v) == "3|0"
    assert sql("SELECT used_count FROM discounts WHERE id = '%s'" % discount) == "0"


def test_a_discount_is_used_while_it_is_valid():
    discount = add("discounts", code="OVER", rate=1, valid_from="2020-01-01", valid_until="2021-01-01")
    refused(discount_use(discount, draft()[0]), 'discount "OVER" is not valid now')
    refused("INSERT INTO discounts (code, rate, amount, currency) VALUES ('BOTH', 1, 1, 'EUR')",
            "discounts_rate_or_amount")
    refused("INSERT INTO discounts (code, rate) VALUES ('lower', 1)", "discounts_code_is_upper")


# Shipments and returns


def test_no_more_is_sent_than_was_ordered_and_no_more_comes_back_than_was_sent():
    order, line = in_fulfilment()
    shipment = add("shipments", order_id=order, location_id=warehouse())
    send = "INSERT INTO shipment_lines " + values(shipment_id=shipment, order_line_id=line, quantity=3)
    refused(send, "order_lines_returned_fulfilled_ordered")
    given = add("returns", order_id=order)
    back = "INSERT INTO return_lines " + values(return_id=given, order_line_id=line, quantity=1)
    refused(back, "order_lines_returned_fulfilled_ordered")
    sql(send.replace("'3'", "'2'"))
    refused("UPDATE shipment_lines SET quantity = 3 WHERE shipment_id = '%s'" % shipment,
            "order_lines_returned_fulfilled_ordered")
    sql(back)
    second = add("shipments", order_id=order, location_id=warehouse())
    refused("INSERT INTO shipment_lines " + values(shipment_id=second, order_line_id=line, quantity=1),
            "order_lines_returned_fulfilled_ordered")
    refused("UPDATE shipments SET status = 'CANCELLED' WHERE id = '%s'" % shipment,
            "order_lines_returned_fulfilled_ordered")
    move("returns", given, "REJECTED")
    move("shipments", shipment, "CANCELLED")
    assert sql("SELECT fulfilled_quantity, returned_quantity FROM order_lines WHERE id = '%s'" % line) == "0|0"
    refused("DELETE FROM shipment_lines WHERE shipment_id = '%s'" % shipment, "no longer new")
    refused("UPDATE shipments SET status = 'SHIPPED' WHERE id = '%s'" % shipment, 'no move from status "CANCELLED"')
    refused("UPDATE returns SET status = 'RECEIVED' WHERE id = '%s'" % given, 'no move from status "REJECTED"')


def test_a_line_of_a_shipment_or_return_that_is_not_inserted_does_not_count():
    order, line = in_fulfilment()
    counters = "SELECT fulfilled_quantity, returned_quantity FROM order_lines WHERE id = '%s'" % line
    shipment, given = add("shipments", order_id=order, location_id=warehouse()), add("returns", order_id=order)
    for table, row in (("shipment_lines", {"shipment_id": shipment}), ("return_lines", {"return_id": given})):
        insert = "INSERT INTO %s %s" % (table, values(order_line_id=line, quantity=1, **row))
        sql(insert)
        sql(insert + " ON CONFLICT DO NOTHING")
    assert sql(counters) == "1|1"
    upsert = " ON CONFLICT (shipment_id, order_line_id) DO UPDATE SET quantity = EXCLUDED.quantity"
    sql("INSERT INTO shipment_lines " + values(shipment_id=shipment, order_line_id=line, quantity=2) + upsert)
    assert sql(counters) == "2|1"


def test_a_shipment_has_lines_of_its_own_order():
    order, _ = in_fulfilment()
    _, other = in_fulfilment()
    shipment = add("shipments", order_id=order, location_id=warehouse())
    refused("INSERT INTO shipment_lines " + values(shipment_id=shipment, order_line_id=other, quantity=1),
            "not a line of this order")


def test_nothing_is_sent_before_the_order_is_in_fulfilment():
    order, line, _ = paid()
    shipment = add("shipments", order_id=order, location_id=warehouse())
    send = "INSERT INTO shipment_lines " + values(shipment_id=shipment, order_line_id=line, quantity=1)
    refused(send, "the order is not in fulfilment")
    move("orders", order, "PAID")
    refused(send, "the order is not in fulfilment")
    move("orders", order, "FULFILLING")
    sql(send)
    refused("UPDATE orders SET status = 'CANCELLED' WHERE id = '%s'" % order, "no move from status")


def test_an_order_is_not_cancelled_while_a_shipment_is_pending():
    draft_order, _ = draft()
    begin = "INSERT INTO shipments " + values(order_id=draft_order, location_id=warehouse())
    refused(begin, "nothing is sent before it is placed")
    order, _ = placed()
    shipment = add("shipments", order_id=order, location_id=warehouse())
    cancel = "UPDATE orders SET status = 'CANCELLED' WHERE id = '%s'" % order
    refused(cancel, "has a shipment that is pending")
    move("shipments", shipment, "CANCELLED")
    said = race("INSERT INTO shipments " + values(order_id=order, location_id=warehouse()), cancel)
    assert "has a shipment that is pending" in said, said
    move("orders", draft_order, "CANCELLED")


def test_two_shipments_at_once_cannot_send_a_piece_twice():
    order, line = in_fulfilment()
    ids = [add("shipments", order_id=order, location_id=warehouse()) for _ in range(2)]
    send = ["INSERT INTO shipment_lines " + values(shipment_id=s, order_line_id=line, quantity=2) for s in ids]
    assert "order_lines_returned_fulfilled_ordered" in race(*send)


# Catalogue


def category(name, parent=None):
    return add("categories", slug="%s-%d" % (name, next(_names)), name=name, parent_id=parent)


def put_below(child, parent):
    return "UPDATE categories SET parent_id = '%s' WHERE id = '%s'" % (parent, child)


def test_a_category_is_not_its_own_ancestor():
    a = category("a")
    b = category("b", a)
    c = category("c", b)
    for parent in (a, b, c):
        refused(put_below(a, parent), "would be its own ancestor")
    own = new_id()
    refused("INSERT INTO categories " + values(id=own, parent_id=own, slug="self", name="Self"),
            "would be its own ancestor")
    sql(put_below(c, a))


def test_two_moves_at_once_make_no_cycle():
    a, b = category("a"), category("b")
    with contextlib.closing(Session(shop()["app"])) as session:
        session.ask("BEGIN; SELECT FROM categories WHERE id = '%s' FOR UPDATE;" % a)
        other = Second(put_below(b, a))
        other.start()
        mine = session.ask(put_below(a, b) + "; COMMIT;")
        theirs = other.finish()
    assert ("ERROR" in mine) != ("ERROR" in theirs), (mine, theirs)
    assert sql("SELECT count(*) FROM categories WHERE id IN ('%s', '%s') AND parent_id IS NULL" % (a, b)) == "1"


def test_a_variant_has_one_price_at_any_time():
    v, prices = variant(), sql("SELECT id FROM price_lists WHERE code = 'default'")
    for month, amount in (("01", 1000), ("03", 800), ("04", 1000), ("06", None)):
        sql("INSERT INTO prices " + values(price_list_id=prices, variant_id=v, valid_from="2026-%s-01Z" % month, amount=amount))
    refused("INSERT INTO prices " + values(price_list_id=prices, variant_id=v, valid_from="2026-03-01Z", amount=1), "prices_pkey")
    answer = sql("SELECT coalesce((SELECT amount::text FROM prices WHERE variant_id = '%s' AND valid_from <= day"
                 " ORDER BY valid_from DESC LIMIT 1), 'none')"
                 " FROM unnest('{2025-12-31Z,2026-02-28Z,2026-03-01Z,2026-05-01Z,2026-07-01Z}'::timestamptz[]) day" % v)
    assert answer.split() == ["none", "1000", "800", "1000", "none"], answer


def test_customers_are_known_once_and_can_be_erased():
    c = add("customers", email="once@example.com", name="Once", phone="1")
    refused("INSERT INTO customers (email) VALUES ('once@example.com')", "idx_customers_email")
    refused("INSERT INTO customers (email) VALUES ('Once@Example.com')", "email_is_lower_case_address")
    refused("INSERT INTO customers (name) VALUES ('Nobody')", "customers_known_until_erased")
    refused("UPDATE customers SET status = 'ERASED' WHERE id = '%s'" % c, "customers_known_until_erased")
    sql("UPDATE customers SET status = 'ERASED', email = NULL, name = NULL, phone = NULL WHERE id = '%s'" % c)
    assert sql("SELECT count(*) FROM audit_log WHERE row_id = '%s' AND changes::text ~ 'once|Once'" % c) == "0"
    refused("UPDATE customers SET status = 'ACTIVE', email = 'x@y' WHERE id = '%s'" % c, "no move from status")


ERASE = "UPDATE customers SET status = 'ERASED', email = NULL, name = NULL WHERE id = '%s'"


def address(of):
    return "INSERT INTO addresses " + values(customer_id=of, name="Somebody", line1="Street 1", city="Town", country="DE")


def test_a_customer_who_is_erased_has_no_address():
    erased, other = customer(), customer()
    sql(address(erased) + ";" + address(other))
    sql(ERASE % erased)
    assert sql("SELECT count(*) FROM addresses WHERE customer_id = '%s'" % erased) == "0"
    refused(address(erased), "no address is kept")
    refused("UPDATE addresses SET customer_id = '%s' WHERE customer_id = '%s'" % (erased, other), "no address is kept")


def test_an_erasure_and_a_new_address_exclude_each_other():
    erased = customer()
    assert "no address is kept" in race(ERASE % erased, address(erased))
    erased = customer()
    assert "ERROR" not in race(address(erased), ERASE % erased)
    assert sql("SELECT count(*) FROM addresses WHERE customer_id = '%s'" % erased) == "0"
    for level in OLD_SNAPSHOTS:
        erased = customer()
        assert "could not serialize" in at_isolation(level, "SELECT count(*) FROM customers", ERASE % erased, address(erased))
        refused("BEGIN ISOLATION LEVEL %s; %s" % (level, ERASE % customer()), "needs isolation level read committed")


# Audit and policies


def test_the_audit_log_says_who_changed_what_and_when():
    sql("SET app.actor = 'ada'; UPDATE settings SET value = '\"SEK\"' WHERE key = 'shop.currency'")
    answer = sql("SELECT login = current_user, actor, action, table_name, changes, at <= now() FROM audit_log"
                 " WHERE row_id = 'shop.currency' AND action = 'UPDATE'")
    assert answer == 't|ada|UPDATE|settings|{"value": ["EUR", "SEK"]}|t', answer
    sql("UPDATE settings SET value = value WHERE key = 'shop.currency'")
    assert sql("SELECT count(*) FROM audit_log WHERE row_id = 'shop.currency' AND action = 'UPDATE'") == "1"


def test_what_a_foreign_key_changes_is_audited_as_the_sessions():
    v, price_list = variant(), add("price_lists", code="audit", name="Audit", currency="EUR")
    c = customer()
    sql("UPDATE customers SET price_list_id = '%s' WHERE id = '%s'" % (price_list, c))
    sql("INSERT INTO prices " + values(price_list_id=price_list, variant_id=v, amount=5))
    sql("SET app.actor = 'ada'; DELETE FROM price_lists WHERE id = '%s'" % price_list)
    entries = "SELECT DISTINCT login = current_user, actor, action, table_name FROM audit_log WHERE row_id IN ('%s', '%s')" \
              " AND actor = 'ada' ORDER BY 4" % (v, c)
    assert sql(entries) == "t|ada|UPDATE|customers\nt|ada|DELETE|prices", sql(entries)
    server, login = shared_server(), sql("SELECT current_user")
    name = server.psql("SET SESSION AUTHORIZATION %s; SET search_path = %s; INSERT INTO settings VALUES ('a.pool', '1');"
                       " SELECT login FROM audit_log WHERE row_id = 'a.pool'" % (login, sql("SELECT current_schema")),
                       server.superuser)
    assert name == login, name
    name = server.psql("SET ROLE %s; SET search_path = %s; INSERT INTO settings VALUES ('b.pool', '1');"
                       " SELECT login FROM audit_log WHERE row_id = 'b.pool'" % (login, sql("SELECT current_schema")),
                       server.superuser)
    assert name == login, name


def test_the_audit_log_is_append_only_for_everybody():
    server = shared_server()
    schema = sql("SELECT current_schema")
    for statement in ("UPDATE {0}.audit_log SET actor = 'x'", "DELETE FROM {0}.audit_log"):
        refused(statement.format(schema), "permission denied")
        refused_sql(server.superuser, statement.format(schema), "the audit log is append-only")
    partition = sql("SELECT tableoid::regclass FROM audit_log LIMIT 1")
    assert partition != "audit_log"
    refused("DELETE FROM " + partition, "permission denied")
    refused_sql(server.superuser, "DELETE FROM %s.%s" % (schema, partition), "the audit log is append-only")


def test_an_audit_entry_cannot_be_forged():
    refused("INSERT INTO audit_log (action, table_name, row_id) VALUES ('UPDATE', 'orders', 'x')", "written by triggers")
    for action in ("update", "Delete", " INSERT", "UPDATE."):
        refused("INSERT INTO audit_log (action) VALUES ('%s')" % action, "written by triggers")
    sql("INSERT INTO audit_log (action, login, actor) VALUES ('signed_in', 'somebody', 'somebody')")
    assert sql("SELECT login = current_user, actor IS NULL FROM audit_log WHERE action = 'signed_in'") == "t|t"
    for time in ("- INTERVAL '1 year'", "- INTERVAL '1 minute'", "+ INTERVAL '2 years'"):
        refused("INSERT INTO audit_log (at, action) VALUES (now() %s, 'old')" % time, "dates its entries itself")


@contextlib.contextmanager
def temporary_tables():
    """A server on which everybody may make temporary tables, as one that is not ours does; the shop's schema."""
    server = shared_server()
    right = "TEMPORARY ON DATABASE %s" % server.psql("SELECT quote_ident(current_database())")
    server.psql("GRANT %s TO PUBLIC" % right, server.superuser)
    try:
        yield sql("SELECT current_schema")
    finally:
        server.psql("REVOKE %s FROM PUBLIC" % right, server.superuser)


# A change made by a trigger of the application's own.
TRIGGER = """BEGIN;
CREATE TEMPORARY TABLE own (n integer);
CREATE FUNCTION pg_temp.act() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN %s; RETURN NULL; END $$;
CREATE TRIGGER act AFTER INSERT ON own FOR EACH ROW EXECUTE FUNCTION pg_temp.act();
INSERT INTO own VALUES (1);
COMMIT;"""


def test_a_trigger_on_a_temporary_table_has_no_rights_of_the_packs_triggers():
    v = stocked(4)
    order, line, payment = paid()
    discount = add("discounts", code="TEMP", rate=1)
    with temporary_tables():
        for change, says in (
                ("UPDATE stock_levels SET on_hand = 99 WHERE variant_id = '%s'" % v, "by stock_moves and reservations"),
                ("INSERT INTO stock_levels " + values(variant_id=variant(), location_id=warehouse(), on_hand=5),
                 "by stock_moves and reservations"),
                ("UPDATE discounts SET used_count = 1 WHERE id = '%s'" % discount, "counted in discount_uses"),
                ("UPDATE order_lines SET unit_amount = 1 WHERE id = '%s'" % line, "its lines are fixed"),
                ("UPDATE order_lines SET fulfilled_quantity = 2 WHERE id = '%s'" % line, "count its pieces"),
                ("UPDATE payments SET refunded_amount = 1 WHERE id = '%s'" % payment, "refunds count what went back"),
                ("INSERT INTO audit_log (action, table_name) VALUES ('UPDATE', 'orders')", "written by triggers")):
            refused(TRIGGER % change, says)
        sql("CREATE TEMPORARY TABLE mine (n integer); UPDATE orders SET status = 'PAID' WHERE id = '%s'" % order)


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


def test_a_check_behind_a_foreign_key_of_temporary_tables_has_no_rights_of_the_packs_triggers():
    v = stocked(4)
    _, line, payment = paid()
    discount = add("discounts", code="BEHIND", rate=1)
    with temporary_tables():
        for change, says in (
                ("UPDATE stock_levels SET on_hand = 99 WHERE variant_id = '%s'" % v, "by stock_moves and reservations"),
                ("UPDATE discounts SET used_count = 1 WHERE id = '%s'" % discount, "counted in discount_uses"),
                ("UPDATE order_lines SET fulfilled_quantity = 2 WHERE id = '%s'" % line, "count its pieces"),
                ("UPDATE payments SET refunded_amount = 1 WHERE id = '%s'" % payment, "refunds count what went back"),
                ("INSERT INTO audit_log (action, table_name) VALUES ('DELETE', 'payments')", "written by triggers")):
            refused(CASCADE % change, says)


# Temporary tables and types of the catalogue's names, before the catalogue is asked where a change comes from.
CATALOGUE = ("CREATE TEMPORARY TABLE pg_trigger (tgrelid oid);", "CREATE TEMPORARY TABLE pg_depend AS TABLE pg_catalog.pg_depend"
             " WITH NO DATA;", "CREATE DOMAIN pg_temp.regclass AS pg_catalog.text;")


def test_a_temporary_catalogue_does_not_stand_in_for_the_real_one():
    v = stocked(4)
    with temporary_tables():
        for stand_in in CATALOGUE:
            for way in (TRIGGER, CASCADE):
                refused(way.replace("BEGIN;", "BEGIN;\n" + stand_in, 1)
                        % ("UPDATE stock_levels SET on_hand = 99 WHERE variant_id = '%s'" % v),
                        "by stock_moves and reservations")
    assert stock(v) == "4|0"


# A type of the session's own whose CHECK would run inside a trigger of the pack, whose variables have its name.
TYPE = """CREATE FUNCTION pg_temp.act(pg_catalog.{1}) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
    IF pg_trigger_depth() > 0 THEN RAISE 'the type of the session'; END IF; RETURN true; END $$;
CREATE DOMAIN pg_temp.{1} AS pg_catalog.{1} CHECK (pg_temp.act(VALUE));
"""


def test_a_temporary_type_does_not_stand_in_for_one_of_the_catalogue():
    parent = add("categories", slug="typed", name="Typed")
    _, line = in_fulfilment()
    with temporary_tables() as schema:
        for name, change in (
                ("uuid", "UPDATE {0}.categories SET parent_id = NULL; INSERT INTO {0}.categories (slug, name, parent_id)"
                         " SELECT 'below', 'Below', id FROM {0}.categories WHERE id = '%s'" % parent),
                ("text", "UPDATE {0}.discounts SET max_uses = max_uses; UPDATE {0}.settings SET value = '1'"),
                ("jsonb", "UPDATE {0}.customers SET accepts_email = true; UPDATE {0}.settings SET value = '2'"),
                ("uuid", "INSERT INTO {0}.shipment_lines SELECT s.id, '%s', 1 FROM {0}.shipments s WHERE false" % line)):
            sql("BEGIN; " + (TYPE + change).format(schema, name) + "; ROLLBACK;")


def test_a_temporary_table_does_not_stand_in_for_one_of_the_shop():
    order, line = placed()
    with temporary_tables() as schema:
        for path in ("", "SET search_path = pg_temp, %s; " % schema, "SET search_path = pg_temp; "):
            refused("CREATE TEMPORARY TABLE orders AS SELECT id, 'DRAFT' AS status FROM orders; %s"
                    "UPDATE %s.order_lines SET unit_amount = 1 WHERE id = '%s'" % (path, schema, line), "its lines are fixed")
            refused("CREATE TEMPORARY TABLE payments AS SELECT id AS order_id, 9999 AS amount, 0 AS refunded_amount,"
                    " 'CAPTURED' AS status FROM orders; %sUPDATE %s.orders SET status = 'PAID' WHERE id = '%s'"
                    % (path, schema, order), "is not paid in full")
            refused("CREATE TEMPORARY TABLE state_moves (machine text, from_state text, to_state text);"
                    " INSERT INTO pg_temp.state_moves VALUES ('orders', 'PLACED', 'COMPLETED'); %sUPDATE %s.orders"
                    " SET status = 'COMPLETED' WHERE id = '%s'" % (path, schema, order), "no move from status")


def test_a_session_of_another_tenant_sees_no_customer_and_changes_no_product():
    c, v = customer(), variant()
    add("addresses", customer_id=c, name="N", line1="L", city="C", country="DE")
    counts = "SELECT (SELECT count(*) > 0 FROM customers), (SELECT count(*) > 0 FROM addresses);"
    for login in ("app", "readonly"):
        assert sql(counts, login) == "t|t"
        wrong = "SET app.current_tenant_id = '%s'; " % new_id()
        assert sql(wrong + counts, login) == "f|f"
        assert sql("SET app.current_tenant_id = '%s'; " % shop()["id"] + counts, login) == "t|t"
    refused(wrong + "INSERT INTO customers (email) VALUES ('n@example.com')", "row-level security")
    product = "(SELECT product_id FROM product_variants WHERE id = '%s')" % v
    assert sql(wrong + "UPDATE products SET name = 'Stolen' WHERE id = %s RETURNING id" % product) == ""
    assert sql("SELECT name FROM products WHERE id = " + product) != "Stolen"


def test_rules_hold_whatever_the_search_path_is():
    schema = sql("SELECT current_schema")
    order, line = placed()
    refused("SET search_path = ''; UPDATE {0}.order_lines SET quantity = 1 WHERE id = '{1}'".format(schema, line),
            "its lines are fixed")
    refused("SET search_path = pg_catalog; UPDATE %s.orders SET status = 'DRAFT' WHERE id = '%s'" % (schema, order),
            "no move from status")


def test_the_rules_follow_the_schema_when_it_is_renamed():
    server = shared_server()
    tenant = server.create("renamed", "commerce")
    schema = server.psql("SELECT current_schema", tenant["app"])
    server.psql("ALTER SCHEMA %s RENAME TO moved" % schema, server.superuser)
    path = "SET search_path = moved; "
    refused_sql(tenant["app"], path + "INSERT INTO orders (currency, status) VALUES ('EUR', 'PAID')", "no move from")
    server.psql(path + "UPDATE settings SET value = '1' WHERE key = 'shop.currency'", tenant["app"])
    assert server.psql(path + "SELECT count(*) FROM audit_log WHERE action = 'UPDATE'", tenant["app"]) == "1"
    server.psql("ALTER SCHEMA moved RENAME TO " + schema, server.superuser)


def test_the_synthetic_data_keeps_the_rules():
    server = shared_server()
    tenant = server.create("filled", "commerce")
    with open(DEMO, encoding="utf-8") as f:
        server.psql(f.read(), tenant["app"])
    answer = server.psql(
        "SELECT (SELECT count(*) FROM orders), (SELECT count(DISTINCT status) FROM orders),"
        " (SELECT count(*) FROM stock_levels s WHERE on_hand <> (SELECT sum(quantity) FROM stock_moves m"
        "  WHERE m.variant_id = s.variant_id AND m.location_id = s.location_id)),"
        " (SELECT count(*) FROM stock_levels s WHERE reserved <> (SELECT coalesce(sum(quantity), 0) FROM reservations r"
        "  WHERE r.variant_id = s.variant_id AND r.location_id = s.location_id AND r.status = 'HELD'))", tenant["app"])
    assert answer == "80|6|0|0", answer


if __name__ == "__main__":
    harness.main()
