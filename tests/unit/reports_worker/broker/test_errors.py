"""redis-py's errors as sentences for users, for all versions of the server."""

from __future__ import annotations

import pytest
from redis import exceptions

from reports_worker.broker.circuit_breaker import OpenCircuitError
from reports_worker.broker.errors import to_unavailable

IN_A_SCRIPT = "Error running script (call to f_1): @user_script:9: @user_script: 9: -"
SENTENCES: dict[str, list[exceptions.RedisError]] = {
    "The broker is out of memory. Nothing was accepted": [
        exceptions.OutOfMemoryError("command not allowed when used memory > 'maxmemory'."),
        exceptions.ResponseError(f"{IN_A_SCRIPT}OOM command not allowed when used memory > 'maxmemory'."),
    ],
    "The broker cannot write to its disk. Nothing was accepted": [
        exceptions.ResponseError("MISCONF Errors writing to the AOF file: No space left on device"),
        exceptions.ResponseError(f"{IN_A_SCRIPT}MISCONF Redis is configured to save RDB snapshots"),
    ],
    "The broker has fewer replicas than it needs. Nothing was accepted": [
        exceptions.ResponseError("NOREPLICAS Not enough good replicas to write."),
    ],
    "The broker is a replica at present. Nothing was accepted": [
        exceptions.ReadOnlyError("You can't write against a read only replica."),
        exceptions.ResponseError(f"{IN_A_SCRIPT}READONLY You can't write against a read only replica."),
        exceptions.MasterDownError("Link with MASTER is down and replica-serve-stale-data is set to 'no'."),
    ],
    "The broker is loading its data. Nothing was accepted": [
        exceptions.BusyLoadingError("Redis is loading the dataset in memory"),
    ],
    "The broker refuses the login, or does not allow this command. ": [
        exceptions.AuthenticationError("Authentication required."),
        exceptions.AuthorizationError("Client sent AUTH, but no password is set"),
        exceptions.NoPermissionError("this user has no permissions to run the 'evalsha' command"),
    ],
    "The broker does not answer. Nothing was accepted": [OpenCircuitError("a moment ago")],
    "The broker does not answer. The request may still be executed": [
        exceptions.TimeoutError("Timeout reading from socket"),
    ],
    "The broker cannot be reached, so nothing was confirmed. ": [
        exceptions.ConnectionError("Error 111 connecting to 10.0.0.1:6379. Connection refused."),
        exceptions.ResponseError("ERR unknown command"),
    ],
    "A key in the broker has a wrong type. Nothing was accepted": [
        exceptions.ResponseError("WRONGTYPE Operation against a key holding the wrong kind of value"),
    ],
}
CASES = [(error, sentence) for sentence, errors in SENTENCES.items() for error in errors]


@pytest.mark.parametrize(("error", "sentence"), CASES, ids=lambda part: str(part)[:40])
def test_an_error_is_reported_in_a_sentence_without_addresses(
    error: exceptions.RedisError, sentence: str
) -> None:
    translated = to_unavailable(error)

    assert translated.sentence.startswith(sentence)
    assert str(translated) == f"The broker cannot be used: {error}"
    assert str(error) not in translated.sentence
