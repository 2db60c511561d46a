"""The pages: the form, and the list of all reports."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from reports_worker import BrokerUnavailableError, Page, is_task_id

from .api import STARTED
from .forms import ReportForm
from .problems import BROKER_AWAY
from .services import get_services

PAGE_SIZE = 20

pages = Blueprint("pages", __name__)


@pages.get("/")
def index() -> Any:
    """Show the form and the list."""
    page, status = _read_page()
    return _render_index(ReportForm.of(get_services().catalog), page, status)


@pages.post("/reports")
def submit() -> Any:
    """Accept a report from the form, then send the browser to the list; or show the form with its errors."""
    services = get_services()
    form = ReportForm.of(services.catalog, formdata=request.form)  # never JSON, which Flask-WTF would take
    submission = form.parse(services.catalog)
    if submission is None:
        page, status = _read_page()
        return _render_index(form, page, max(status, 400))
    try:
        task_id = services.queue.submit(submission)
    except BrokerUnavailableError:
        return _render_index(form, None, 503)
    flash(f"{STARTED}: {submission.title}")
    return redirect(url_for(".index", _anchor=f"report-{task_id}"), 303)


@pages.get("/reports")
def list_reports() -> Any:
    """Show the list alone: as a page of its own, or as the part that a script puts into the page."""
    page, status = _read_page()
    template = "reports/_list.html" if "partial" in request.args else "reports/list.html"
    return render_template(template, page=page, first=not _cursor()), status


def _render_index(form: ReportForm, page: Page | None, status: int) -> Any:
    return render_template(
        "reports/index.html", form=form, page=page, first=not _cursor(), broker_away=BROKER_AWAY
    ), status


def _read_page() -> tuple[Page | None, int]:
    """Read a page of the list; None and 503 while the broker is away."""
    try:
        return get_services().queue.list(limit=PAGE_SIZE, cursor=_cursor()), 200
    except BrokerUnavailableError:
        return None, 503


def _cursor() -> str | None:
    cursor = request.args.get("cursor", "")
    return cursor if is_task_id(cursor) else None
