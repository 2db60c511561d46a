"""JSON request and response bodies, independent of the JSON settings of a host application."""

from __future__ import annotations

import json
from typing import NoReturn

from flask import Response
from flask.globals import request_ctx
from werkzeug.exceptions import BadRequest, UnsupportedMediaType


def read_json() -> object:
    """Parse the body of the request. Raises 415 for another media type, and 400 for invalid JSON or UTF-8."""
    request = request_ctx.request
    if request.mimetype != "application/json":
        raise UnsupportedMediaType("Send JSON, with the header Content-Type: application/json.")
    try:
        return _DECODER.decode(request.get_data().decode("utf-8"))
    except UnicodeDecodeError as error:
        raise BadRequest("The body is not valid UTF-8.") from error
    except RecursionError as error:
        raise BadRequest("The body is nested too deeply.") from error
    except ValueError as error:
        raise BadRequest(f"The body is not valid JSON: {error}") from error


def json_response(body: object, status: int = 200, *, mimetype: str = "application/json") -> Response:
    """Return a JSON response whose fields keep their order."""
    return Response(_ENCODER.encode(body), status, mimetype=mimetype)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


# Created once: with options, each json.loads or json.dumps creates a new one.
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
_ENCODER = json.JSONEncoder(separators=(",", ":"))
