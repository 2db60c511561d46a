"""Check with DuckDB's own parser that a statement only reads.

StatementType.SELECT is not enough: since DuckDB 2.0 a WITH clause may contain COPY, INSERT, UPDATE and DELETE, and
`json_execute_serialized_sql` runs such a statement from text. So the syntax tree is checked too, and any node that is
not known to only read is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb

from reports_worker.warehouse.errors import WarehouseError

from .parts import fold

_READING_NODES = {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"}
# The only functions that are allowed in FROM; all other functions could read outside the warehouse.
_TABLE_FUNCTIONS = {"range", "generate_series", "unnest", "json_each", "json_tree", "repeat", "repeat_row"}
# Nodes that name a table, also in statements such as SHOW TABLES.
_NAMING = ("BASE_TABLE", "SHOW_REF")
_ONLY_READS = "Reports only read: a query must be one SELECT"


@dataclass(frozen=True)
class Named:
    """The names of tables in a statement, in lower case; `given` are the names that its WITH clauses define."""

    tables: frozenset[str]
    given: frozenset[str]


def check_reads(connection: duckdb.DuckDBPyConnection, sql: str) -> Named:
    """Refuse any statement but one SELECT that only reads; return the tables that it names."""
    statements = connection.extract_statements(sql)
    if len(statements) != 1:
        raise WarehouseError(f"{_ONLY_READS}, and this has {len(statements) or 'no'} statements.")
    if statements[0].type is duckdb.StatementType.MULTI:
        raise WarehouseError(f"{_ONLY_READS}; PIVOT must name its values: ON column IN ('one', 'two').")
    if statements[0].type is not duckdb.StatementType.SELECT:
        raise WarehouseError(f"{_ONLY_READS}, not {statements[0].type.name.replace('_', ' ')}.")
    tables, given = set[str](), set[str]()
    for node in _parse(connection, sql):
        _check_node(node)
        if node.get("type") in _NAMING:
            tables.add(fold(node["table_name"]))
        if "cte_map" in node:
            given.update(fold(entry["key"]) for entry in node["cte_map"]["map"])
    return Named(frozenset(tables - {""}), frozenset(given))


def _parse(connection: duckdb.DuckDBPyConnection, sql: str) -> Iterator[dict[str, Any]]:
    """Yield every object of the syntax tree."""
    row = connection.execute("SELECT json_serialize_sql(?)", [sql]).fetchone()
    try:
        tree = json.loads(row[0]) if row else {"error": True}
    except RecursionError as error:
        raise WarehouseError(f"{_ONLY_READS}, and this is nested too deeply.") from error
    if tree.get("error"):
        raise WarehouseError(f"{_ONLY_READS}.")
    waiting: list[Any] = [tree]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            yield item
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)


def _check_node(node: dict[str, Any]) -> None:
    kind = node.get("type")
    if isinstance(kind, str) and kind.endswith("_NODE") and kind not in _READING_NODES:
        raise WarehouseError(f"{_ONLY_READS}, with no {kind.partition('_')[0]} in it.")
    if kind == "TABLE_FUNCTION":
        name = str(node["function"].get("function_name", "")).lower()
        if name not in _TABLE_FUNCTIONS:
            raise WarehouseError(
                f"Reports cannot use {name}() in FROM: they read the tables of the warehouse."
            )
