"""The views of the pages: the form, the list of all reports, and the page of each report."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.exceptions import BadRequest

from reports_app.contract.messages import CANCELLED, CANCELLING, EARLIER, STARTED
from reports_app.contract.openapi.document import describe_api
from reports_app.contract.query_args import make_selection, read_filters
from reports_app.services.container import get_services
from reports_worker import (
    BrokerUnavailableError,
    NoSuchReportError,
    Page,
    Report,
    ReportQueue,
    Status,
    WrongStateError,
    is_task_id,
)
from reports_worker.parameters import describe_parameters

from .forms import STALE, ActionForm, ReportForm, list_hidden_fields

PAGE_SIZE = 20
DELETED = "Report deleted"

pages = Blueprint("pages", __name__)


@pages.get("/")
def index() -> Any:
    """Show the form and the list.

    The query parameter `ask` chooses a type, and `from` names the report whose values fill the form. `partial`
    returns only the fields of a type, for the script that inserts them into the form.
    """
    catalog = get_services().catalog
    if "partial" in request.args:
        return render_template(
            "reports/_fields.html", form=ReportForm.of(catalog, chosen=request.args.get("ask"))
        )
    report, fault = _find_source_report()
    form = ReportForm.of(catalog, chosen=request.args.get("ask"), report=report)
    return _render_index(form, fault=fault)


@pages.post("/reports")
def submit() -> Any:
    """Accept a request for a report and redirect to the list; or show the form with its errors."""
    services = get_services()
    form = ReportForm.of(
        services.catalog, formdata=request.form
    )  # explicitly, since Flask-WTF would accept JSON too
    submission = form.parse(services.catalog, services.calendar())
    if submission is None:
        return _render_index(form, 400)
    try:
        accepted = services.queue.accept(submission)
    except BrokerUnavailableError as error:
        return _render_index(form, 503, fault=error.sentence)
    if accepted.is_earlier:
        flash(EARLIER)
        return redirect(url_for(".report", task_id=accepted.task_id), 303)
    flash(f"{STARTED}: {submission.title}")
    return redirect(url_for(".index", _anchor=f"report-{accepted.task_id}"), 303)


@pages.get("/reports")
def list_reports() -> Any:
    """Show the list alone: as a page, or as the part that a script inserts into the page.

    The part contains nothing about the client, so all open pages share it.
    """
    if "partial" not in request.args:
        return _render_list("reports/list.html")
    return get_services().shared_lists.get(_cache_key(), _render_list_part)


@pages.get("/reports/<task_id>")
def report(task_id: str) -> Any:
    """Show one report."""
    found = get_services().queue.find(task_id)
    if found is None:
        raise NoSuchReportError(f"There is no report {task_id[:100]!r}.")
    template = "reports/_report.html" if "partial" in request.args else "reports/report.html"
    known = get_services().catalog.get(found.type)
    return render_template(
        template,
        report=found,
        form=ActionForm(formdata=None),
        parameters=describe_parameters(known.parameters if known else (), found.parameters),
        again=list_hidden_fields(found, known),
        preview=get_services().queue.find_preview(task_id) if found.status is Status.COMPLETED else None,
    )


@pages.post("/reports/<task_id>/<any(cancel, retry, delete):action>")
def act(task_id: str, action: str) -> Any:
    """Cancel, retry or delete a report, then redirect to the page with the button."""
    if not ActionForm(formdata=request.form).validate():
        raise BadRequest(STALE)
    try:
        flash(_act(get_services().queue, task_id, action))
    except WrongStateError as error:
        flash(str(error), "bad")
    if action == "delete" or request.form.get("back") == "list":
        return redirect(url_for(".index", _anchor="reports"), 303)
    return redirect(url_for(".report", task_id=task_id), 303)


@pages.get("/types")
def types() -> str:
    """Show the report types, and the broken definitions."""
    catalog = get_services().catalog
    broken = getattr(catalog, "broken", ())
    return render_template("reports/types.html", types=catalog.values(), broken=broken)


@pages.get("/docs")
def docs() -> str:
    """Show the description of the API."""
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


def _find_source_report() -> tuple[Report | None, str]:
    """Return the report whose values fill the form; else None and the error message."""
    task_id = request.args.get("from")
    if task_id is None:
        return None, ""
    try:
        report = get_services().queue.find(task_id)
    except BrokerUnavailableError as error:
        return None, error.sentence
    return report, "" if report else f"There is no report {task_id[:100]!r} whose values could fill the form."


def _render_index(form: ReportForm, status: int = 200, *, fault: str = "") -> Any:
    services = get_services()
    reports, read = services.shared_lists.refresh(_cache_key(), _render_list_part)
    if read == 503:
        fault = fault or BrokerUnavailableError.sentence
    response = render_template(
        "reports/index.html",
        form=form,
        fault=fault,
        reports=reports,
        cursor=_cursor(),
        filters=read_filters(),
        statuses=list(Status),
        types=services.catalog.values(),
        action_form=ActionForm(formdata=None),
    )
    return response, max(status, read)


def _cache_key() -> tuple[Any, ...]:
    """Return what the rendered list depends on: the address of the page, the cursor and the filters."""
    return (url_for(".index"), _cursor(), *sorted(read_filters().items()))


def _render_list_part() -> tuple[str, int]:
    return _render_list("reports/_list.html")


def _render_list(template: str) -> tuple[str, int]:
    page, status = _read_page()
    response = render_template(
        template,
        page=page,
        first=not _cursor(),
        filters=read_filters(),
        action_form=ActionForm(formdata=None),
    )
    return response, status


def _read_page() -> tuple[Page | None, int]:
    """Read a page of the list; None and 503 if the broker cannot be reached."""
    try:
        selection = make_selection(read_filters())
        return get_services().queue.list(limit=PAGE_SIZE, cursor=_cursor(), selection=selection), 200
    except BrokerUnavailableError:
        return None, 503


def _cursor() -> str | None:
    cursor = request.args.get("cursor", "")
    return cursor if is_task_id(cursor) else None
