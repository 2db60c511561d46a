"""The rows of the demo data, as queries for DuckDB.

Every draw is a hash of a row's number in integer arithmetic modulo 2^32: the same seed, size and last day give the
same rows on any machine and with any number of threads.

Time is divided into `slots` with equal numbers of orders: slots are short where there are many orders, and long at
night. Users sign up in the same slots. So the users known in a slot are the first ones by number, and no order and no
sign-in comes before its user. Every fifth user never leaves. When another user has left, the permanent user before it
takes its orders, and so these users become the best customers.
"""

from __future__ import annotations

SLOTS = 1 << 20

# A good mixer of 32 bits, from https://github.com/skeeto/hash-prospector.
DRAWS = """
CREATE MACRO folded_16(x) AS xor(x, x >> 16);
CREATE MACRO folded_15(x) AS xor(x, x >> 15);
CREATE MACRO mixed(x) AS folded_16(
    (folded_15((folded_16(x) * 2146121005::UBIGINT) & 4294967295) * 2221713035::UBIGINT) & 4294967295
);
CREATE MACRO draw(number, purpose) AS mixed(
    (number::UBIGINT * 2654435769 + purpose::UBIGINT * 2246822519 + getvariable('salt')::UBIGINT) & 4294967295
);
-- A draw from 0 to below `many`; and a draw in which small numbers are far more frequent.
CREATE MACRO drawn_below(drawn, many) AS ((drawn * many::UBIGINT) >> 32)::BIGINT;
CREATE MACRO drawn_low(drawn, many) AS drawn_below((((drawn * drawn) >> 32) * drawn) >> 32, many);
CREATE MACRO euros(cents) AS (cents::INTEGER::DECIMAL(10, 0) * 0.01::DECIMAL(3, 2))::DECIMAL(12, 2);
CREATE MACRO moment(seconds) AS make_timestamp(seconds::BIGINT * 1000000);
"""

# The weight of an hour: orders double over the whole time, with more before Christmas, fewer at weekends and at night.
SLOT_TABLE = """
CREATE TABLE slots AS
WITH hours AS (
    SELECT day, hour, (getvariable('first_day') + day * INTERVAL 1 DAY)::DATE AS date
    FROM range(getvariable('days')) AS days(day), range(24) AS hours(hour)
), weights AS (
    SELECT day * 24 + hour AS hour,
        (getvariable('days') + day)
        * [88, 84, 95, 99, 102, 98, 92, 90, 100, 106, 127, 141][month(date)]
        * [104, 102, 100, 101, 108, 94, 89][isodow(date)]
        * [20, 12, 8, 6, 6, 10, 22, 45, 70, 85, 95, 100,
           98, 90, 85, 85, 90, 100, 115, 125, 120, 95, 65, 38][hour + 1]
        * (90 + drawn_below(draw(day, 1), 21)) AS weight
    FROM hours
), sums AS (
    SELECT hour, sum(weight) OVER (ORDER BY hour) AS up_to, weight, sum(weight) OVER () AS total FROM weights
), parts AS (
    SELECT hour,
        ((up_to - weight) * getvariable('slots') // total)::BIGINT AS first,
        (up_to * getvariable('slots') // total)::BIGINT AS next
    FROM sums
), numbered AS (
    SELECT hour, first, next - first AS many, unnest(range(first, next)) AS slot FROM parts
), timed AS (
    SELECT slot, epoch(getvariable('first_day'))::BIGINT + hour * 3600 AS hour_begins,
        (slot - first) * 3600 // many AS begins, (slot - first + 1) * 3600 // many AS ends
    FROM numbered
)
SELECT slot, hour_begins + begins AS begins, greatest(1, ends - begins) AS seconds FROM timed ORDER BY slot
"""

# Three of four users sign up in the period of the data, the others in the year before.
USER_TABLE = """
CREATE TABLE people AS
WITH comers AS (
    SELECT unnest(range(
        getvariable('old_users') + slot * getvariable('new_users') // getvariable('slots'),
        getvariable('old_users') + (slot + 1) * getvariable('new_users') // getvariable('slots')
    )) AS number, begins, seconds
    FROM slots
), signed_up AS (
    SELECT number, begins + drawn_below(draw(number, 2), seconds) AS signed_up FROM comers
    UNION ALL
    SELECT number, epoch(getvariable('first_day'))::BIGINT
        - (getvariable('old_users') - number) * 31536000 // getvariable('old_users')
    FROM range(getvariable('old_users')) AS old(number)
)
SELECT number, signed_up,
    CASE WHEN number % 5 = 0 THEN 1099511627776
    ELSE signed_up + 86400 * (20 + drawn_low(draw(number, 3), 1000)) END AS leaves
FROM signed_up
ORDER BY number
"""

PRODUCT_TABLE = """
CREATE TABLE wares AS
WITH chosen AS (
    SELECT number, getvariable('categories')[number % len(getvariable('categories')) + 1] AS category,
        number // len(getvariable('categories')) AS nth
    FROM range(getvariable('products')) AS numbers(number)
), priced AS (
    SELECT number, category.name AS category, category.products[nth % len(category.products) + 1] AS product,
        category.price * (100 + drawn_low(draw(number, 4), 900)) // 100 AS whole
    FROM chosen
)
SELECT number + 1 AS product_id, product || ' ' || (number + 101) AS name, category,
    whole * 100 + 90 AS cents,
    (whole * 100 + 90) * (52 + drawn_below(draw(number, 5), 20)) // 100 AS cost
FROM priced
ORDER BY number
"""

# The product, quantity and price of each line of an order, by number. Prices rise by 2 % three times.
LINES = """
CREATE MACRO region_of(number) AS getvariable('regions')[drawn_below(draw(number, 6), 100) + 1];
CREATE MACRO lines_of(number) AS
    [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 4, 5][drawn_below(draw(number, 7), 20) + 1];
CREATE MACRO units_of(line) AS
    [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 6][drawn_below(draw(line, 8), 20) + 1];
CREATE MACRO ware_of(line, slot) AS (
    (drawn_low(draw(line, 9), getvariable('products')) + (draw(line, 10)::BIGINT & 1) * (slot >> 16) * 3) * 7919
) % getvariable('products');
CREATE MACRO price_of(line, slot) AS
    getvariable('prices')[ware_of(line, slot) + 1] * (94 + 2 * (slot >> 18)) // 100;
CREATE MACRO amount_of(line, slot) AS units_of(line) * price_of(line, slot);
"""

PRODUCTS = """
SELECT product_id::INTEGER AS product_id, name, category, euros(cents) AS unit_price, euros(cost) AS unit_cost
FROM wares
"""

USERS = """
SELECT (number + 1)::BIGINT AS user_id, region_of(number) AS region, moment(signed_up) AS signed_up_at
FROM people
"""

ORDERS = """
WITH numbered AS (
    SELECT unnest(range(
        slot * getvariable('orders') // getvariable('slots'),
        (slot + 1) * getvariable('orders') // getvariable('slots')
    )) AS number, slot, begins, seconds,
        getvariable('old_users') + slot * getvariable('new_users') // getvariable('slots') AS known
    FROM slots
), drawn_rows AS (
    SELECT number, slot, begins + drawn_below(draw(number, 11), seconds) AS instant,
        drawn_below(draw(number, 12), known) AS candidate, drawn_below(draw(number, 13), 100) AS kind
    FROM numbered
), chosen_users AS (
    SELECT number, slot, instant, CASE WHEN kind < 60 THEN candidate WHEN kind < 85 THEN candidate - candidate % 5
        ELSE candidate - candidate % 100 END AS candidate
    FROM drawn_rows
), buyers AS (
    SELECT chosen_users.number, slot, instant,
        CASE WHEN instant < leaves THEN candidate ELSE candidate - candidate % 5 END AS buyer,
        lines_of(chosen_users.number) AS lines
    FROM chosen_users JOIN people ON people.number = candidate
), placed AS (
    SELECT *, region_of(buyer) AS region, draw(number, 14) & 1 AS side FROM buyers
)
SELECT number + 1 AS order_id, buyer + 1 AS user_id, moment(instant) AS ordered_at, region,
    CASE region WHEN 'Asia' THEN 'Singapore' WHEN 'Africa' THEN 'Rotterdam'
        WHEN 'Europe' THEN CASE side WHEN 0 THEN 'Prague' ELSE 'Rotterdam' END ELSE 'Chicago' END AS warehouse,
    CASE WHEN drawn_below(draw(number, 15), 100) < 3 THEN 'cancelled' ELSE 'completed' END AS status,
    euros(
        amount_of(number * 8, slot)
        + CASE WHEN lines > 1 THEN amount_of(number * 8 + 1, slot) ELSE 0 END
        + CASE WHEN lines > 2 THEN amount_of(number * 8 + 2, slot) ELSE 0 END
        + CASE WHEN lines > 3 THEN amount_of(number * 8 + 3, slot) ELSE 0 END
        + CASE WHEN lines > 4 THEN amount_of(number * 8 + 4, slot) ELSE 0 END
    ) AS total
FROM placed
"""

ORDER_LINES = """
WITH numbered AS (
    SELECT unnest(range(
        slot * getvariable('orders') // getvariable('slots'),
        (slot + 1) * getvariable('orders') // getvariable('slots')
    )) AS number, slot
    FROM slots
), lines AS (
    SELECT number, slot, unnest(range(lines_of(number))) AS nth FROM numbered
), filled AS (
    SELECT number, nth, ware_of(number * 8 + nth, slot) AS ware, units_of(number * 8 + nth) AS units,
        price_of(number * 8 + nth, slot) AS cents
    FROM lines
)
SELECT number + 1 AS order_id, (nth + 1)::INTEGER AS line_number, (ware + 1)::INTEGER AS product_id,
    units::INTEGER AS quantity, euros(cents) AS unit_price, euros(units * cents) AS amount
FROM filled
"""

# Two sign-ins for each order, and one when a user signs up.
SIGN_INS = """
WITH numbered AS (
    SELECT unnest(range(
        slot * 2 * getvariable('orders') // getvariable('slots'),
        (slot + 1) * 2 * getvariable('orders') // getvariable('slots')
    )) AS number, begins, seconds,
        getvariable('old_users') + slot * getvariable('new_users') // getvariable('slots') AS known
    FROM slots
), drawn_rows AS (
    SELECT begins + drawn_below(draw(number, 16), seconds) AS instant,
        drawn_below(draw(number, 17), known) AS candidate
    FROM numbered
)
SELECT CASE WHEN instant < leaves THEN candidate ELSE candidate - candidate % 5 END + 1 AS user_id,
    moment(instant) AS signed_in_at
FROM drawn_rows JOIN people ON people.number = candidate
UNION ALL
SELECT number + 1, moment(signed_up) FROM people
"""

# A count each Monday: stock for one to nine weeks of sales, and two of a hundred items out of stock.
STOCK = """
WITH sold AS (
    SELECT product_id, sum(quantity)::BIGINT AS units
    FROM read_parquet(getvariable('order_lines'))
    GROUP BY product_id
), shared AS (
    SELECT product_id, warehouse.name AS warehouse,
        row_number() OVER (ORDER BY product_id, warehouse.name) AS item,
        1 + coalesce(units, 0) * warehouse.share * 7 // (100 * getvariable('days')) AS weekly
    FROM wares LEFT JOIN sold USING (product_id), (SELECT unnest(getvariable('warehouses')) AS warehouse)
), weeks AS (
    SELECT day // 7 AS week, (getvariable('first_day') + day * INTERVAL 1 DAY)::DATE AS counted_on
    FROM range(getvariable('days')) AS days(day)
    WHERE isodow((getvariable('first_day') + day * INTERVAL 1 DAY)::DATE) = 1
), counted AS (
    SELECT counted_on, warehouse, product_id, weekly, draw(item * 1024 + week, 18) AS drawn,
        2 + (draw(item, 19)::BIGINT + 1024 - week) % 16 AS half_weeks
    FROM shared, weeks
)
SELECT counted_on, warehouse, product_id::INTEGER AS product_id,
    CASE WHEN drawn_below(drawn, 100) < 2 THEN 0
    ELSE weekly * half_weeks // 2 + drawn_below(mixed(drawn), weekly + 1) END::INTEGER AS on_hand
FROM counted
"""

PREPARATION = (DRAWS, SLOT_TABLE, USER_TABLE, PRODUCT_TABLE, LINES)
# In this order, since stock reads the order lines.
TABLES = {
    "products": PRODUCTS,
    "users": USERS,
    "orders": ORDERS,
    "order_lines": ORDER_LINES,
    "sign_ins": SIGN_INS,
    "stock": STOCK,
}
