"""The parameters of a type as JSON Schema."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .parameter import Parameter


def describe_schema(parameters: Sequence[Parameter]) -> dict[str, Any]:
    """Return the JSON Schema of the object of parameters in a request."""
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {one.name: _annotate(one) for one in parameters},
    }
    if required := [one.name for one in parameters if one.required]:
        schema["required"] = required
    return schema | {"additionalProperties": False}


def _annotate(parameter: Parameter) -> dict[str, Any]:
    annotations = {"title": parameter.label, "description": parameter.help}
    schema = parameter.schema() | {name: text for name, text in annotations.items() if text}
    return schema if parameter.offered is None else schema | {"default": parameter.offered}
