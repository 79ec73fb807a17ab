DROP TABLE reservations, cart_items, carts, stock_moves, stock_levels, locations;
DROP FUNCTION apply_reservation(), apply_stock_move();
