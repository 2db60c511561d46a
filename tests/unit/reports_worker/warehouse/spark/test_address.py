"""Spark's address: the parameters of Spark Connect and those of this product."""

from __future__ import annotations

import pytest

from reports_worker.warehouse.spark.address import SparkPlace, parse_place


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("sc://host", SparkPlace("sc://host")),
        ("sc://host:15002/", SparkPlace("sc://host:15002")),
        ("sc://host:15002/;database=shop", SparkPlace("sc://host:15002", database="shop")),
        (
            "sc://host/;use_ssl=true;folder=s3a://bucket/a%3Bb;token=abc",
            SparkPlace("sc://host/;use_ssl=true;token=abc", folder="s3a://bucket/a;b"),
        ),
    ],
)
def test_an_address_is_taken_apart(text: str, place: SparkPlace) -> None:
    assert parse_place(text) == place


@pytest.mark.parametrize(
    "text",
    [
        "sc://",
        "sc:///;database=shop",
        "sc://host/shop",
        "sc://host/;database",
        "sc://host/;database=",
        "sc://host/;database=shop;folder=/srv",
    ],
)
def test_an_address_that_cannot_be_meant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Spark"):
        parse_place(text)


def test_a_token_is_not_shown() -> None:
    assert "abc" not in repr(parse_place("sc://host/;token=abc"))
