"""The form that asks for a report."""

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

EXPIRED = "This form was open for too long or its cookie is missing. What you typed is kept: send it again."
STALE = "This page was open for too long or its cookie is missing. Nothing was changed: open it anew."
OTHER_FIELDS = "These are the fields of the type that you have chosen. Fill them in, then send it again."
AGES = {
    "": "make another",
    "300": "take it, if it is at most 5 minutes old",
    "3600": "take it, if it is at most 1 hour old",
    "86400": "take it, if it is at most 1 day old",
    "604800": "take it, if it is at most 7 days old",
}


class ActionForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """A button: nothing but its protection against being pressed by another site."""


class ReportForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """Title, type, and what the type wants to know. What is valid, `parse_submission` says, as for JSON.

    `shown` is the type whose fields the form had: without JavaScript another may have been chosen since.
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
        "If there is such a report already",
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
        """Make the form: as it was sent, filled with a report's own, or empty with the fields of `chosen`."""
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
        """Add the fields of a type; what was typed into those of another does not count."""
        name = known.name if known else ""
        self.has_other_fields = formdata is not None and formdata.get("shown", name) != name
        values = report.parameters if report and known and report.type == known.name else None
        typed = None if self.has_other_fields else formdata
        self.controls = make_controls(known.parameters if known else (), formdata=typed, values=values)
        self.shown.data = name

    def parse(self, catalog: Mapping[str, TypeDescription], calendar: Calendar) -> Submission | None:
        """Return what was asked for; None, with the errors beside their fields, if it is not valid."""
        if not self.validate():
            return None
        try:
            submission = parse_submission(self._read(), types=catalog, calendar=calendar)
        except InvalidSubmissionError as error:
            for problem in error.errors:
                self._add_error(problem)
            return None
        is_fine = not self.asks_again and not any(control.errors for control in self.controls)
        return submission if is_fine else None

    @property
    def asks_again(self) -> bool:
        """Whether a type was chosen whose fields have not been seen yet."""
        return bool(self.has_other_fields and self.controls)

    @property
    def general_errors(self) -> list[str]:
        """What is wrong with the form as a whole."""
        if "csrf_token" in self.errors:
            return [EXPIRED]
        return [OTHER_FIELDS] if self.asks_again else []

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
    """List what a form sends that asks for a report like this one, anew."""
    fields = [("title", report.title), ("type", report.type)]
    if known:
        fields += list_hidden(known.parameters, report.parameters)
    if report.formats is not None:
        fields += [("formats", name) for name in (*report.formats, "")]
    return fields
