"""Spark's types and values as kinds and values of reports. Imports pyspark."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from typing import Any

import pyarrow as pa
from pyspark.sql import types

from reports_worker.content.rows import Batch, Kind

_KINDS: tuple[tuple[type[types.DataType], Kind], ...] = (
    (types.IntegralType, Kind.INTEGER),
    (types.DecimalType, Kind.DECIMAL),
    (types.FractionalType, Kind.NUMBER),
    (types.BooleanType, Kind.BOOLEAN),
    (types.DateType, Kind.DATE),
    (types.TimestampType, Kind.TIMESTAMP),
    (types.TimestampNTZType, Kind.TIMESTAMP),
)


def find_kind(given: types.DataType) -> Kind:
    """Return the kind of a column; values of a type without a kind become text."""
    return next((kind for known, kind in _KINDS if isinstance(given, known)), Kind.TEXT)


def read_batch(table: pa.Table) -> Batch:
    """Return the rows of an Arrow table; times are in UTC."""
    return list(zip(*(_read_column(column) for column in table.columns), strict=True))


def _read_column(column: pa.ChunkedArray) -> list[Any]:
    kind = column.type
    if pa.types.is_timestamp(kind):
        # The cast removes the zone, which is UTC: with a zone, Arrow returns times with pytz's zones.
        plain = column.cast(pa.timestamp("us")).to_pylist()
        return [value and value.replace(tzinfo=UTC) for value in plain]
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return _each(column, bytes.hex)
    if pa.types.is_nested(kind) or pa.types.is_duration(kind) or pa.types.is_interval(kind):
        return _each(column, str)
    values: list[Any] = column.to_pylist()
    return values


def _each(column: pa.ChunkedArray, write: Callable[[Any], str]) -> list[str | None]:
    return [None if value is None else write(value) for value in column.to_pylist()]
