"""Below a prefix, what nobody serves is answered by us: else by whatever application we are part of."""

from __future__ import annotations

from typing import NoReturn

from flask import request
from flask.blueprints import BlueprintSetupState
from flask.globals import request_ctx
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from reports_app.contract.methods import METHODS


def answer_unknown_paths(state: BlueprintSetupState) -> None:
    """Serve every path that no other rule serves, if there is a prefix; at the root they are not ours."""
    if state.url_prefix and state.url_prefix != "/":
        state.add_url_rule("/<path:rest>", "unknown", _refuse, methods=METHODS)


def _refuse(**_: str) -> NoReturn:
    if allowed := [method for method in METHODS if _is_served(method)]:
        raise MethodNotAllowed(allowed, f"{request.method} is not allowed here; {', '.join(allowed)} are.")
    raise NotFound


def _is_served(method: str) -> bool:
    """Tell whether another rule than ours serves this path with `method`."""
    assert request_ctx.url_adapter is not None  # noqa: S101 - there is one while a request is served
    try:
        endpoint, _ = request_ctx.url_adapter.match(method=method)
    except HTTPException:
        return False
    return bool(endpoint != request.endpoint)
