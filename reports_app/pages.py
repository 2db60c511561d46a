"""The pages: the form, the list of all reports, and each report's own."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.exceptions import BadRequest

from reports_worker import (
    BrokerUnavailableError,
    NoSuchReportError,
    Page,
    ReportQueue,
    Status,
    WrongStateError,
    is_task_id,
)

from .api import CANCELLED, CANCELLING, STARTED
from .forms import STALE, ActionForm, ReportForm
from .openapi import describe_api
from .queries import make_selection, read_filters
from .services import get_services

PAGE_SIZE = 20
DELETED = "Report deleted"

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
    except BrokerUnavailableError as error:
        page, _ = _read_page()
        return _render_index(form, page, 503, fault=error.sentence)
    flash(f"{STARTED}: {submission.title}")
    return redirect(url_for(".index", _anchor=f"report-{task_id}"), 303)


@pages.get("/reports")
def list_reports() -> Any:
    """Show the list alone: as a page of its own, or as the part that a script puts into the page."""
    page, status = _read_page()
    template = "reports/_list.html" if "partial" in request.args else "reports/list.html"
    return _render(template, page), status


@pages.get("/reports/<task_id>")
def report(task_id: str) -> Any:
    """Show one report."""
    found = get_services().queue.find(task_id)
    if found is None:
        raise NoSuchReportError(f"There is no report {task_id[:100]!r}.")
    template = "reports/_report.html" if "partial" in request.args else "reports/report.html"
    return render_template(template, report=found, form=ActionForm(formdata=None))


@pages.post("/reports/<task_id>/<any(cancel, retry, delete):action>")
def act(task_id: str, action: str) -> Any:
    """Cancel, retry or delete a report, then send the browser back to where the button was."""
    if not ActionForm(formdata=request.form).validate():
        raise BadRequest(STALE)
    try:
        flash(_act(get_services().queue, task_id, action))
    except WrongStateError as error:
        flash(str(error), "bad")
    if action == "delete" or request.form.get("back") == "list":
        return redirect(url_for(".index", _anchor="reports"), 303)
    return redirect(url_for(".report", task_id=task_id), 303)


@pages.get("/docs")
def docs() -> str:
    """Describe the API to people."""
    services = get_services()
    api = describe_api(services.catalog, root="", has_callbacks=bool(services.callback_hosts))
    return render_template("reports/docs.html", api=api)


def _act(queue: ReportQueue, task_id: str, action: str) -> str:
    if action == "cancel":
        return CANCELLED if queue.cancel(task_id).is_terminal else CANCELLING
    if action == "retry":
        queue.retry(task_id)
        return STARTED
    queue.delete(task_id)
    return DELETED


def _render_index(form: ReportForm, page: Page | None, status: int, *, fault: str = "") -> Any:
    if page is None:
        fault = fault or BrokerUnavailableError.sentence
    return _render("reports/index.html", page, form=form, fault=fault), status


def _render(template: str, page: Page | None, **values: Any) -> str:
    services = get_services()
    return render_template(
        template,
        page=page,
        first=not _cursor(),
        filters=read_filters(),
        statuses=list(Status),
        types=services.catalog.values(),
        action_form=ActionForm(formdata=None),
        **values,
    )


def _read_page() -> tuple[Page | None, int]:
    """Read a page of the list; None and 503 while the broker is away."""
    try:
        selection = make_selection(read_filters())
        return get_services().queue.list(limit=PAGE_SIZE, cursor=_cursor(), selection=selection), 200
    except BrokerUnavailableError:
        return None, 503


def _cursor() -> str | None:
    cursor = request.args.get("cursor", "")
    return cursor if is_task_id(cursor) else None
