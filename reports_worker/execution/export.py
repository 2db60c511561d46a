"""From a report's contents to its files: each table spooled once, every format written, all of it kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reports_worker.content.report import Contents
from reports_worker.domain.report import Completed, Receipt, Report
from reports_worker.formats.charts.files import draw_apart
from reports_worker.formats.charts.pictures import read_charts
from reports_worker.formats.document import Document, Figure, SpooledTable, WrittenFile
from reports_worker.formats.receipts import make_receipt, write_receipts
from reports_worker.formats.registry import FORMATS
from reports_worker.formats.spool import open_spool
from reports_worker.lib import clock
from reports_worker.parameters import describe_parameters
from reports_worker.report_types.report_type import ReportType

from .preview import write_preview
from .progress import ProgressWriter, Share
from .resources import ExecutionResources

# Of the way from the type's last line to the end of the report, in percent.
SPOOLED, WRITTEN = 50, 95


@dataclass(frozen=True)
class Exporter:
    """The files of one report. `progress` counts from 0 to 100 what is done here; `writer` has the times."""

    report: Report
    report_type: ReportType
    version: str
    resources: ExecutionResources
    progress: Share
    writer: ProgressWriter

    def run(self, contents: Contents) -> Completed:
        """Write all files that were asked for; return what is published of them."""
        document = self._spool(contents)
        receipts = self._keep(document, list(self._write(document)))
        return Completed(
            self._complete(contents.summary),
            artifacts=receipts,
            as_of=document.as_of,
            version=self.version,
            preview=write_preview(document, self.writer.end()),
        )

    def _spool(self, contents: Contents) -> Document:
        report = self.report
        tables = list(self._spool_tables(contents))
        return Document(
            task_id=report.task_id,
            title=report.title,
            type=report.type,
            type_title=self.report_type.title,
            parameters=describe_parameters(self.report_type.parameters, report.parameters),
            raw_parameters=report.parameters,
            figures=[
                Figure(name, name.replace("_", " ").capitalize(), value, contents.units.get(name, ""))
                for name, value in contents.summary.items()
            ],
            tables=tables,
            charts=read_charts(contents.charts, {table.name: table.rows for table in tables}),
            as_of=contents.as_of or self.resources.as_of,
            made_at=clock.now(),
            version=self.version,
        )

    def _spool_tables(self, contents: Contents) -> Iterator[SpooledTable]:
        advance = _Advance(self.progress)
        most_rows = self.resources.data.max_rows
        with open_spool(
            self.resources.scratch,
            most_rows=most_rows,
            advance=advance,
            tell=lambda: advance.tell(self.resources.query_progress()),
        ) as spool:
            for number, table in enumerate(contents.tables):
                advance.enter(SPOOLED * number // len(contents.tables), f"reading {table.title}")
                yield spool.add(table)

    def _write(self, document: Document) -> Iterator[WrittenFile]:
        chosen = self.report.formats or self.report_type.formats
        wanted = [name for name in FORMATS if chosen is None or name in chosen]
        advance = _Advance(self.progress)
        if self.resources.execution.number > 1:
            # Its process died before, and what draws may have been why.
            advance.enter(SPOOLED, "drawing charts")
            draw_apart(document, wanted)
        for number, name in enumerate(wanted):
            advance.enter(SPOOLED + (WRITTEN - SPOOLED) * number // len(wanted), f"writing {name.upper()}")
            yield from FORMATS[name].write(document, self._folder, advance)

    @property
    def _folder(self) -> Path:
        folder = self.resources.scratch / "files"
        folder.mkdir(exist_ok=True)
        return folder

    def _keep(self, document: Document, written: Sequence[WrittenFile]) -> Sequence[Receipt]:
        """Put the files into the store, the receipts last."""
        self.progress(WRITTEN, "keeping the files")
        receipts = []
        for file in written:
            receipts.append(make_receipt(file))
            self._put(file)
        last = write_receipts(document, receipts, self._folder)
        receipts.append(make_receipt(last))
        self._put(last)
        return receipts

    def _put(self, file: WrittenFile) -> None:
        execution = self.resources.execution
        self.resources.store.put(execution.task_id, execution.id, file.name, file.path)

    def _complete(self, summary: Mapping[str, Any]) -> Mapping[str, Any]:
        """Where the figures say how long it took, that is how long the whole of it took."""
        seconds = {"processing_time": round(self.writer.seconds)}
        return {**summary, **{name: value for name, value in seconds.items() if name in summary}}


class _Advance:
    """Tells how much is done, within a stage."""

    def __init__(self, progress: Share) -> None:
        self._progress = progress
        self._percent, self._stage = 0, ""

    def enter(self, percent: int, stage: str) -> None:
        self._percent, self._stage = percent, stage
        self._progress(percent, stage)

    def tell(self, share: float | None) -> None:
        """Tell how much of what the engine does is done, if it knows."""
        self._progress(self._percent, self._stage, "" if share is None else f"{share:.0%}")

    def __call__(self, rows: int) -> None:
        self._progress(self._percent, self._stage, f"{rows:,} rows")
