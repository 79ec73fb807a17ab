DROP FUNCTION why_order_cannot_be(varchar, orders);
ALTER TABLE reservations DROP CONSTRAINT reservations_order_line_id_fkey;
DROP TABLE return_lines, returns, shipment_lines, shipments, refunds, payments, discount_uses,
    order_lines, orders, discounts;
DROP FUNCTION guard_shipment(), uncount_fulfilment(), count_fulfilment(), release_order(),
    guard_order(), count_refund(), count_discount_use(), guard_discount_use(), guard_order_line();
