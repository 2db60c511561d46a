"""Every variable of the environment: its good values, its bad ones, and the sentence about a bad one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reports_worker import Settings, SettingsError
from reports_worker.lib.units import SecondsRange, parse_duration


def test_without_variables_the_defaults_hold() -> None:
    settings = Settings.from_environ({})

    assert settings == Settings()
    assert settings.grace == timedelta(seconds=30)
    assert settings.simulated_seconds == SecondsRange(5, 15)
    assert settings.retention == timedelta(days=30)
    assert settings.timeout == timedelta(hours=1)
    assert settings.broker.url == "redis://localhost:6379"


@pytest.mark.parametrize("text", ["", " ", "\t\n"])
def test_an_empty_variable_counts_as_not_set(text: str) -> None:
    names = ["REPORTS_GRACE", "REPORTS_SIMULATED_SECONDS", "REPORTS_RETENTION", "REPORTS_TIMEOUT"]
    names += ["ConnectionStrings__broker", "BROKER_URI"]

    assert Settings.from_environ(dict.fromkeys(names, text)) == Settings()


def test_every_variable_is_read() -> None:
    settings = Settings.from_environ(
        {
            "ConnectionStrings__broker": "redis://broker:7000/2",
            "REPORTS_GRACE": "0s",
            "REPORTS_SIMULATED_SECONDS": "0.5-2",
            "REPORTS_RETENTION": "7d",
            "REPORTS_TIMEOUT": "15m",
            "REPORTS_BROKER_REPLICAS": "2",
        }
    )

    assert settings.broker.url == "redis://broker:7000/2"
    assert settings.grace == timedelta()
    assert settings.simulated_seconds == SecondsRange(0.5, 2)
    assert settings.retention == timedelta(days=7)
    assert settings.timeout == timedelta(minutes=15)
    assert settings.broker_replicas == 2


@pytest.mark.parametrize("text", ["-1", "17", "1.5", "two", "٢"])
def test_a_number_of_replicas_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        Settings.from_environ({"REPORTS_BROKER_REPLICAS": text})

    assert str(refusal.value) == (
        f"REPORTS_BROKER_REPLICAS={text!r} is not valid: give a whole number from 0 to 16"
    )


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("250ms", timedelta(milliseconds=250)),
        ("30s", timedelta(seconds=30)),
        ("1.5s", timedelta(seconds=1.5)),
        ("15m", timedelta(minutes=15)),
        ("1h", timedelta(hours=1)),
        ("3650d", timedelta(days=3650)),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


SECRET = "whsec_" + "QUFB" * 8
CALLBACKS = {"REPORTS_CALLBACK_HOSTS": "hooks.example.com,*.example.org", "REPORTS_CALLBACK_SECRET": SECRET}


def test_callbacks_are_off_and_kept_from_private_addresses_by_default() -> None:
    callbacks = Settings.from_environ({}).callbacks

    assert (callbacks.hosts, callbacks.allow_private) == ((), False)
    assert [delay.total_seconds() for delay in callbacks.delays] == [5, 30, 120, 600, 3600, 21600]


def test_the_settings_of_callbacks_are_read_and_the_secret_is_not_shown() -> None:
    more = {"REPORTS_CALLBACK_PRIVATE": "true", "REPORTS_CALLBACK_DELAYS": "10ms, 1h"}
    settings = Settings.from_environ(CALLBACKS | more)

    assert settings.callbacks.hosts == ("hooks.example.com", "*.example.org")
    assert settings.callbacks.secret == b"AAA" * 8
    assert settings.callbacks.allow_private
    assert settings.callbacks.delays == (timedelta(milliseconds=10), timedelta(hours=1))
    assert "AAA" not in repr(settings)


def test_hosts_need_a_secret() -> None:
    with pytest.raises(
        SettingsError, match=r"^REPORTS_CALLBACK_HOSTS is set and REPORTS_CALLBACK_SECRET is not"
    ):
        Settings.from_environ({"REPORTS_CALLBACK_HOSTS": "hooks.example.com"})


def test_a_bad_secret_is_refused_and_not_repeated() -> None:
    with pytest.raises(SettingsError) as refusal:
        Settings.from_environ(CALLBACKS | {"REPORTS_CALLBACK_SECRET": "whsec_hunter2"})

    assert str(refusal.value).startswith("REPORTS_CALLBACK_SECRET is not valid: give whsec_ and 24 to 64")
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("REPORTS_CALLBACK_HOSTS", "https://hooks.example.com"),
        ("REPORTS_CALLBACK_HOSTS", "*"),
        ("REPORTS_CALLBACK_PRIVATE", "1"),
        ("REPORTS_CALLBACK_DELAYS", "5"),
        ("REPORTS_CALLBACK_DELAYS", "5s,,5s"),
    ],
)
def test_other_settings_of_callbacks_are_refused(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=rf"^{name}="):
        Settings.from_environ(CALLBACKS | {name: text})


DURATIONS = ["REPORTS_GRACE", "REPORTS_RETENTION", "REPORTS_TIMEOUT"]


@pytest.mark.parametrize("name", DURATIONS)
@pytest.mark.parametrize("text", ["nonsense", "30", "s", "-1s", "1 s", "1e3s", "٣s", "1s2m", "inf", "30S"])
def test_what_is_no_duration_is_refused_with_an_example(name: str, text: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        Settings.from_environ({name: text})

    assert str(refusal.value) == (
        f"{name}={text!r} is not valid: give a number with ms, s, m, h or d, such as 30s"
    )


@pytest.mark.parametrize("name", DURATIONS)
@pytest.mark.parametrize("text", ["3651d", "9" * 400 + "s"])
def test_a_duration_has_an_upper_limit(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=rf"^{name}='{text}' is not valid: give at most 3650d$"):
        Settings.from_environ({name: text})


@pytest.mark.parametrize("name", ["REPORTS_RETENTION", "REPORTS_TIMEOUT"])
@pytest.mark.parametrize("text", ["0s", "999ms"])
def test_keeping_and_time_limit_last_a_second_at_least(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=rf"^{name}='{text}' is not valid: give at least 1s$"):
        Settings.from_environ({name: text})


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", SecondsRange(0, 0)),
        ("5", SecondsRange(5, 5)),
        ("5-15", SecondsRange(5, 15)),
        ("0.1-0.2", SecondsRange(0.1, 0.2)),
        ("3600", SecondsRange(3600, 3600)),
    ],
)
def test_simulated_seconds_are_a_number_or_a_range(text: str, seconds: SecondsRange) -> None:
    assert Settings.from_environ({"REPORTS_SIMULATED_SECONDS": text}).simulated_seconds == seconds


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("soon", "give seconds as one number or a range, such as 5 or 5-15"),
        ("-1", "give seconds as one number or a range, such as 5 or 5-15"),
        ("5s", "give seconds as one number or a range, such as 5 or 5-15"),
        ("5-", "give seconds as one number or a range, such as 5 or 5-15"),
        ("15-5", "give the smaller number first, and at most 3600 seconds"),
        ("5-3601", "give the smaller number first, and at most 3600 seconds"),
        ("9" * 400, "give the smaller number first, and at most 3600 seconds"),
    ],
)
def test_other_simulated_seconds_are_refused(text: str, allowed: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        Settings.from_environ({"REPORTS_SIMULATED_SECONDS": text})

    assert str(refusal.value) == f"REPORTS_SIMULATED_SECONDS={text!r} is not valid: {allowed}"
