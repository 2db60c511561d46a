"""What holds for each unit."""

from __future__ import annotations

from hypothesis import settings

from tests.extent import count_examples

# For each property that names no settings of its own; on a busy machine an example may take long.
settings.register_profile("run", max_examples=count_examples(40, wide=1000), deadline=None)
settings.load_profile("run")
