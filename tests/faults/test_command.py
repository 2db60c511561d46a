"""`python -m faults`."""

from __future__ import annotations

import pytest

from faults.__main__ import main


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--at-once", "0"], "is not a whole number of at least 1"),
        (["--only", "meteorite"], "invalid choice: 'meteorite'"),
        (["soak", "--all"], "a soak has none to choose from"),
        (["--reports", "10"], "belong to the soak"),
    ],
)
def test_what_cannot_be_run_is_refused(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ending:
        main(arguments)

    assert ending.value.code == 2
    assert sentence in capsys.readouterr().err
