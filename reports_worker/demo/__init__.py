"""A made-up warehouse of any size, to try reports on."""
