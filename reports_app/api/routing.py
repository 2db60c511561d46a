"""The blueprint of the API, and the registration of its resources."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response
from flask.globals import request_ctx
from werkzeug.exceptions import MethodNotAllowed

from reports_app.contract.methods import METHODS

View = Callable[..., Any]
api = Blueprint("api", __name__)


def resource(rule: str, name: str, **views: View) -> None:
    """Serve `rule` with one view for each method, and refuse every other method with problem details.

    Flask would pass 404 and 405 to the error handlers of the host application.
    """
    allowed = sorted({*views, "OPTIONS"} | ({"HEAD"} if "GET" in views else set()))

    def dispatch(**arguments: str) -> Any:
        request = request_ctx.request
        view = views.get("GET" if request.method == "HEAD" else request.method)
        if view is not None:
            return view(**arguments)
        if request.method == "OPTIONS":
            return Response(status=204, headers={"Allow": ", ".join(allowed)})
        raise MethodNotAllowed(allowed, f"{request.method} is not allowed. Use {', '.join(allowed)}.")

    api.add_url_rule(rule, name, dispatch, methods=METHODS, provide_automatic_options=False)
