"""The files that a report leaves, one module for each format."""
