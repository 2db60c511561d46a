"""Translate a query from DuckDB's dialect to the dialect of another engine: by its syntax tree, never by its text."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError, UnsupportedError

from .errors import WarehouseError

AUTHORS = "duckdb"
ONLY_READS = "Reports only read: a query must be one SELECT."


@lru_cache(maxsize=256)
def translate(sql: str, dialect: str) -> str:
    """Translate a query for an engine; `:name` stays. Raises WarehouseError if this is not possible."""
    if dialect == AUTHORS:
        return sql
    try:
        tree = _parse(sql, AUTHORS)
        for step in (_name_groups, _name_order, _keep_meaning):
            tree = step(tree)
        tree = tree.transform(_write_for(dialect), copy=False).transform(_keep_placeholder, copy=False)
        return tree.sql(dialect=dialect, unsupported_level=ErrorLevel.RAISE)
    except UnsupportedError as error:
        raise WarehouseError(
            f"The query cannot be translated to {dialect}: {_first_line(error)} Write a query for this dialect in "
            "`overrides`."
        ) from error
    except SqlglotError as error:
        raise WarehouseError(f"The query cannot be read as DuckDB's SQL: {_first_line(error)}") from error


def check_reads(sql: str, dialect: str) -> None:
    """Refuse a statement that is not a SELECT, for engines that cannot be opened read-only.

    A statement that sqlglot cannot parse passes: the rights of the database's user are the real protection.
    """
    try:
        tree = _parse(sql, dialect)
    except SqlglotError:
        return
    if not isinstance(tree, exp.Query) or tree.find(exp.DML, exp.DDL, exp.Command, exp.Into):
        raise WarehouseError(ONLY_READS)


def _parse(sql: str, dialect: str) -> exp.Expr:
    trees = [tree for tree in sqlglot.parse(sql, read=dialect) if tree is not None]
    if len(trees) != 1:
        raise WarehouseError(f"A query must be one statement, and this has {len(trees) or 'none'}.")
    return trees[0]


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].replace("\x1b[4m", "").replace("\x1b[0m", "")


def _name_groups(tree: exp.Expr) -> exp.Expr:
    """Expand GROUP BY ALL to every column that does not aggregate."""
    for select in tree.find_all(exp.Select):
        group = select.args.get("group")
        if group is not None and group.args.get("all"):
            _refuse_star(select, "GROUP BY ALL")
            keys = [number for number, column in enumerate(select.expressions, 1) if not _aggregates(column)]
            terms = [exp.Literal.number(key) for key in keys]
            select.set("group", exp.Group(expressions=terms) if terms else None)
    return tree


def _aggregates(column: exp.Expr) -> bool:
    """Return whether a column aggregates itself, or over a window; aggregates of a subquery do not count."""
    own = column.find_ancestor(exp.Select)
    return any(found.find_ancestor(exp.Select) is own for found in column.find_all(exp.AggFunc, exp.Window))


def _name_order(tree: exp.Expr) -> exp.Expr:
    """Expand ORDER BY ALL to every column, from the left."""
    for query in tree.find_all(exp.Query):
        order = query.args.get("order")
        if order is None or len(order.expressions) != 1 or not _is_all(order.expressions[0].this):
            continue
        _refuse_star(query, "ORDER BY ALL")
        term = order.expressions[0]
        terms = [term.copy() for _ in query.selects]
        for number, copy in enumerate(terms, 1):
            copy.set("this", exp.Literal.number(number))
        order.set("expressions", terms)
    return tree


def _is_all(node: exp.Expr) -> bool:
    return node.name.upper() == "ALL" and not any(
        part.args.get("quoted") for part in node.find_all(exp.Identifier)
    )


def _refuse_star(query: exp.Query, what: str) -> None:
    if any(column.is_star for column in query.selects):
        raise WarehouseError(f"{what} with * cannot be translated to other engines: name the columns.")


def _keep_meaning(tree: exp.Expr) -> exp.Expr:
    """Cast to the types that DuckDB's functions return: other engines return exact averages, or months with a zone."""
    kinds = {exp.Avg: "double", exp.TimestampTrunc: "timestamp", exp.DateTrunc: "timestamp"}
    for node in list(tree.find_all(*kinds)):
        whole: exp.Expr = node
        while isinstance(whole.parent, (exp.Filter, exp.Window)) and whole.arg_key == "this":
            whole = whole.parent
        if not isinstance(whole.parent, exp.Cast):
            whole.replace(exp.cast(whole.copy(), kinds[type(node)]))
    return tree


def _write_for(dialect: str) -> Callable[[exp.Expr], exp.Expr]:
    def write(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Div) and not isinstance(node.this, exp.Cast):
            # Only DuckDB returns a floating-point number for `/` of exact numbers.
            node.set("this", exp.cast(node.this, "double"))
        if isinstance(node, exp.ToDays):
            return _days(node.this)
        if isinstance(node, exp.Interval) and isinstance(node.this, (exp.Paren, exp.Column, exp.Placeholder)):
            return _days(node.this, unit=node.args["unit"])
        if isinstance(node, exp.PercentileCont) and dialect != "postgres":
            return _write_quantile(node, dialect)
        if dialect == "postgres":
            return _write_for_postgresql(node)
        return node

    return write


def _keep_placeholder(node: exp.Expr) -> exp.Expr:
    """Keep `:name` as it is: `bind` replaces it by the driver's own mark."""
    return exp.Var(this=f":{node.name}") if isinstance(node, exp.Placeholder) else node


def _days(number: exp.Expr, *, unit: exp.Expr | None = None) -> exp.Expr:
    """Write a number of days as a product with one day: few engines accept a number in INTERVAL."""
    one = exp.Interval(this=exp.Literal.string("1"), unit=unit or exp.Var(this="DAY"))
    return exp.Mul(this=number if isinstance(number, exp.Paren) else exp.Paren(this=number), expression=one)


def _write_quantile(node: exp.PercentileCont, dialect: str) -> exp.Expr:
    if dialect not in ("spark", "databricks"):
        raise UnsupportedError("this dialect has no quantile_cont().")
    # sqlglot would write PERCENTILE_CONT(x, 0.5), which Spark does not accept.
    return exp.Anonymous(this="percentile", expressions=[node.this, node.expression])


def _write_for_postgresql(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.Round) and node.args.get("decimals") and not isinstance(node.this, exp.Cast):
        # PostgreSQL rounds only exact numbers to decimals.
        node.set("this", exp.cast(node.this, "decimal"))
    if isinstance(node, exp.DateFromParts):
        return exp.Anonymous(
            this="make_date", expressions=[node.args[key] for key in ("year", "month", "day")]
        )
    return node
