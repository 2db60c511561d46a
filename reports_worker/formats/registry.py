"""The table of formats: media type, extension, writer, and the content of one file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from . import csv_file, json_file, parquet_file, pdf_file, xlsx_file
from .charts import files as charts
from .document import Write


class PerFile(StrEnum):
    """The content of one file of a format."""

    TABLE = "table"
    CHART = "chart"
    REPORT = "report"


@dataclass(frozen=True)
class Format:
    """A format: media type, extension, writer, and the content of one file."""

    media_type: str
    extension: str
    write: Write
    each: PerFile


FORMATS: Mapping[str, Format] = {
    "csv": Format(csv_file.MEDIA_TYPE, "csv", csv_file.write_csv, PerFile.TABLE),
    "parquet": Format(parquet_file.MEDIA_TYPE, "parquet", parquet_file.write_parquet, PerFile.TABLE),
    "xlsx": Format(xlsx_file.MEDIA_TYPE, "xlsx", xlsx_file.write_xlsx, PerFile.REPORT),
    "svg": Format(charts.SVG, "svg", charts.write_svg, PerFile.CHART),
    "png": Format(charts.PNG, "png", charts.write_png, PerFile.CHART),
    "pdf": Format(pdf_file.MEDIA_TYPE, "pdf", pdf_file.write_pdf, PerFile.REPORT),
    "json": Format(json_file.MEDIA_TYPE, "json", json_file.write_json, PerFile.REPORT),
}
