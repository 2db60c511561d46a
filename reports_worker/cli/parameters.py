"""Report types and parameters on the command line: parsed from arguments, and printed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence

import click

from reports_worker.catalog.find import find_types
from reports_worker.domain.type_description import TypeDescription
from reports_worker.errors import ReportsError
from reports_worker.settings.data import DataSettings


class TypeName(click.ParamType[str]):
    """The name of a report type of the current catalog."""

    name = "type"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            types = find_types(DataSettings.from_environ(os.environ))
        except ReportsError as error:
            raise click.ClickException(str(error)) from error
        if value not in types:
            self.fail(f"{value!r} is not one of {', '.join(map(repr, types))}.", param, ctx)
        return value


def parse_pairs(
    _context: click.Context, _option: click.Parameter, pairs: Sequence[str]
) -> Mapping[str, Sequence[str]]:
    """Group the arguments by parameter: an argument with several choices is repeated."""
    texts: dict[str, list[str]] = {}
    for pair in pairs:
        name, sign, text = pair.partition("=")
        if not sign:
            raise click.BadParameter(f"{pair!r} has no value: give name=value")
        texts.setdefault(name.strip(), []).append(text)
    return texts


def join_parameters(
    report_type: TypeDescription, given: object, texts: Mapping[str, Sequence[str]]
) -> object:
    """Merge single parameters into the parameters that were given as JSON."""
    if not texts or not (given is None or isinstance(given, dict)):
        return given
    kinds = {one.name: one for one in report_type.parameters}
    return (given or {}) | {
        name: kinds[name].from_texts(several) if name in kinds else several[-1]
        for name, several in texts.items()
    }


def describe_lines(report_type: TypeDescription) -> Iterator[str]:
    """Describe a report type, and each of its parameters in a line."""
    yield f"{report_type.name}: {report_type.title}"
    if report_type.description:
        yield f"  {report_type.description}"
    for one in report_type.parameters:
        need = "required" if one.required else f"else {' '.join(one.to_texts(one.default))}"
        notes = [one.kind, need if one.required or one.default is not None else "optional"]
        yield f"  -p {one.name}=...  {one.label} ({', '.join(notes)}){f'. {one.help}' if one.help else ''}"
