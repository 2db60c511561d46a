"""The dashboard as a Flask application."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, abort, json, redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException

from apphost.logs.console_log import ConsoleLog
from apphost.supervision.snapshots import Action, Snapshot
from apphost.supervision.supervisor import Supervisor
from apphost.whole_number import is_whole

from .access import COOKIE_SECONDS, Access

MAX_LINES = 1000
MAX_BYTES = 16 * 1024
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


def create_dashboard(supervisor: Supervisor, *, port: int, token: str) -> Flask:
    """Create the dashboard of one apphost. All paths but `/login` and static files need the token."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BYTES
    access = Access(port, token)
    _add_guards(app, access)
    _add_login(app, access)
    _add_pages(app, access, supervisor)
    _add_json(app, supervisor)
    app.add_template_filter(describe_seconds, "seconds")
    app.register_error_handler(HTTPException, _handle_error)
    return app


def _add_guards(app: Flask, access: Access) -> None:
    @app.before_request
    def guard() -> Any:
        if not access.is_own_host(request):
            abort(
                403,
                "The dashboard serves requests to localhost from its own pages only. Open it at localhost.",
            )
        if request.endpoint in ("login", "static"):
            return None
        if not (access.has_bearer(request) or access.has_cookie(request)):
            return _require_token()
        if request.method == "POST" and not access.may_change(request):
            abort(403, "The page was open for too long. Nothing was changed: reload the page.")
        return None

    @app.after_request
    def protect(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        # With the policy no-referrer, browsers send the origin "null" from the dashboard's own forms.
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["Cache-Control"] = "no-store"
        return response


def _require_token() -> Any:
    if _is_json_request():
        abort(401, "Send the token of the dashboard: Authorization: Bearer TOKEN")
    return render_template("login.html", is_wrong=False), 401


def _add_login(app: Flask, access: Access) -> None:
    @app.route("/login", methods=["GET", "POST"])
    def login() -> Any:
        token = request.form.get("t") or request.args.get("t") or ""
        if not access.is_token(token):
            return render_template("login.html", is_wrong=bool(token)), 401 if token else 200
        response = redirect(url_for("index"), 303)
        response.set_cookie(
            access.cookie_name, access.cookie_value, COOKIE_SECONDS, httponly=True, samesite="Strict"
        )
        return response


def _add_pages(app: Flask, access: Access, supervisor: Supervisor) -> None:
    @app.get("/")
    def index() -> str:
        return render_template(
            "index.html",
            resources=supervisor.snapshots,
            requests=supervisor.events.read("request")[:50],
            tasks=supervisor.events.read("task")[:50],
            csrf_token=access.csrf_token,
            now=datetime.now(UTC),
        )

    @app.get("/resources/<name>")
    def resource(name: str) -> str:
        return render_template(
            "resource.html",
            resource=_find_snapshot(supervisor, name),
            lines=_find_log(supervisor, name).read(limit=MAX_LINES),
            csrf_token=access.csrf_token,
            now=datetime.now(UTC),
        )

    @app.post("/resources/<name>/<any(stop, start, restart):action>")
    def act(name: str, action: str) -> Any:
        _request_action(supervisor, name, action)
        back = url_for("resource", name=name) if "resource" in request.form else url_for("index")
        return redirect(back, 303)


def _add_json(app: Flask, supervisor: Supervisor) -> None:
    @app.get("/api/resources")
    def api_resources() -> Response:
        return _json_response({"resources": [asdict(snapshot) for snapshot in supervisor.snapshots]})

    @app.get("/api/resources/<name>/logs")
    def api_logs(name: str) -> Response:
        after = _parse_whole("after", 0) if "after" in request.args else None
        lines = _find_log(supervisor, name).read(after=after, limit=_parse_whole("limit", MAX_LINES))
        last = lines[-1].number if lines else after or 0
        return _json_response({"lines": [asdict(line) for line in lines], "last": last})

    @app.get("/api/<any(requests, tasks):kind>")
    def api_events(kind: str) -> Response:
        events = supervisor.events.read(kind.removesuffix("s"))
        return _json_response(
            {kind: [{"time": one.time, "source": one.source, **one.fields} for one in events]}
        )

    @app.post("/api/resources/<name>/<any(stop, start, restart):action>")
    def api_act(name: str, action: str) -> Response:
        return _json_response({"names": _request_action(supervisor, name, action), "action": action}, 202)


def _request_action(supervisor: Supervisor, name: str, action: str) -> list[str]:
    """Request the action for one instance, or for all replicas of a resource; return their names."""
    targets = [one for one in supervisor.snapshots if name in (one.name, one.resource)]
    if not targets:
        abort(404, f"There is no resource {name!r}.")
    if not any(one.actions for one in targets):
        abort(409, f"{name} runs outside of the apphost: the apphost can show it, but not start or stop it.")
    for one in targets:
        supervisor.ask(one.name, Action(action))
    return [one.name for one in targets]


def _find_snapshot(supervisor: Supervisor, name: str) -> Snapshot:
    found = [snapshot for snapshot in supervisor.snapshots if snapshot.name == name]
    return found[0] if found else abort(404, f"There is no resource {name!r}.")


def _find_log(supervisor: Supervisor, name: str) -> ConsoleLog:
    log = supervisor.find_log(name)
    if log is None:
        abort(404, f"There is no resource {name!r}.")
    return log


def _parse_whole(name: str, default: int) -> int:
    text = request.args.get(name, str(default))
    if not is_whole(text):
        abort(400, f"{name} must be a whole number.")
    return min(int(text), MAX_LINES) if name == "limit" else int(text)


def _json_response(body: object, status: int = 200) -> Response:
    return Response(json.dumps(body, default=_serialize), status, mimetype="application/json")


def _serialize(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, Iterable):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _handle_error(error: HTTPException) -> Any:
    status, detail = error.code or 500, error.description or error.name
    if _is_json_request():
        body = {"type": "about:blank", "title": error.name, "status": status, "detail": detail}
        return Response(json.dumps(body), status, mimetype="application/problem+json")
    return render_template("error.html", detail=detail), status


def _is_json_request() -> bool:
    return request.path.startswith("/api/")


def describe_seconds(since: datetime | None, now: datetime) -> str:
    """Format the time since `since`: `45 s`, `12 min`, `3 h 5 min`, `2 d`."""
    if since is None:
        return ""
    seconds = int((now - since).total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min" if seconds < 86400 else f"{seconds // 86400} d"
