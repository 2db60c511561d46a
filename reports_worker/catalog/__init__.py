"""Definitions of report types: their files, how they are loaded, and the catalog of all types."""
