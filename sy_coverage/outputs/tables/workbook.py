"""Lay frames out as the sheets of a workbook: title, notices, a frozen header, formats, widths, inert text."""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter

from sy_coverage import labels
from sy_coverage.outputs.text import format as fmt
from sy_coverage.outputs.text import words
from sy_coverage.outputs.text.zipped import normalised

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from openpyxl.worksheet.worksheet import Worksheet
    from pandas import DataFrame, Series

    from sy_coverage.outputs.findings import Findings

HEADER_ROW = 3
A4_COLUMNS = 190
"""So many characters of columns can still be read on an A4 page; wider sheets are printed on A3."""
_INK, _RULE, _SHADE, _WARN = "1F2A33", "B8C2C9", "E8EEF1", "9C2B12"
_FACE = {"zh": "宋体", "en": "Calibri"}


@dataclass(frozen=True)
class Field:
    """One column of a sheet: which column of the frame, how wide, and how its cells are written."""

    column: str
    width: float
    format: str | Callable[[Any], str] | None = None
    """A number format, or what gives it for a row."""
    show: Callable[[Any], str] | None = None
    """Turns an id into words."""


def cell_value(value: Any) -> Any:
    """Return what goes into a cell: numbers as numbers, dates as dates, text inert, nothing where nothing is known."""
    if not fmt.known(value):
        return None
    if isinstance(value, str):
        return fmt.inert(value)
    if pd.api.types.is_bool(value):
        return bool(value)
    if pd.api.types.is_number(value):
        number = float(value)
        return int(number) if number.is_integer() else number
    if isinstance(value, dt.date):
        return pd.Timestamp(value).to_pydatetime()
    return fmt.inert(value)


def _says_something(column: Series) -> bool:
    return column.empty or any(fmt.known(value) for value in column)


class Book:
    """A workbook in the making; its bytes depend only on what was put in."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._face = _FACE[findings.language]
        self._book = Workbook()
        self._book.remove(self._book.active)
        day = dt.datetime.combine(findings.date, dt.time())
        properties = self._book.properties
        properties.creator = fmt.plain(findings.office) or "sy_coverage"
        properties.title = fmt.plain(f"{findings.scope_name} {findings.study_name}")
        properties.created = properties.modified = day

    def bytes(self) -> bytes:
        """Return the workbook as the bytes of an .xlsx file."""
        out = io.BytesIO()
        self._book.save(out)
        return normalised(out.getvalue(), self._findings.date)

    def open_at(self, place: int) -> None:
        """Make the sheet at `place` (from 0) the one that opens."""
        self._book.active = place
        for number, sheet in enumerate(self._book.worksheets):
            sheet.sheet_view.tabSelected = number == place

    def add_plain(self, title: str, frame: DataFrame) -> None:
        """Add `frame` as it is: column names as headers, values without format."""
        sheet = self._book.create_sheet(title)
        for place, column in enumerate(frame.columns, start=1):
            self._write(sheet, 1, place, str(column), font=Font(name=self._face, bold=True))
        for row_number, row in enumerate(frame.itertuples(index=False), start=2):
            for place, value in enumerate(row, start=1):
                self._write(sheet, row_number, place, value)
        sheet.freeze_panes = "A2"

    def add(self, title: str, fields: list[Field], frame: DataFrame, *, total: tuple[str, ...] = ()) -> None:
        """Add `frame` for people to read; columns that it lacks are left out, `total` columns are summed below."""
        sheet = self._book.create_sheet(title)
        # what the frame lacks, and of what nothing is known anywhere, is left out
        fields = [f for f in fields if f.column in frame.columns and _says_something(frame[f.column])]
        self._head(sheet, title)
        rule = Side(style="thin", color=_RULE)
        for place, field in enumerate(fields, start=1):
            header = words.said(self._findings, f"column_{field.column}")
            cell = self._write(
                sheet, HEADER_ROW, place, header, font=Font(name=self._face, bold=True, color=_INK)
            )
            cell.fill = PatternFill("solid", start_color=_SHADE)
            cell.border = Border(top=Side(style="medium", color=_INK), bottom=rule)
            cell.alignment = Alignment(wrap_text=True, vertical="center", horizontal="center")
            sheet.column_dimensions[get_column_letter(place)].width = field.width
        headers = [words.said(self._findings, f"column_{field.column}") for field in fields]
        self._fit(sheet, HEADER_ROW, headers, [field.width for field in fields])
        for row_number, row in enumerate(frame.to_dict("records"), start=HEADER_ROW + 1):
            for place, field in enumerate(fields, start=1):
                value = row[field.column]
                cell = self._write(sheet, row_number, place, field.show(value) if field.show else value)
                cell.border = Border(bottom=rule)
                text = isinstance(cell.value, str)
                cell.alignment = Alignment(
                    wrap_text=text,
                    vertical="top",
                    horizontal="left" if text else "right",
                    indent=1 if text else 0,
                )
                if field.format and not text and cell.value is not None:
                    cell.number_format = field.format if isinstance(field.format, str) else field.format(row)
            written = [sheet.cell(row_number, place).value for place in range(1, len(fields) + 1)]
            self._fit(sheet, row_number, written, [field.width for field in fields])
        if total and len(frame):
            self._total(sheet, fields, frame, total)
        last = get_column_letter(max(len(fields), 1))
        sheet.freeze_panes = f"A{HEADER_ROW + 1}"
        if len(frame):
            sheet.auto_filter.ref = f"A{HEADER_ROW}:{last}{HEADER_ROW + len(frame)}"
        self._printed(sheet, wide=sum(field.width for field in fields) > A4_COLUMNS)

    def add_notes(self, title: str) -> None:
        """Add what a reader of the numbers must know: notices, policy, parameters, sources."""
        found, language = self._findings, self._findings.language
        sheet = self._book.create_sheet(title)
        self._head(sheet, title)
        for letter, width in (("A", 30), ("B", 44), ("C", 40), ("D", 68)):
            sheet.column_dimensions[letter].width = width
        rows: list[tuple[Any, ...]] = [
            (labels.text("outputs.note_study", language), found.study_name),
            (labels.text("outputs.note_scope", language), found.scope_name),
            (labels.text("outputs.note_date", language), fmt.date(found.date, language)),
            (labels.text("outputs.note_office", language), found.office),
            (
                labels.text("outputs.note_policy", language),
                f"{labels.pick(found.policy.name, language)} {found.policy.document}",
            ),
            *(
                [(labels.text("outputs.note_approval", language), found.approval_number)]
                if found.approval_number or found.in_china
                else []
            ),
            (),
            tuple(
                labels.text(f"outputs.column_{c}", language)
                for c in ("parameter", "value", "unit_of", "source")
            ),
            *found.parameters[["name", "value", "unit", "source"]].itertuples(index=False),
            (),
            tuple(labels.text(f"outputs.column_{c}", language) for c in ("source", "file", "note", "digest")),
            *found.sources[["name", "file", "note", "digest"]].itertuples(index=False),
        ]
        # each list begins with its header, after a blank row
        heads = {place + 1 for place, row in enumerate(rows) if not row}
        for number, row in enumerate(rows, start=HEADER_ROW):
            bold = Font(name=self._face, bold=True, color=_INK) if number - HEADER_ROW in heads else None
            for place, value in enumerate(row, start=1):
                cell = self._write(sheet, number, place, value, font=bold)
                cell.alignment = Alignment(wrap_text=True, vertical="top", horizontal="left")
            self._fit(sheet, number, row, (30, 44, 40, 68))
        self._printed(sheet)

    def _head(self, sheet: Worksheet, title: str) -> None:
        found = self._findings
        heading = fmt.inert(f"{fmt.plain(found.scope_name)}  {title}".strip())
        self._write(sheet, 1, 1, heading, font=Font(name=self._face, bold=True, size=15, color=_INK))
        sheet.row_dimensions[1].height = 26
        said = labels.joined([fmt.plain(n) for n in found.notices], found.language)
        day = labels.text("outputs.as_of", found.language, date=fmt.date(found.date, found.language))
        line = "    ".join(part for part in (said, day) if part)
        self._write(sheet, 2, 1, line, font=Font(name=self._face, bold=bool(said), color=_WARN))
        sheet.sheet_view.showGridLines = False

    def _fit(self, sheet: Worksheet, row: int, values: Iterable[Any], widths: Iterable[float]) -> None:
        """Make a row as high as its longest text needs, since not every program does so by itself."""
        lines = 1
        for value, width in zip(values, widths, strict=False):
            if isinstance(value, str):
                # a Chinese character is as wide as two Latin ones
                length = sum(2 if ord(c) > 0x2E7F else 1 for c in value)
                lines = max(lines, -(-length // max(int(width) - 1, 1)))
        sheet.row_dimensions[row].height = 15.5 * lines + 2

    def _total(self, sheet: Worksheet, fields: list[Field], frame: DataFrame, total: tuple[str, ...]) -> None:
        row_number = HEADER_ROW + 1 + len(frame)
        bold = Font(name=self._face, bold=True, color=_INK)
        top = Border(top=Side(style="medium", color=_INK))
        for place, field in enumerate(fields, start=1):
            value: Any = None
            if place == 2:
                value = labels.text("outputs.total", self._findings.language)
            elif field.column in total and frame[field.column].notna().any():
                value = float(frame[field.column].sum())
            cell = self._write(sheet, row_number, place, value, font=bold)
            cell.border = top
            if isinstance(field.format, str) and value is not None and place != 2:
                cell.number_format = field.format

    def _printed(self, sheet: Worksheet, *, wide: bool = False) -> None:
        sheet.page_setup.orientation = "landscape"
        sheet.page_setup.paperSize = sheet.PAPERSIZE_A3 if wide else sheet.PAPERSIZE_A4
        sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
        sheet.sheet_properties.pageSetUpPr.fitToPage = True
        sheet.print_title_rows = f"1:{HEADER_ROW}"
        sheet.oddFooter.center.text = "&P / &N"

    def _write(self, sheet: Worksheet, row: int, place: int, value: Any, *, font: Font | None = None) -> Any:
        cell = sheet.cell(row=row, column=place, value=cell_value(value))
        if isinstance(cell.value, str):
            cell.data_type = "s"
        cell.font = font or Font(name=self._face, color=_INK)
        return cell
