"""All formats, in the order in which they are written."""

from __future__ import annotations

from collections.abc import Mapping

from .csv_file import write_csv
from .document import Write

FORMATS: Mapping[str, Write] = {
    "csv": write_csv,
}
