"""What a completed report's own page shows of its contents, as it stands in Redis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reports_worker.lib.strict_json import expect, parse_json


def read_preview(text: bytes | None) -> Mapping[str, Any] | None:
    """Read what a completed report's own page shows of its contents; None if there is none, or it is damaged."""
    try:
        found = parse_json(text.decode()) if text else None
        return _check_preview(found) if found else None
    except (KeyError, OverflowError, TypeError, ValueError):
        return None


def _check_preview(found: Any) -> Mapping[str, Any]:
    """Return a preview of which the page can show all; raise TypeError or ValueError where it could not."""
    preview = {"units": {}, "tables": [], "charts": [], "stages": [], **expect(found, dict)}
    expect(preview["units"], dict)
    for stage in expect(preview["stages"], list):
        expect(expect(stage, dict)["name"], str)
        float(expect(stage["seconds"], (int, float)))
    parts = {
        name: [_check_part(part) for part in expect(preview[name], list)] for name in ("tables", "charts")
    }
    return {**preview, **parts}


def _check_part(found: Any) -> Mapping[str, Any]:
    """Return a table or chart of a preview, with what the page reads of it."""
    part = {
        "name": "",
        "title": "",
        "description": "",
        "cut": None,
        "rows": 0,
        "first": [],
        **expect(found, dict),
    }
    expect(part["title"], str)
    expect(part["rows"], int)
    nothing = {"title": "", "kind": "", "unit": ""}
    columns = [{**nothing, **expect(column, dict)} for column in expect(part.get("columns", []), list)]
    if any(len(expect(line, list)) > len(columns) for line in expect(part["first"], list)):
        raise ValueError("a row has more values than there are columns")
    return {**part, "columns": columns}
