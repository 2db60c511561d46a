"""The report as a PDF, as its readers find it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from pypdf import PdfReader

from reports_worker.content.chart_specs import chart_spec
from reports_worker.content.report import Chart
from reports_worker.content.rows import Column, Kind, Row
from reports_worker.formats.charts.pictures import read_charts
from reports_worker.formats.charts.renderer import FONTS
from reports_worker.formats.document import Document, Figure, WrittenFile
from reports_worker.formats.pdf_file import MOST_COLUMNS, MOST_ROWS, write_pdf
from tests.needed_tools import need_program
from tests.unit.reports_worker.formats.format_files import spool

COLUMNS = (Column("name", Kind.TEXT, "Product"), Column("revenue", Kind.DECIMAL, "Revenue", "EUR"))
WRITINGS = "中文 Čeština العربية 🙂"
Write = Callable[..., tuple[WrittenFile, PdfReader]]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_one(
        rows: list[Row], *, title: str = WRITINGS, columns: tuple[Column, ...] = COLUMNS
    ) -> tuple[WrittenFile, PdfReader]:
        table = spool(tmp_path, columns, rows, name="products", title="Top products")
        chart = Chart("revenue", "Revenue", chart_spec("bar", COLUMNS[1], COLUMNS[0]), COLUMNS, [("中文", 1)])
        document = Document(
            task_id="01a20765-e3ae-7d4c-b16c-10abbe554372",
            title=title,
            type="sales",
            type_title="Sales",
            parameters=[("Period", "Last quarter")],
            raw_parameters={},
            figures=[Figure("total", "Total", 1234.5, "EUR"), Figure("share", "Share", None, "%")],
            tables=[table],
            charts=read_charts([chart]),
            as_of=datetime(2026, 11, 23, 8, 0, tzinfo=UTC),
            made_at=datetime(2026, 11, 23, 8, 1, tzinfo=UTC),
            version="abc123",
        )
        folder = tmp_path / "files"
        folder.mkdir()
        (file,) = write_pdf(document, folder, lambda _: None)
        assert [path.name for path in folder.iterdir()] == ["report.pdf"]
        return file, PdfReader(file.path)

    return write_one


def test_it_holds_title_parameters_figures_charts_and_tables(write: Write) -> None:
    file, reader = write([("Yoga mat", Decimal("1234.50"))])

    text = reader.pages[0].extract_text()
    for part in (
        "中文",
        "Čeština",
        "Last quarter",
        "1,234.50 EUR",
        "Revenue (EUR)",
        "Top products",
        "Yoga mat",
    ):
        assert part in text
    assert "abc123" in text
    assert "Share\n\u2013\n" in text  # nothing, without a unit
    assert reader.metadata is not None
    assert reader.metadata.title == WRITINGS
    assert (file.rows_written, file.rows_expected, file.cut) == (1, 1, None)


def test_every_page_has_its_number_and_the_heads_of_the_table(write: Write) -> None:
    _, reader = write([(f"Product {number}", Decimal(number)) for number in range(200)])

    assert len(reader.pages) > 2
    for number, page in enumerate(reader.pages, start=1):
        text = page.extract_text()
        assert f"{number} / {len(reader.pages)}" in text
        assert "Product" in text


def test_a_long_table_is_cut_and_says_so(write: Write) -> None:
    file, reader = write([("x", Decimal(1))] * (MOST_ROWS + 5))

    assert (
        file.cut
        == f"Top products: the PDF shows the first 1,000 of {MOST_ROWS + 5:,} rows; other files hold all."
    )
    assert "shows the first 1,000 of 1,005 rows" in " ".join(reader.pages[0].extract_text().split())


def test_a_wide_table_is_cut_and_says_so(write: Write) -> None:
    columns = tuple(Column(f"c{number}", Kind.INTEGER) for number in range(MOST_COLUMNS + 3))

    file, _ = write([tuple(range(MOST_COLUMNS + 3))], columns=columns)

    assert file.cut is not None
    assert f"shows {MOST_COLUMNS} of {MOST_COLUMNS + 3} columns" in file.cut


def test_what_looks_like_markup_is_text(write: Write) -> None:
    hostile = '#read("/etc/passwd") = $x$ *bold* <b> \\ @ref'

    _, reader = write(
        [(hostile, None), ("a" * 10_000, Decimal(1)), ("two\nlines", Decimal(1))], title=hostile
    )

    text = " ".join(page.extract_text() for page in reader.pages)
    assert '#read("/etc/passwd")' in text
    assert "root:" not in text


def test_a_table_without_rows_says_so(write: Write) -> None:
    _, reader = write([])

    assert "No rows." in reader.pages[0].extract_text()


def test_all_writings_are_drawn_from_our_own_fonts(write: Write) -> None:
    file, reader = write([(WRITINGS, Decimal(1))])

    fonts = {
        str(font.get_object()["/BaseFont"]).partition("+")[2]
        for page in reader.pages
        for font in page["/Resources"]["/Font"].values()  # type: ignore[index]
    }
    assert {"NotoSans-Regular", "NotoSansSC-Regular", "NotoEmoji-Regular"} <= fonts
    assert any(name.startswith("NotoSansArabic") for name in fonts)
    need_program("pdftoppm", package="poppler-utils")
    picture = subprocess.run(
        ["pdftoppm", "-r", "40", "-gray", "-f", "1", "-l", "1", str(file.path)],
        capture_output=True,
        check=True,
    ).stdout
    assert len(set(picture[-50_000:])) > 20


def test_pictures_of_charts_need_no_font_of_the_machine() -> None:
    """A process that sees no fonts draws 中 as something else than a character that no font has."""
    script = f"""
import vl_convert
vl_convert.register_font_directory({str(FONTS)!r})
def draw(text):
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><text x="4" y="30" font-size="28" ' \\
          f'font-family="Noto Sans, Noto Sans Arabic, Noto Sans SC, Noto Emoji">{{text}}</text></svg>'
    return vl_convert.svg_to_png(svg)
pictures = [draw(text) for text in ('\\ue123', '中', 'Č', 'ع', '🙂')]
assert len(set(pictures)) == len(pictures)
"""
    empty = {"FONTCONFIG_FILE": "/dev/null", "PATH": "/usr/bin", "HOME": "/nonexistent"}
    subprocess.run([sys.executable, "-c", script], env=empty, check=True)
