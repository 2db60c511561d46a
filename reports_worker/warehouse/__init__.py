"""The database that reports read: engines, and what a report is given of them."""
