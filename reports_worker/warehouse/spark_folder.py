"""The tables of a folder of Parquet, as the Spark server sees it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .errors import WarehouseUnavailableError

_TABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# `hdfs://host:port` of a folder's address.
_FILE_SYSTEM = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*:(//[^/]*)?")
_END = ".parquet"


def find_tables(spark: Any, folder: str) -> Mapping[str, str]:
    """Find each table's path: a file `orders.parquet`, or a folder `orders` with Parquet files below it.

    The server lists the files, for the folder may be on its machine or in its object store alone.
    """
    files = spark.read.format("binaryFile").option("recursiveFileLookup", "true")
    files = files.option("pathGlobFilter", f"*{_END}").load(folder).select("path")
    top = _FILE_SYSTEM.sub("", folder).rstrip("/") + "/"
    found = {row.path.partition(top)[2].partition("/")[0] for row in files.collect()}
    tables = {entry.removesuffix(_END): f"{folder.rstrip('/')}/{entry}" for entry in found}
    named = {name: path for name, path in tables.items() if _TABLE_NAME.fullmatch(name)}
    if not named:
        raise WarehouseUnavailableError("The folder of the warehouse has no Parquet files, as Spark sees it.")
    return named
