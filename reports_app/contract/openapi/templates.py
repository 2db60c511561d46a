"""The files of the description: JSON with a place, such as `${longest_title}`, for each value that the code decides."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from typing import Any

Schema = dict[str, Any]
_PLACE = re.compile(r"\$\{(\w+)\}", re.ASCII)
_RESPONSE = "#/components/responses/"


def read_paths(values: Mapping[str, Any]) -> Schema:
    """Read the paths. A response that many operations share stands in each of them: readers follow no reference."""
    shared = _fill(_read("components")["responses"], values)
    paths: Schema = _replace(_fill(_read("paths"), values), lambda value: _find_shared(value, shared))
    return paths


def read_parameters(values: Mapping[str, Any]) -> Schema:
    return _fill(_read("components")["parameters"], values)


def read_schemas(values: Mapping[str, Any]) -> Schema:
    return _fill(_read("schemas"), values)


@cache
def _read(name: str) -> Schema:
    file = resources.files(__package__) / f"{name}.json"
    content: Schema = json.loads(file.read_text(encoding="utf-8"))
    return content


def _fill(content: Schema, values: Mapping[str, Any]) -> Schema:
    """Put the values in their places. Raises KeyError for a place that has no value."""
    filled: Schema = _replace(
        content, lambda value: _fill_text(value, values) if isinstance(value, str) else value
    )
    return filled


def _fill_text(text: str, values: Mapping[str, Any]) -> Any:
    """A text that is one place becomes the value itself, which may be a number or a list."""
    if place := _PLACE.fullmatch(text):
        return values[place[1]]
    return _PLACE.sub(lambda found: _format(values[found[1]]), text)


def _format(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else f"{value:,}"


def _find_shared(value: Any, shared: Schema) -> Any:
    reference = value.get("$ref", "") if isinstance(value, dict) else ""
    return shared[reference.removeprefix(_RESPONSE)] if reference.startswith(_RESPONSE) else value


def _replace(value: Any, change: Callable[[Any], Any]) -> Any:
    """Copy a document, with each value in it changed; the outer ones first."""
    changed = change(value)
    if changed is not value:
        return changed
    if isinstance(value, dict):
        return {name: _replace(part, change) for name, part in value.items()}
    return [_replace(part, change) for part in value] if isinstance(value, list) else value
