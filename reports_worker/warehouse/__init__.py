"""The warehouse: the database that reports read, its engines, and the read-only session of a report."""
