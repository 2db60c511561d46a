"""Definitions of report types: where they stand, how they are loaded, and the catalog that is made of them."""
