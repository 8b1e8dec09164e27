"""Every list of the table is read as a good clerk would read it: each row accounted for, each guess a doubt."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import docx
import openpyxl
import pandas as pd
import pytest
from openpyxl.styles import Font

from sy_coverage import places
from sy_coverage.errors import FrameError
from tests.places.office.lists import CASES, Case

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST = (
    '<?xml version="1.0" encoding="UTF-8"?><manifest:manifest '
    'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry manifest:full-path="/" '
    'manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/></manifest:manifest>'
)
READERS = {
    "facilities": places.read_facilities,
    "candidates": places.read_candidates,
    "demand": places.read_demand,
}


def lines(text: str) -> list[list[str]]:
    return [line.split("\t") for line in text.splitlines()]


def book(text: str) -> bytes:
    made = openpyxl.Workbook()
    sheet = made.active
    for cells in lines(text):
        if cells[0].startswith("#"):
            sheet = made.create_sheet(cells[0][1:])
            continue
        at = 1 if sheet.max_row == 1 and sheet["A1"].value is None else sheet.max_row + 1
        for column, cell in enumerate(cells, start=1):
            plain = cell.replace("<hidden>", "").replace("<strike>", "")
            held = sheet.cell(at, column, float(plain) if plain.isdigit() else plain or None)
            if "<strike>" in cell:
                held.font = Font(strike=True)
            if "<hidden>" in cell:
                sheet.row_dimensions[at].hidden = True
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def document(text: str) -> bytes:
    made, rows = docx.Document(), lines(text)
    made.add_paragraph("养老机构名单")
    table = made.add_table(len(rows), max(map(len, rows)))
    for n, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            table.cell(n, column).text = cell
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def open_document(text: str) -> bytes:
    rows = "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell office:value-type="string"><text:p>{escape(cell)}</text:p></table:table-cell>'
            for cell in cells
        )
        + "</table:table-row>"
        for cells in lines(text)
    )
    content = (
        '<?xml version="1.0" encoding="UTF-8"?><office:document-content '
        'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>'
        f'<table:table table:name="Sheet1">{rows}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", MANIFEST)
        archive.writestr("content.xml", content)
    return out.getvalue()


def written(case: Case, folder: Path) -> Path:
    path = folder / case.file
    if path.suffix == ".csv":
        quoted = [
            "\t".join(f'"{cell}"' if "," in cell else cell for cell in cells) for cells in lines(case.text)
        ]
        path.write_bytes("\r\n".join(line.replace("\t", ",") for line in quoted).encode(case.encoding))
    else:
        made = {".xlsx": book, ".docx": document, ".ods": open_document}[path.suffix](case.text)
        path.write_bytes(made)
    return path


def read(case: Case, path: Path, **options: Any) -> Any:
    return READERS[case.reader](path, **case.options, **options)


def same(found: Any, expected: Any) -> bool:
    if expected is None:
        return bool(pd.isna(found))
    if isinstance(expected, float | int) and not isinstance(expected, bool):
        return found == pytest.approx(expected, abs=1e-6)
    if isinstance(found, pd.Timestamp):
        return found.date().isoformat() == expected
    return found == expected


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.file)
def test_a_list_is_read_as_a_good_clerk_reads_it(case, tmp_path):
    frame = read(case, written(case, tmp_path))
    assert len(frame) == len(case.rows)
    table = frame.assign(id=frame.index, lon=frame.geometry.x, lat=frame.geometry.y)
    for (row_id, found), expected in zip(table.iterrows(), case.rows, strict=True):
        for column, value in expected.items():
            assert same(found[column], value), (row_id, column, found[column], value)
    assert frame.attrs["doubts"]["kind"].value_counts().to_dict() == case.doubts


def test_there_are_at_least_forty_lists():
    assert len(CASES) >= 40
    assert len({case.file for case in CASES}) == len(CASES)


@pytest.mark.parametrize(
    "case",
    [
        c
        for c in CASES
        if c.file in {"残缺.csv", "床位二.csv", "坏坐标.csv", "重号.csv", "备选.csv", "分村无点.csv"}
    ],
    ids=lambda case: case.file,
)
def test_strict_reading_refuses_what_it_cannot_use(case, tmp_path):
    with pytest.raises(FrameError, match=case.file):
        read(case, written(case, tmp_path), strict=True)
