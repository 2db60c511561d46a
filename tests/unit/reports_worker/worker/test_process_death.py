"""The error message of a job process that ended without a result."""

from __future__ import annotations

import os
import signal

import pytest

from reports_worker.worker.process_death import Death


@pytest.mark.parametrize(
    ("death", "words"),
    [
        (Death(3 << 8), "with exit code 3"),
        (Death(0), "with exit code 0"),
        (Death(signal.SIGSEGV), "by the signal SIGSEGV (Segmentation fault)"),
        (Death(signal.SIGABRT | 0x80), "by the signal SIGABRT (Aborted)"),
        (Death(signal.SIGKILL), "by the signal SIGKILL (Killed)"),
        (Death(signal.SIGRTMIN + 5), f"by the signal {signal.SIGRTMIN + 5}"),
        (Death(signal.SIGKILL, by_worker=True), "because its worker killed it"),
        (Death(None), "for an unknown reason"),
    ],
)
def test_the_message_names_the_way_in_which_the_process_ended(death: Death, words: str) -> None:
    assert str(death) == words
    assert death.sentence.startswith(
        f"The process of this report has ended 4 times without a result, the last time {words}. "
    )


def test_only_a_sigkill_from_the_kernel_hints_at_memory() -> None:
    assert "may need more memory" in Death(signal.SIGKILL).sentence
    for death in (Death(3 << 8), Death(signal.SIGSEGV), Death(signal.SIGKILL, by_worker=True), Death(None)):
        assert "memory" not in death.sentence


def test_the_exit_code_of_a_lack_of_file_descriptors_hints_at_open_files() -> None:
    assert "too many files open" in Death(os.EX_OSERR << 8).sentence
    assert "files" not in Death(os.EX_OSERR << 8, by_worker=True).sentence
