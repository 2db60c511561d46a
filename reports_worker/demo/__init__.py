"""A made-up warehouse of any size, to try reports on."""

FEWEST_ORDERS, MOST_ORDERS = 100, 20_000_000
