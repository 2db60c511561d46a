"""Unknown paths below the prefix of the mounted blueprint: refused by the product, not by the host application."""

from __future__ import annotations

from typing import NoReturn

from flask import request
from flask.blueprints import BlueprintSetupState
from flask.globals import request_ctx
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from reports_app.contract.methods import METHODS


def handle_unknown_paths(state: BlueprintSetupState) -> None:
    """Serve every unknown path below the prefix; without a prefix, such paths belong to the host application."""
    if state.url_prefix and state.url_prefix != "/":
        state.add_url_rule("/<path:rest>", "unknown", _refuse, methods=METHODS)


def _refuse(**_: str) -> NoReturn:
    if allowed := [method for method in METHODS if _is_served(method)]:
        raise MethodNotAllowed(allowed, f"{request.method} is not allowed. Use {', '.join(allowed)}.")
    raise NotFound


def _is_served(method: str) -> bool:
    """Whether another rule serves this path with `method`."""
    assert request_ctx.url_adapter is not None  # noqa: S101 - there is one while a request is served
    try:
        endpoint, _ = request_ctx.url_adapter.match(method=method)
    except HTTPException:
        return False
    return bool(endpoint != request.endpoint)
