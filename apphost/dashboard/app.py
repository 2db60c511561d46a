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

MOST_LINES = 1000
MOST_BYTES = 16 * 1024
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


def create_dashboard(supervisor: Supervisor, *, port: int, token: str) -> Flask:
    """Make the dashboard of one apphost; everything but `/login` and static files needs the token."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MOST_BYTES
    access = Access(port, token)
    _add_guards(app, access)
    _add_login(app, access)
    _add_pages(app, access, supervisor)
    _add_json(app, supervisor)
    app.add_template_filter(describe_seconds, "seconds")
    app.register_error_handler(HTTPException, _answer_error)
    return app


def _add_guards(app: Flask, access: Access) -> None:
    @app.before_request
    def guard() -> Any:
        if not access.is_own_host(request):
            abort(403, "The dashboard answers at localhost only, and to its own pages.")
        if request.endpoint in ("login", "static"):
            return None
        if not (access.has_bearer(request) or access.has_cookie(request)):
            return _ask_for_token()
        if request.method == "POST" and not access.may_change(request):
            abort(403, "The page was open for too long: load it again.")
        return None

    @app.after_request
    def protect(answer: Response) -> Response:
        answer.headers["Content-Security-Policy"] = _POLICY
        answer.headers["X-Content-Type-Options"] = "nosniff"
        # With no referrer at all, browsers tell the origin of our own forms as "null".
        answer.headers["Referrer-Policy"] = "same-origin"
        answer.headers["Cache-Control"] = "no-store"
        return answer


def _ask_for_token() -> Any:
    if _is_json_request():
        abort(401, "Send the token of the dashboard: Authorization: Bearer TOKEN")
    return render_template("login.html", is_wrong=False), 401


def _add_login(app: Flask, access: Access) -> None:
    @app.route("/login", methods=["GET", "POST"])
    def login() -> Any:
        token = request.form.get("t") or request.args.get("t") or ""
        if not access.is_token(token):
            return render_template("login.html", is_wrong=bool(token)), 401 if token else 200
        answer = redirect(url_for("index"), 303)
        answer.set_cookie(
            access.cookie_name, access.cookie_value, COOKIE_SECONDS, httponly=True, samesite="Strict"
        )
        return answer


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
            lines=_find_log(supervisor, name).read(limit=MOST_LINES),
            csrf_token=access.csrf_token,
            now=datetime.now(UTC),
        )

    @app.post("/resources/<name>/<any(stop, start, restart):action>")
    def act(name: str, action: str) -> Any:
        _ask(supervisor, name, action)
        back = url_for("resource", name=name) if "resource" in request.form else url_for("index")
        return redirect(back, 303)


def _add_json(app: Flask, supervisor: Supervisor) -> None:
    @app.get("/api/resources")
    def api_resources() -> Response:
        return _answer({"resources": [asdict(snapshot) for snapshot in supervisor.snapshots]})

    @app.get("/api/resources/<name>/logs")
    def api_logs(name: str) -> Response:
        after = _whole("after", 0) if "after" in request.args else None
        lines = _find_log(supervisor, name).read(after=after, limit=_whole("limit", MOST_LINES))
        last = lines[-1].number if lines else after or 0
        return _answer({"lines": [asdict(line) for line in lines], "last": last})

    @app.get("/api/<any(requests, tasks):kind>")
    def api_events(kind: str) -> Response:
        events = supervisor.events.read(kind.removesuffix("s"))
        return _answer({kind: [{"time": one.time, "source": one.source, **one.fields} for one in events]})

    @app.post("/api/resources/<name>/<any(stop, start, restart):action>")
    def api_act(name: str, action: str) -> Response:
        return _answer({"names": _ask(supervisor, name, action), "action": action}, 202)


def _ask(supervisor: Supervisor, name: str, action: str) -> list[str]:
    """Ask it of one instance, or of all replicas of a resource."""
    meant = [one for one in supervisor.snapshots if name in (one.name, one.resource)]
    if not meant:
        abort(404, f"There is no resource {name!r}.")
    if not any(one.actions for one in meant):
        abort(409, f"{name} is run by somebody else: it can be watched, not started or stopped.")
    for one in meant:
        supervisor.ask(one.name, Action(action))
    return [one.name for one in meant]


def _find_snapshot(supervisor: Supervisor, name: str) -> Snapshot:
    found = [snapshot for snapshot in supervisor.snapshots if snapshot.name == name]
    return found[0] if found else abort(404, f"There is no resource {name!r}.")


def _find_log(supervisor: Supervisor, name: str) -> ConsoleLog:
    log = supervisor.find_log(name)
    if log is None:
        abort(404, f"There is no resource {name!r}.")
    return log


def _whole(name: str, default: int) -> int:
    text = request.args.get(name, str(default))
    if not is_whole(text):
        abort(400, f"{name} must be a whole number.")
    return min(int(text), MOST_LINES) if name == "limit" else int(text)


def _answer(body: object, status: int = 200) -> Response:
    return Response(json.dumps(body, default=_serialize), status, mimetype="application/json")


def _serialize(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, Iterable):
        return list(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _answer_error(error: HTTPException) -> Any:
    status, detail = error.code or 500, error.description or error.name
    if _is_json_request():
        body = {"type": "about:blank", "title": error.name, "status": status, "detail": detail}
        return Response(json.dumps(body), status, mimetype="application/problem+json")
    return render_template("error.html", detail=detail), status


def _is_json_request() -> bool:
    return request.path.startswith("/api/")


def describe_seconds(since: datetime | None, now: datetime) -> str:
    """Say how long something has lasted: `45 s`, `12 min`, `3 h 5 min`, `2 d`."""
    if since is None:
        return ""
    seconds = int((now - since).total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min" if seconds < 86400 else f"{seconds // 86400} d"
