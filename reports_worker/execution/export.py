"""Export a report's content: spool each table once, write a file in each format, put all files into the store."""

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
from reports_worker.formats.spool import Spool, open_spool
from reports_worker.lib import clock
from reports_worker.parameters import describe_parameters
from reports_worker.report_types.report_type import ReportType

from .preview import write_preview
from .progress import ProgressRange, ProgressWriter
from .resources import ExecutionResources

# The progress of the export when all tables are spooled, and when all files are written.
SPOOLED_PERCENT, WRITTEN_PERCENT = 50, 95


@dataclass(frozen=True)
class Exporter:
    """Exports one report. `progress` takes 0 to 100 percent of the export; `writer` has the time of each stage."""

    report: Report
    report_type: ReportType
    version: str
    resources: ExecutionResources
    progress: ProgressRange
    writer: ProgressWriter

    def run(self, contents: Contents) -> Completed:
        """Write the files in all requested formats; return the outcome to publish."""
        progress = _StageProgress(self.progress)
        with open_spool(
            self.resources.scratch,
            most_rows=self.resources.data.max_rows,
            advance=progress,
            tell=lambda: progress.report_fraction(self.resources.query_progress()),
        ) as spool:
            document = self._describe(contents, list(_spool_tables(contents, spool, progress)))
            receipts = self._store(document, list(self._write(document)))
            return Completed(
                self._with_processing_time(contents.summary),
                artifacts=receipts,
                as_of=document.as_of,
                version=self.version,
                preview=write_preview(document, self.writer.end()),
            )

    def _describe(self, contents: Contents, tables: Sequence[SpooledTable]) -> Document:
        report = self.report
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

    def _write(self, document: Document) -> Iterator[WrittenFile]:
        chosen = self.report.formats or self.report_type.formats
        requested = [name for name in FORMATS if chosen is None or name in chosen]
        progress = _StageProgress(self.progress)
        if self.resources.execution.number > 1:
            # The process of an earlier execution died, possibly in the chart renderer.
            progress.enter(SPOOLED_PERCENT, "drawing charts")
            draw_apart(document, requested)
        for number, name in enumerate(requested):
            share = (WRITTEN_PERCENT - SPOOLED_PERCENT) * number // len(requested)
            progress.enter(SPOOLED_PERCENT + share, f"writing {name.upper()}")
            yield from FORMATS[name].write(document, self._folder, progress)

    @property
    def _folder(self) -> Path:
        folder = self.resources.scratch / "files"
        folder.mkdir(exist_ok=True)
        return folder

    def _store(self, document: Document, written: Sequence[WrittenFile]) -> Sequence[Receipt]:
        """Put the files into the store, the file of receipts last."""
        self.progress(WRITTEN_PERCENT, "storing the files")
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

    def _with_processing_time(self, summary: Mapping[str, Any]) -> Mapping[str, Any]:
        """Replace `processing_time`, if the type gives one, by the time of the whole execution."""
        seconds = {"processing_time": round(self.writer.seconds)}
        return {**summary, **{name: value for name, value in seconds.items() if name in summary}}


def _spool_tables(contents: Contents, spool: Spool, progress: _StageProgress) -> Iterator[SpooledTable]:
    for number, table in enumerate(contents.tables):
        progress.enter(SPOOLED_PERCENT * number // len(contents.tables), f"reading {table.title}")
        yield spool.add(table)


class _StageProgress:
    """Reports the progress within a stage."""

    def __init__(self, progress: ProgressRange) -> None:
        self._progress = progress
        self._percent, self._stage = 0, ""

    def enter(self, percent: int, stage: str) -> None:
        self._percent, self._stage = percent, stage
        self._progress(percent, stage)

    def report_fraction(self, fraction: float | None) -> None:
        """Report the progress of the running query; None where the engine does not know it."""
        self._progress(self._percent, self._stage, "" if fraction is None else f"{fraction:.0%}")

    def __call__(self, rows: int) -> None:
        self._progress(self._percent, self._stage, f"{rows:,} rows")
