"""What Spark may be sent: one query that reads tables. Spark has no read-only session, hence this check."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import Scope, traverse_scope

from reports_worker.warehouse.errors import WarehouseError

DIALECT = "spark"
# They call any Java method; the last one makes a table's name of any text.
_FORBIDDEN_FUNCTIONS = frozenset({"reflect", "java_method", "try_reflect", "identifier"})


def check_query(sql: str, tables: Collection[str] | None) -> str:
    """Return a query as it may be sent; raise WarehouseError for any other statement.

    It is written anew from what was understood here, so that Spark cannot understand another thing: comments
    and quotes end elsewhere in Spark's grammar. Where `tables` is given, it reads these and no others.
    """
    tree = _parse(sql)
    for node in tree.walk():
        if isinstance(node, (exp.Command, exp.DML, exp.DDL, exp.Into)) and not isinstance(node, exp.Query):
            raise WarehouseError("A report only reads: this is no query.")
        if isinstance(node, exp.QueryTransform):
            raise WarehouseError("A report runs no programs: TRANSFORM ... USING is not allowed.")
        if isinstance(node, exp.Func) and _name(node) in _FORBIDDEN_FUNCTIONS:
            raise WarehouseError(f"The function {_name(node)}() is not allowed in a report.")
    if tables is not None:
        _check_tables(tree, tables)
    return _keep_quantiles(tree).sql(dialect=DIALECT, comments=False)


def _keep_quantiles(tree: exp.Expr) -> exp.Expr:
    """Keep sqlglot from writing an exact quantile as Spark's approximate one."""
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
        raise WarehouseError("A report sends one query at a time; this has several statements, or none.")
    tree = statements[0]
    if not isinstance(tree, exp.Query):
        raise WarehouseError("A report only reads: a query begins with SELECT or WITH.")
    return tree


def _name(function: exp.Func) -> str:
    name = function.this if isinstance(function, exp.Anonymous) else function.sql_name()
    return str(getattr(name, "name", name)).lower()


def list_tables(sql: str) -> Collection[str]:
    """List the names of the tables that a query reads, in small letters."""
    return {table.name.lower() for table in _find_tables(_parse(sql))}


def _check_tables(tree: exp.Expr, tables: Collection[str]) -> None:
    """Refuse a table outside the warehouse."""
    known = {name.lower() for name in tables}
    for table in _find_tables(tree):
        if table.db or table.name.lower() not in known:
            raise WarehouseError(missing_table(table.sql(dialect=DIALECT, comments=False).partition(" ")[0]))


def _find_tables(tree: exp.Expr) -> Iterator[exp.Table]:
    """Yield the tables that are read; a name that WITH gives is none where it reaches."""
    named = {id(table) for scope in traverse_scope(tree) for table in scope.tables if _is_named(table, scope)}
    for table in tree.find_all(exp.Table):
        if not (isinstance(table.this, exp.Func) or table.find_ancestor(exp.Hint) or id(table) in named):
            yield table


def _is_named(table: exp.Table, scope: Scope) -> bool:
    names = {name.lower() for name in scope.cte_sources}
    return not table.db and table.name.lower() in names


def missing_table(name: str) -> str:
    return f"The warehouse has no table {name}."
