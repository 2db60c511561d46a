"""The tables of a folder of Parquet files on the Spark server."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyspark.errors.exceptions.connect import AnalysisException, SparkConnectGrpcException
from pyspark.sql.connect import functions
from pyspark.sql.types import StructType

from reports_worker.warehouse.column_types import EXACT_DIGITS, EXACT_WHOLE, unite
from reports_worker.warehouse.errors import WarehouseError, WarehouseUnavailableError

_TABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# `hdfs://host:port` of a folder's address.
_FILE_SYSTEM = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*:(//[^/]*)?")
_END = ".parquet"
# Spark's names of types that have a common type, and DuckDB's names, which `column_types` uses.
_TYPES = {
    "void": '"NULL"', "tinyint": "TINYINT", "smallint": "SMALLINT", "int": "INTEGER", "bigint": "BIGINT",
    "float": "FLOAT", "double": "DOUBLE", "date": "DATE", "timestamp_ntz": "TIMESTAMP",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
}  # fmt: skip
_NAMES = {name: spark for spark, name in _TYPES.items()}
_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")


@dataclass(frozen=True)
class SparkTable:
    """A table's files by path inside the folder, with time and length; `fault` is the reason if it is not usable."""

    name: str
    path: str
    files: Mapping[str, tuple[Any, int]] = field(default_factory=dict)
    fault: str = ""


@dataclass(frozen=True)
class _Shape:
    """Files with the same schema."""

    frame: Any
    names: Sequence[str]

    @property
    def schema(self) -> StructType:
        schema: StructType = self.frame.schema
        return schema


def find_tables(spark: Any, folder: str) -> Mapping[str, SparkTable]:
    """Find the tables, by name in lower case.

    A table is a file `orders.parquet`, or a folder `orders` with Parquet files below it. The server lists the files,
    since the folder may exist only on its machine or in its object store.
    """
    entries: dict[str, dict[str, tuple[Any, int]]] = {}
    for name, identity in list_files(spark, folder).items():
        entries.setdefault(name.partition("/")[0], {})[name] = identity
    tables: dict[str, SparkTable] = {}
    for entry, files in sorted(entries.items()):
        name = entry.removesuffix(_END)
        if not _TABLE_NAME.fullmatch(name):
            continue
        path = f"{folder.rstrip('/')}/{entry}"
        fault = f"{name} and {name}{_END} are both this table: keep one" if name.lower() in tables else ""
        tables[name.lower()] = SparkTable(name, path, files, fault)
    if not tables:
        raise WarehouseUnavailableError(
            "The folder of the warehouse has no Parquet files on the Spark server."
        )
    return tables


def list_files(spark: Any, folder: str) -> Mapping[str, tuple[Any, int]]:
    """List the Parquet files below a folder by their paths inside it."""
    files = spark.read.format("binaryFile").option("recursiveFileLookup", "true")
    files = files.option("pathGlobFilter", f"*{_END}").load(folder)
    top = _FILE_SYSTEM.sub("", folder).rstrip("/") + "/"
    rows = files.select("path", "modificationTime", "length").collect()
    return {row.path.partition(top)[2]: (row.modificationTime, row.length) for row in rows}


def read_table(spark: Any, folder: str, table: SparkTable) -> Any:
    """Return the rows of all files of a table; raise WarehouseError where the files have no common schema.

    By default Spark reads the schema of one file and uses it for all; `mergeSchema` reads the schema of each file.
    """
    if table.fault:
        raise WarehouseError(table.fault)
    if len(table.files) == 1:
        return spark.read.parquet(table.path)
    try:
        frame = spark.read.option("mergeSchema", "true").parquet(table.path)
        frame.schema  # noqa: B018 - a request to the server
    except (AnalysisException, SparkConnectGrpcException):
        return _unite(_list_shapes(spark, folder, table))
    return frame


def _list_shapes(spark: Any, folder: str, table: SparkTable) -> Sequence[_Shape]:
    """Read the schema of each file, with one job for each: Spark does not report which files disagree."""
    names: dict[str, list[str]] = {}
    for name in sorted(table.files):
        schema = _read(spark, folder, table, [name]).schema
        names.setdefault(schema.json(), []).append(name)
    return [_Shape(_read(spark, folder, table, several), several) for several in names.values()]


def _read(spark: Any, folder: str, table: SparkTable, names: Sequence[str]) -> Any:
    paths = [f"{folder.rstrip('/')}/{name}" for name in names]
    return spark.read.option("basePath", table.path).parquet(*paths)


def _unite(shapes: Sequence[_Shape]) -> Any:
    types: dict[str, str] = {}
    for shape in shapes:
        for column in shape.schema.fields:
            types.setdefault(column.name.casefold(), column.name)
    targets = {name: _unite_column(shapes, shown) for name, shown in types.items()}
    united = None
    for shape in shapes:
        columns = [
            functions.col(f"`{column.name}`")
            .cast(targets[column.name.casefold()])
            .alias(types[column.name.casefold()])
            for column in shape.schema.fields
        ]
        frame = shape.frame.select(*columns)
        united = frame if united is None else united.unionByName(frame, allowMissingColumns=True)
    return united


def _unite_column(shapes: Sequence[_Shape], column: str) -> str:
    """Return the common type of a column in all files, as Spark's type name."""
    found = [
        (shape, each.name, each.dataType.simpleString())
        for shape in shapes
        for each in shape.schema.fields
        if each.name.casefold() == column.casefold()
    ]
    kinds = [kind for _, _, kind in found]
    if len(set(kinds)) == 1:
        return str(kinds[0])
    target = unite([_to_rules(kind) for kind in kinds])
    first, other = found[0], next(each for each in found if each[2] != kinds[0])
    both = f"column {column!r} is {first[2]} in {first[0].names[0]} and {other[2]} in {other[0].names[0]}"
    if target is None:
        raise WarehouseError(f"{both}, and no type holds both: write all files with one type")
    for shape, name, kind in found:
        if target == "DOUBLE" and (value := _find_inexact(shape, name, kind)):
            raise WarehouseError(
                f"{both}, and double, which would hold both, changes {value}: write one type"
            )
    return _NAMES.get(target, target.lower())


def _find_inexact(shape: _Shape, name: str, kind: str) -> str | None:
    """Find a number that a double cannot hold exactly."""
    decimal = _DECIMAL.fullmatch(kind)
    if kind != "bigint" and not (decimal and int(decimal[1]) > EXACT_DIGITS):
        return None
    limit = EXACT_WHOLE if decimal is None else f"1e{EXACT_DIGITS - int(decimal[2])}"
    column = f"`{name}`"
    beyond = f"{column} > {limit} OR {column} < -{limit}" if decimal is None else f"abs({column}) >= {limit}"
    row = shape.frame.where(beyond).select(functions.col(column).cast("string")).head()
    return row and str(row[0])


def _to_rules(kind: str) -> str:
    return _TYPES.get(kind) or (kind.upper() if _DECIMAL.fullmatch(kind) else kind)
