"""The check of queries for Spark: one query that only reads tables. Spark has no read-only session."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import Scope, traverse_scope

from reports_worker.warehouse.errors import WarehouseError

DIALECT = "spark"
# The first three call any Java method; the last one makes the name of a table from any text.
_FORBIDDEN_FUNCTIONS = frozenset({"reflect", "java_method", "try_reflect", "identifier"})


def check_query(sql: str, tables: Collection[str] | None) -> str:
    """Return the query to send; raise WarehouseError for any other statement.

    The query is generated from the parsed tree, so that Spark cannot parse it differently: comments and quotes end in
    other places in Spark's grammar. With `tables`, the query may read only these tables.
    """
    tree = _parse(sql)
    for node in tree.walk():
        if isinstance(node, (exp.Command, exp.DML, exp.DDL, exp.Into)) and not isinstance(node, exp.Query):
            raise WarehouseError("A report only reads: this is not a query.")
        if isinstance(node, exp.QueryTransform):
            raise WarehouseError("A report runs no programs: TRANSFORM ... USING is not allowed.")
        if isinstance(node, exp.Func) and _name(node) in _FORBIDDEN_FUNCTIONS:
            raise WarehouseError(f"The function {_name(node)}() is not allowed in a report.")
    if tables is not None:
        _check_tables(tree, tables)
    return _keep_quantiles(tree).sql(dialect=DIALECT, comments=False)


def _keep_quantiles(tree: exp.Expr) -> exp.Expr:
    """Prevent sqlglot from writing an exact quantile as Spark's approximate quantile."""
    for quantile in tree.find_all(exp.WithinGroup):
        function = quantile.this
        if isinstance(function, (exp.PercentileCont, exp.PercentileDisc)):
            quantile.set("this", exp.Anonymous(this=function.sql_name(), expressions=[function.this]))
    return tree


def _parse(sql: str) -> exp.Expr:
    try:
        statements = sqlglot.parse(sql, read=DIALECT)
    except SqlglotError as error:
        raise WarehouseError(
            f"The query cannot be read as Spark's SQL: {str(error).partition(chr(10))[0]}"
        ) from error
    if len(statements) != 1:
        raise WarehouseError("A query must be one statement; this has several statements, or none.")
    tree = statements[0]
    if not isinstance(tree, exp.Query):
        raise WarehouseError("A report only reads: a query begins with SELECT or WITH.")
    return tree


def _name(function: exp.Func) -> str:
    name = function.this if isinstance(function, exp.Anonymous) else function.sql_name()
    return str(getattr(name, "name", name)).lower()


def list_tables(sql: str) -> Collection[str]:
    """List the names of the tables that a query reads, in lower case."""
    return {table.name.lower() for table in _find_tables(_parse(sql))}


def _check_tables(tree: exp.Expr, tables: Collection[str]) -> None:
    """Refuse a table outside the warehouse."""
    known = {name.lower() for name in tables}
    for table in _find_tables(tree):
        if table.db or table.name.lower() not in known:
            raise WarehouseError(missing_table(table.sql(dialect=DIALECT, comments=False).partition(" ")[0]))


def _find_tables(tree: exp.Expr) -> Iterator[exp.Table]:
    """Yield the tables that are read; a name of a WITH clause is not a table in the scope of the clause."""
    named = {id(table) for scope in traverse_scope(tree) for table in scope.tables if _is_named(table, scope)}
    for table in tree.find_all(exp.Table):
        if not (isinstance(table.this, exp.Func) or table.find_ancestor(exp.Hint) or id(table) in named):
            yield table


def _is_named(table: exp.Table, scope: Scope) -> bool:
    names = {name.lower() for name in scope.cte_sources}
    return not table.db and table.name.lower() in names


def missing_table(name: str) -> str:
    return f"The warehouse has no table {name}."
