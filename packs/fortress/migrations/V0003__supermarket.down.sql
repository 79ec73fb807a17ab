DROP TABLE receipt_items, receipts;
DROP FUNCTION checkout_cart(uuid, uuid, jsonb);
DROP TABLE order_items, orders, cart_items, carts, inventory_movements, inventory, locations, products;
DROP FUNCTION guard_order(), take_order_items(), guard_cart_items(), refuse_reopening(), move_inventory(),
    guard_inventory();
DROP DOMAIN order_status, counted, quantity, price;
