"""The order of the suite."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.order import put_in_order

E2E, SMALL, LARGE = "tests/e2e/test_a.py", "tests/unit/lib/test_b.py", "tests/unit/lib/test_c.py"


def order(*names: str) -> Sequence[str]:
    return put_in_order(names, lambda name: name.partition("::")[0])


def test_files_that_wait_alternate_with_those_that_compute() -> None:
    last = "tests/integration/test_d.py::only"

    found = order(f"{E2E}::one", f"{E2E}::two", last, f"{SMALL}::one", f"{LARGE}::one", f"{LARGE}::two")

    assert found == [f"{E2E}::one", f"{E2E}::two", f"{LARGE}::one", f"{LARGE}::two", last, f"{SMALL}::one"]


@pytest.mark.parametrize("names", [[], [f"{SMALL}::one"], [f"{E2E}::two", f"{E2E}::one"]])
def test_no_test_is_lost_and_the_tests_of_a_file_keep_their_order(names: list[str]) -> None:
    assert order(*names) == names
