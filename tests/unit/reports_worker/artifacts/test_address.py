"""The connection strings of the file store."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports_worker import Settings, SettingsError
from reports_worker.artifacts.address import FolderAddress, S3Address, parse_store


@pytest.mark.parametrize("text", ["/srv/reports", "file:///srv/reports", "file://localhost/srv/reports"])
def test_a_folder_is_named_by_its_path(text: str) -> None:
    assert parse_store(text) == FolderAddress(Path("/srv/reports"))


def test_a_relative_folder_is_found_from_where_the_process_was_started() -> None:
    assert parse_store("kept/here") == FolderAddress(Path.cwd() / "kept/here")


def test_a_bucket_may_have_a_prefix_and_options() -> None:
    found = parse_store("s3://reports/a/b/?endpoint_url=http://localhost:9000&region=eu-west-1")

    assert found == S3Address(
        "reports", "a/b", (("endpoint_url", "http://localhost:9000"), ("region", "eu-west-1"))
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("s3://", "with the name of a bucket"),
        ("s3:///prefix", "with the name of a bucket"),
        ("s3://key:hunter2@reports/x", "credentials by AWS_ACCESS_KEY_ID"),
        ("s3://reports?secret=hunter2", "the options of s3:// are endpoint_url and region"),
        ("s3://reports?endpoint_url=hunter2", "give endpoint_url=http://host:port"),
        ("s3://reports?endpoint_url=http://a:hunter2@b", "without a password"),
        ("s3://reports?region=", "the name of a region"),
        ("gs://hunter2", "the path of a folder, or s3://"),
        ("~nobody-hunter2/x", "give an absolute path"),
        ("/etc/passwd", "is not a folder"),
        ("/srv/hunter2\n", "the path of a folder, or s3://"),
    ],
)
def test_an_address_that_is_not_valid_is_refused_in_one_sentence(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_store(text)


def test_the_sentence_names_the_setting_and_repeats_no_secret() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_environ({"ConnectionStrings__artifacts": "s3://key:hunter2@reports/x"})

    assert str(caught.value).startswith("ConnectionStrings__artifacts is not valid: ")
    assert "hunter2" not in str(caught.value)
