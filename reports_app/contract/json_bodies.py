"""JSON in and out, whatever the application that we are mounted in has set for its own."""

from __future__ import annotations

import json
from typing import NoReturn

from flask import Response, request
from werkzeug.exceptions import BadRequest, UnsupportedMediaType


def read_json() -> object:
    """Parse the request's body. Raises 415 for another media type and 400 for what is no JSON in UTF-8."""
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


def answer_json(body: object, status: int = 200, *, mimetype: str = "application/json") -> Response:
    """Answer with JSON whose fields keep their order."""
    return Response(_ENCODER.encode(body), status, mimetype=mimetype)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


# Made once: with options, json.loads and json.dumps make one each time.
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
_ENCODER = json.JSONEncoder(separators=(",", ":"))
