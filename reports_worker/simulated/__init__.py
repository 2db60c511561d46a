"""The three types of the sample, with made-up figures; they serve where there is no warehouse."""
