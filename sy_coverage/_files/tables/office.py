"""Read the tables of old workbooks (.xls, .et), of open documents (.ods) and of text documents (.docx)."""

from __future__ import annotations

import datetime as dt
import io
from typing import TYPE_CHECKING, Any

from sy_coverage._files.grids import Grid, even, one_of
from sy_coverage._files.tables.uncomputed import uncomputed
from sy_coverage._files.tables.workbooks import check_zip
from sy_coverage.errors import UnreadableFileError

if TYPE_CHECKING:
    from sy_coverage._files.limits import Limits
    from sy_coverage._files.tables.uncomputed import Cells


_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
"""What the directory of a compound file names that holds a protected workbook or document."""


def _with_password(file: str) -> UnreadableFileError:
    return UnreadableFileError(
        f"{file}: is protected by a password; open it, take the password off, and save it again"
    )


def old_grids(content: bytes, file: str, layer: str | None, limits: Limits) -> list[Grid]:
    """Return the sheet called `layer` of a workbook in an old or open format, or every visible sheet that holds anything."""
    import python_calamine  # noqa: PLC0415  (only such workbooks need it)

    if content.startswith(b"PK"):
        check_zip(content, file, limits).close()
    elif _ENCRYPTED in content:
        raise _with_password(file)
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        visible = python_calamine.SheetVisibleEnum.Visible
        hidden = {sheet.name for sheet in book.sheets_metadata if sheet.visible != visible}
        chosen = [one_of(book.sheet_names, layer, file, "sheet")] if layer else book.sheet_names
        tables = {}
        for name in chosen:
            sheet = book.get_sheet_by_name(name)
            limits.check_rows(sheet.total_height, file)
            limits.check_cells(sheet.total_height, sheet.total_width, file)
            tables[name] = (sheet.to_python(skip_empty_area=False), sheet.merged_cell_ranges or [])
    except UnreadableFileError:
        raise
    except Exception as error:
        if "assword" in str(error):
            raise _with_password(file) from error
        raise UnreadableFileError(f"{file}: damaged, or no workbook that can be read ({error})") from error
    full = {
        name: table for name, table in tables.items() if table[0] and (layer or name not in hidden)
    } or dict(list(tables.items())[:1])
    several = len([name for name in book.sheet_names if name not in hidden]) > 1
    # sheets stand in the file as the library names them
    waiting = dict(zip(book.sheet_names, uncomputed(content, file), strict=False))
    grids = []
    for name, (rows, merges) in full.items():
        cells, marks = _with_formulas(
            [[_text(value) for value in row] for row in rows], waiting.get(name, {})
        )
        limits.check_rows(len(cells), file)
        grids.append(
            Grid(
                file,
                even(cells, file, limits),
                1,
                merges=tuple(sorted((top, left, bottom, right) for (top, left), (bottom, right) in merges)),
                notes=(("sheet", name),),
                sheet=name if several else "",
                marks=marks,
            )
        )
    return grids


def _with_formulas(
    cells: list[list[str]], waiting: Cells
) -> tuple[list[list[str]], tuple[tuple[int, int, str], ...]]:
    """Return the cells with the formulas that have no value in them, and their marks."""
    marks = []
    for (row, column), formula in sorted(waiting.items()):
        if row < len(cells) or any(cells):
            cells += [[] for _ in range(row + 1 - len(cells))]
            cells[row] += [""] * (column + 1 - len(cells[row]))
            if not cells[row][column]:
                cells[row][column] = formula
                marks.append((row, column, "formula"))
    return cells, tuple(marks)


def _text(value: Any) -> str:
    """Return a cell as a person sees it: whole numbers without .0, dates as 2027-12-31."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time(0) else value.isoformat(sep=" ")
    return str(value)


def document_grids(content: bytes, file: str, layer: str | None, limits: Limits) -> list[Grid]:
    """Return the tables of a .docx document; `layer` is the number of one of them, counted from 1."""
    import docx  # noqa: PLC0415  (only documents need it)

    check_zip(content, file, limits).close()
    try:
        tables = docx.Document(io.BytesIO(content)).tables
        cells = [[[cell.text.strip() for cell in row.cells] for row in table.rows] for table in tables]
    except Exception as error:
        raise UnreadableFileError(f"{file}: damaged, or no .docx document ({error})") from error
    numbers = [str(n) for n in range(1, len(cells) + 1)]
    chosen = [one_of(numbers, layer, file, "table")] if layer or not numbers else numbers
    several = len(numbers) > 1
    grids = []
    for number in chosen:
        rows = cells[int(number) - 1]
        limits.check_rows(len(rows), file)
        grids.append(
            Grid(
                file, even(rows, file, limits), 1, notes=(("sheet", number),), sheet=number if several else ""
            )
        )
    return grids
