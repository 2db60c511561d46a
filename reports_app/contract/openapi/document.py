"""The contract as OpenAPI 3.1: three files of JSON, completed with the limits and the types that the code has."""

from __future__ import annotations

import re
from collections.abc import Mapping

from reports_worker import (
    TypeDescription,
    __version__,
)
from reports_worker.parameters import describe_schema

from .limits import find_limits
from .templates import Schema, read_parameters, read_paths, read_schemas


def describe_api(catalog: Mapping[str, TypeDescription], *, root: str, has_callbacks: bool) -> Schema:
    """Describe the API below the path `root`, with callbacks if any host is allowed to get them."""
    limits = find_limits(catalog)
    schemas = read_schemas(limits) | _describe_types(catalog)
    schemas["Submission"] |= _choose_by_type(catalog)
    if has_callbacks:
        schemas["Submission"] |= {"not": {"required": ["callback_url", "max_age"]}}
    else:
        del schemas["Submission"]["properties"]["callback_url"]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Background reports",
            "version": __version__,
            "description": "Request a report, receive a task id at once, follow its progress, and read its figures.",
        },
        "servers": [{"url": root or "/"}],
        "paths": read_paths(limits),
        "components": {"schemas": schemas, "parameters": read_parameters(limits)},
    }


def _describe_types(catalog: Mapping[str, TypeDescription]) -> Schema:
    return {_parameters_name(name): describe_schema(one.parameters) for name, one in catalog.items()}


def _choose_by_type(catalog: Mapping[str, TypeDescription]) -> Schema:
    """Say which parameters go with which type."""
    choices = []
    for name, one in catalog.items():
        needed = ["parameters"] if any(parameter.required for parameter in one.parameters) else []
        fields = {
            "type": {"const": name},
            "parameters": {"$ref": f"#/components/schemas/{_parameters_name(name)}"},
        }
        choices.append({"title": one.title, "properties": fields, "required": ["type", *needed]})
    return {"oneOf": choices} if choices else {}


def _parameters_name(type_name: str) -> str:
    """Name a schema as OpenAPI allows it."""
    return f"Parameters.{re.sub('[^A-Za-z0-9._-]', '_', type_name)}"
