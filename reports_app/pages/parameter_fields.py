"""Form fields for the parameters of a report type. The parameters themselves validate the values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from wtforms import BooleanField, SelectChoice, SelectField, SelectMultipleField, StringField
from wtforms.fields.core import Field
from wtforms.form import BaseForm
from wtforms.widgets import CheckboxInput, DateInput, ListWidget, NumberInput

from reports_worker.parameters import PRESETS, Choice, Choices, Date, Integer, Number, Parameter, Period, Text
from reports_worker.parameters.integer import LARGEST

PREFIX = "parameters-"
EXPLICIT_DAYS = "These days:"
PRESET_OR_DAYS = "Choose a named period, or give its first and last day, not both."

Texts = Mapping[str, Sequence[str]]


@dataclass
class ParameterControl:
    """The form fields of one parameter: a field, or for a period its preset, first and last day."""

    parameter: Parameter
    fields: Sequence[Any]
    errors: list[str] = field(default_factory=list)

    @property
    def id(self) -> str:
        return f"{PREFIX}{self.parameter.name}"

    @property
    def is_group(self) -> bool:
        """Whether the parameter has several controls under one heading."""
        return len(self.fields) > 1 or isinstance(self.fields[0], SelectMultipleField)

    @property
    def hint(self) -> str:
        """The help text, with the default if the field is left empty."""
        default = self.parameter.default
        if self.parameter.required or default is None or isinstance(self.parameter, Choice | Period):
            return self.parameter.help
        if self.parameter.kind == "boolean":
            return self.parameter.help
        return f"{self.parameter.help} If left empty: {' '.join(self.parameter.to_texts(default))}.".strip()

    def read(self) -> dict[str, Any]:
        """Return the JSON value of the input by parameter name; an empty dict without input."""
        texts = [list(one.raw_data or ()) for one in self.fields]
        if len(texts) > 1:
            return self._read_period(*("".join(several[:1]).strip() for several in texts))
        given = [text for text in texts[0] if text.strip()]
        # A browser sends nothing for a box that is not ticked; the hidden field marks the box as present.
        if texts[0] and not given and self.parameter.kind == "boolean":
            given = ["false"]
        if not given and not (texts[0] and isinstance(self.parameter, Choices)):
            return {}
        return {self.parameter.name: self.parameter.from_texts(given)}

    def _read_period(self, preset: str, first: str, last: str) -> dict[str, Any]:
        if preset and (first or last):
            self.errors.append(PRESET_OR_DAYS)
        if preset:
            return {self.parameter.name: {"preset": preset}}
        return {self.parameter.name: {"from": first, "to": last}} if first or last else {}


def make_controls(
    parameters: Sequence[Parameter], *, formdata: Any = None, values: Mapping[str, Any] | None = None
) -> list[ParameterControl]:
    """Make the controls, filled with the form data, else with the JSON values, else with the defaults."""
    unbound = {one.name: _MAKERS[one.kind](one) for one in parameters}
    form = BaseForm(
        {key: made for several in unbound.values() for key, made in several.items()}, prefix=PREFIX
    )
    if values is None:
        values = {one.name: one.offered for one in parameters if one.offered is not None}
    texts = {key: several for one in parameters for key, several in _to_texts(one, values.get(one.name))}
    form.process(formdata, data={key: _to_data(form[key], several) for key, several in texts.items()})
    return [ParameterControl(one, [form[key] for key in unbound[one.name]]) for one in parameters]


def list_hidden(parameters: Sequence[Parameter], values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield names and texts of hidden fields for JSON values."""
    for one in parameters:
        for key, several in _to_texts(one, values.get(one.name)):
            yield from ((PREFIX + key, text) for text in several)


def _to_texts(parameter: Parameter, value: Any) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield the texts of a JSON value for each field; a period with a preset has one text, the preset."""
    name = parameter.name
    if value is None:
        return
    if isinstance(parameter, Period):
        parts = ("preset",) if "preset" in value else ("from", "to")
        yield from ((f"{name}-{part}", [value[part]]) for part in parts)
    elif isinstance(parameter, Choices):
        yield name, [*parameter.to_texts(value), ""]
    else:
        yield name, parameter.to_texts(value)


def _to_data(made: Field, texts: Sequence[str]) -> Any:
    if isinstance(made, SelectMultipleField):
        return list(texts)
    return texts[0] == "true" if isinstance(made, BooleanField) else texts[0]


def _make_text(parameter: Parameter, **attributes: Any) -> dict[str, Any]:
    if isinstance(parameter, Text):
        attributes["maxlength"] = parameter.max_length
    return {parameter.name: StringField(parameter.label, render_kw=_attributes(parameter, attributes))}


def _make_integer(parameter: Integer) -> dict[str, Any]:
    limits = {"min": parameter.min, "max": parameter.max}
    attributes = {name: limit for name, limit in limits.items() if abs(limit) != LARGEST}
    return _make_input(parameter, NumberInput(step=1), attributes)


def _make_number(parameter: Number) -> dict[str, Any]:
    return _make_input(parameter, NumberInput(step="any"), {"min": parameter.min, "max": parameter.max})


def _make_date(parameter: Date) -> dict[str, Any]:
    return _make_input(parameter, DateInput(), {"min": parameter.min, "max": parameter.max})


def _make_input(parameter: Parameter, widget: Any, attributes: Mapping[str, Any]) -> dict[str, Any]:
    made = StringField(parameter.label, widget=widget, render_kw=_attributes(parameter, attributes))
    return {parameter.name: made}


def _make_boolean(parameter: Parameter) -> dict[str, Any]:
    return {parameter.name: BooleanField(parameter.label, false_values=("",))}


def _make_choice(parameter: Choice) -> dict[str, Any]:
    if parameter.options is None:
        return _make_text(parameter)
    blank = (
        []
        if parameter.default is not None
        else [SelectChoice("", "Choose one" if parameter.required else "Any")]
    )
    made = SelectField(
        parameter.label,
        choices=[*blank, *_list_options(parameter)],
        validate_choice=False,
        render_kw=_attributes(parameter, {}),
    )
    return {parameter.name: made}


def _make_choices(parameter: Choices) -> dict[str, Any]:
    if parameter.options is None:
        return _make_text(parameter)
    made = SelectMultipleField(
        parameter.label,
        choices=_list_options(parameter),
        validate_choice=False,
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    return {parameter.name: made}


def _make_period(parameter: Period) -> dict[str, Any]:
    names = [
        SelectChoice("", EXPLICIT_DAYS),
        *(SelectChoice(name, PRESETS[name].title) for name in parameter.presets),
    ]
    limits = {"min": parameter.min, "max": parameter.max}
    return {
        f"{parameter.name}-preset": SelectField("Period", choices=names, validate_choice=False),
        f"{parameter.name}-from": StringField("First day", widget=DateInput(), render_kw=_present(limits)),
        f"{parameter.name}-to": StringField("Last day", widget=DateInput(), render_kw=_present(limits)),
    }


def _list_options(parameter: Choice) -> list[SelectChoice]:
    return [SelectChoice(str(option.value), option.label) for option in parameter.options or ()]


def _attributes(parameter: Parameter, attributes: Mapping[str, Any]) -> dict[str, Any]:
    return _present({"required": True if parameter.required else None, "autocomplete": "off", **attributes})


def _present(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if value is not None}


_MAKERS: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "text": _make_text,
    "integer": _make_integer,
    "number": _make_number,
    "boolean": _make_boolean,
    "choice": _make_choice,
    "choices": _make_choices,
    "date": _make_date,
    "period": _make_period,
}
