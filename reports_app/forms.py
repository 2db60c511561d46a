"""The form that asks for a report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_wtf import FlaskForm
from wtforms import SelectField, StringField

from reports_worker import LONGEST_TITLE, InvalidSubmissionError, ReportType, Submission, parse_submission

EXPIRED = "This form was open for too long or its cookie is missing. What you typed is kept: send it again."
STALE = "This page was open for too long or its cookie is missing. Nothing was changed: open it anew."


class ActionForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """A button: nothing but its protection against being pressed by another site."""


class ReportForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """Title and type. What is valid, `parse_submission` says, for form and JSON alike."""

    title = StringField(
        "Title", render_kw={"maxlength": LONGEST_TITLE, "required": True, "autocomplete": "off"}
    )
    type = SelectField("Type", validate_choice=False)

    @classmethod
    def of(cls, catalog: Mapping[str, ReportType], **arguments: Any) -> ReportForm:
        form = cls(**arguments)
        form.type.choices = [(report_type.name, report_type.title) for report_type in catalog.values()]
        return form

    def parse(self, catalog: Mapping[str, ReportType]) -> Submission | None:
        """Return what was asked for; None, with the errors beside their fields, if it is not valid."""
        if not self.validate():
            return None
        try:
            return parse_submission({"title": self.title.data, "type": self.type.data}, types=catalog)
        except InvalidSubmissionError as error:
            for problem in error.errors:
                self[problem.field].errors = [*self[problem.field].errors, problem.message]
            return None

    @property
    def general_errors(self) -> list[str]:
        """What is wrong with the form as a whole."""
        return [EXPIRED] if "csrf_token" in self.errors else []
