"""Faults struck on the real product, and what became of its promises: `make faults`."""
