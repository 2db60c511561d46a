"""The form that requests a report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_wtf import FlaskForm
from wtforms import HiddenField, SelectChoice, SelectField, SelectMultipleField, StringField
from wtforms.widgets import CheckboxInput, ListWidget

from reports_worker import (
    FORMATS,
    LONGEST_TITLE,
    FieldError,
    InvalidSubmissionError,
    Report,
    Submission,
    TypeDescription,
    parse_submission,
)
from reports_worker.lib.whole_number import is_whole
from reports_worker.parameters import Calendar
from reports_worker.parameters.validation import FIELD

from .parameter_fields import ParameterControl, list_hidden, make_controls

EXPIRED = (
    "This form was open for too long, or its cookie is missing. Your input is kept: send the form again."
)
STALE = "This page was open for too long, or its cookie is missing. Nothing was changed: reload the page."
OTHER_FIELDS = "These are the fields of the chosen type. Fill them in, then send the form again."
AGES = {
    "": "request a new report",
    "300": "use it if it is at most 5 minutes old",
    "3600": "use it if it is at most 1 hour old",
    "86400": "use it if it is at most 1 day old",
    "604800": "use it if it is at most 7 days old",
}


class ActionForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """The form of a button: only a CSRF token."""


class ReportForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """Title, type and parameters. `parse_submission` validates the values, as for JSON.

    `shown` is the type whose fields the form had. Without JavaScript, the chosen type can be another one.
    """

    title = StringField(
        "Title", render_kw={"maxlength": LONGEST_TITLE, "required": True, "autocomplete": "off"}
    )
    type = SelectField("Type", validate_choice=False)
    shown = HiddenField()
    formats = SelectMultipleField(
        "Files",
        choices=[SelectChoice(name) for name in FORMATS],
        validate_choice=False,
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    max_age = SelectField(
        "If a matching report exists",
        choices=[SelectChoice(*age) for age in AGES.items()],
        validate_choice=False,
    )

    controls: list[ParameterControl]

    @classmethod
    def of(
        cls,
        catalog: Mapping[str, TypeDescription],
        *,
        chosen: str | None = None,
        report: Report | None = None,
        formdata: Any = None,
    ) -> ReportForm:
        """Make the form from `formdata`, or from the values of `report`, or empty with the fields of `chosen`."""
        wanted = formdata.get("type") if formdata is not None else report.type if report else chosen
        known = catalog.get(wanted or "") or next(iter(catalog.values()), None)
        formats = (report.formats if report else None) or (known.formats if known else None)
        form = cls(formdata=formdata, title=report.title if report else None)
        if formdata is None:
            form.type.data = known.name if known else None
            form.formats.data = list(FORMATS if formats is None else formats)
        form.type.choices = [SelectChoice(one.name, one.title) for one in catalog.values()]
        form._add_controls(known, formdata, report)
        return form

    def _add_controls(self, known: TypeDescription | None, formdata: Any, report: Report | None) -> None:
        """Add the fields of a type; input for the fields of another type is ignored."""
        name = known.name if known else ""
        self.has_other_fields = formdata is not None and formdata.get("shown", name) != name
        values = report.parameters if report and known and report.type == known.name else None
        typed = None if self.has_other_fields else formdata
        self.controls = make_controls(known.parameters if known else (), formdata=typed, values=values)
        self.shown.data = name

    def parse(self, catalog: Mapping[str, TypeDescription], calendar: Calendar) -> Submission | None:
        """Return the submission; if it is invalid, add the errors to their fields and return None."""
        if not self.validate():
            return None
        try:
            submission = parse_submission(self._read(), types=catalog, calendar=calendar)
        except InvalidSubmissionError as error:
            for problem in error.errors:
                self._add_error(problem)
            return None
        is_valid = not self.has_unseen_fields and not any(control.errors for control in self.controls)
        return submission if is_valid else None

    @property
    def has_unseen_fields(self) -> bool:
        """Whether the form did not show the fields of the chosen type."""
        return bool(self.has_other_fields and self.controls)

    @property
    def general_errors(self) -> list[str]:
        """The errors of the form that belong to no field."""
        if "csrf_token" in self.errors:
            return [EXPIRED]
        return [OTHER_FIELDS] if self.has_unseen_fields else []

    def _read(self) -> dict[str, Any]:
        data: dict[str, Any] = {"title": self.title.data, "type": self.type.data}
        data[FIELD] = {name: value for control in self.controls for name, value in control.read().items()}
        if self.formats.raw_data:
            data["formats"] = [name for name in self.formats.raw_data if name]
        if age := (self.max_age.data or "").strip():
            data["max_age"] = int(age) if is_whole(age) else age
        return data

    def _add_error(self, problem: FieldError) -> None:
        controls = {f"{FIELD}.{control.parameter.name}": control for control in self.controls}
        place = controls.get(problem.field) or self[problem.field]
        place.errors = [*place.errors, problem.message]


def list_hidden_fields(report: Report, known: TypeDescription | None) -> list[tuple[str, str]]:
    """List the hidden fields of a form that requests the same report again."""
    fields = [("title", report.title), ("type", report.type)]
    if known:
        fields += list_hidden(known.parameters, report.parameters)
    if report.formats is not None:
        fields += [("formats", name) for name in (*report.formats, "")]
    return fields
