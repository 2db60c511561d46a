"""Programs that the measurements over data run, each in a process of its own, and what they are given."""
