"""Read workbooks out of archives that are safe to unpack."""

from __future__ import annotations

import datetime as dt
import io
import re
import stat
import warnings
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import Any

from sy_coverage._files.grids import Grid, even, one_of
from sy_coverage._files.limits import USUAL, Limits
from sy_coverage._files.tables.uncomputed import ERRORS
from sy_coverage.errors import UnreadableFileError, some

MOST_MERGED = 1_000_000
"""Cells in merged areas of a sheet; a title over a table has some dozens."""
_MERGED = re.compile(
    rb"<(?:\w+:)?mergeCell\b[^<>]*?\bref=[\"']\$?([A-Z]{1,3})\$?(\d{1,7}):\$?([A-Z]{1,3})\$?(\d{1,7})[\"']"
)

_FORMULA = re.compile(
    rb"(?:</(?:\w+:)?f>|<(?:\w+:)?f\b[^<>]*/>)\s*(?:<(?:\w+:)?v\b[^<>]*/>|<(?:\w+:)?v\b[^<>]*>\s*</(?:\w+:)?v>)?\s*"
    rb"</(?:\w+:)?c>"
)
"""A formula without a value: no program has computed it, or it came to an empty text."""

_NO_CELL = re.compile(rb"<(?:\w+:)?c\b[^<>]*/>")
_NO_ROW = re.compile(rb"<(?:\w+:)?row\b[^<>]*(?:/>|>\s*</(?:\w+:)?row>)")
_FORMATS_FROM = 2_000_000
"""A sheet of so many bytes is looked through for cells without a value."""


def check_zip(content: bytes, file: str, limits: Limits = USUAL) -> zipfile.ZipFile:
    """Return an archive that is safe to read in memory: limits on ratio and size, no encryption, no path tricks.

    Raises
    ------
    UnreadableFileError
        Naming the member and the limit.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise UnreadableFileError(f"{file}: damaged archive ({error})") from error
    # members that share the same packed bytes count them once
    packed = min(sum(member.compress_size for member in members), len(content))
    limits.check_unpacked(packed, sum(member.file_size for member in members), file)
    for member in members:
        parts = PurePosixPath(member.filename.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts:
            raise UnreadableFileError(f"{file}: the archive's member '{member.filename}' leaves its folder")
        if member.flag_bits & 0x1:
            raise UnreadableFileError(f"{file}: the archive is encrypted; unpack it first")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise UnreadableFileError(f"{file}: the archive's member '{member.filename}' is a link")
    return archive


def editable_workbook(content: bytes, file: str) -> Any:
    """Return a workbook as openpyxl has it, to be changed and saved again, within the limits of `check_zip`."""
    import openpyxl  # noqa: PLC0415  (heavy)

    check_zip(content, file).close()
    return openpyxl.load_workbook(io.BytesIO(content))


def _sheet_text(cell: Any) -> str:
    """Return a cell as a person sees it: whole numbers without .0, padded zeros kept, dates as 2027-12-31."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        pattern = str(cell.number_format)
        whole = float(value).is_integer() and abs(value) < 1e15
        if whole and set(pattern) == {"0"}:
            return f"{int(value):0{len(pattern)}d}"
        return str(int(value)) if whole else repr(value)
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time(0) else value.isoformat(sep=" ")
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def _check_merges(archive: zipfile.ZipFile, file: str) -> None:
    """Refuse merged areas so large that the library, which makes every cell of them, would not come to an end."""
    for name in archive.namelist():
        if not name.startswith("xl/worksheets/"):
            continue
        try:
            content = archive.read(name)
        except (zipfile.BadZipFile, zlib.error, NotImplementedError, OSError) as error:
            raise UnreadableFileError(f"{file}: damaged archive ({error})") from error
        merged = 0
        for left, top, right, bottom in _MERGED.findall(content):
            merged += (_column(right) - _column(left) + 1) * (int(bottom) - int(top) + 1)
        if merged > MOST_MERGED:
            raise UnreadableFileError(
                f"{file}: merged areas of {merged:,} cells in {name}; at most {MOST_MERGED:,} are read: undo those that reach "
                "beyond the table"
            )


def _column(letters: bytes) -> int:
    """Return the number of a column from its letters: A is 1, AA is 27."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _filled(sheet: Any, most_rows: int | None = None) -> dict[tuple[int, int], str]:
    """Return the text of the cells that hold any, by row and column from 1; a format alone is no text, and costs nothing."""
    # asked for rows, the library would make every cell up to the farthest that has a format
    cells = sheet._cells.values()  # noqa: SLF001
    found = {}
    for cell in cells:
        if cell.value is not None and (most_rows is None or cell.row <= most_rows):
            text = _sheet_text(cell)
            if text:
                found[cell.row, cell.column] = text
    return found


def _without_formats(archive: zipfile.ZipFile, content: bytes) -> bytes:
    """Return a workbook without the cells and rows that hold a format only: an office formats a million rows in a moment."""
    sheets = {n for n in archive.namelist() if n.lower().startswith("xl/worksheets/") and n.endswith(".xml")}
    if all(archive.getinfo(name).file_size < _FORMATS_FROM for name in sheets):
        return content
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as lighter:
        for name in archive.namelist():
            member = archive.read(name)
            lighter.writestr(name, _NO_ROW.sub(b"", _NO_CELL.sub(b"", member)) if name in sheets else member)
    return out.getvalue()


def sheet_grids(content: bytes, file: str, layer: str | None, limits: Limits) -> list[Grid]:
    """Return the sheet called `layer` of an .xlsx workbook, or every visible sheet that holds anything."""
    import openpyxl  # noqa: PLC0415

    with check_zip(content, file, limits) as archive:
        names = archive.namelist()
        if "[Content_Types].xml" not in names:
            raise UnreadableFileError(
                f"{file}: an archive, no workbook; unpack it and name the file inside: {some(names)}"
            )
        _check_merges(archive, file)
        content = _without_formats(archive, content)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        has_formulas = any(
            _FORMULA.search(archive.read(n)) for n in names if n.lower().startswith("xl/worksheets/")
        )
    try:
        with warnings.catch_warnings(
            action="ignore", category=UserWarning
        ):  # what it cannot show is #VALUE! to us
            book = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
            formulas = openpyxl.load_workbook(io.BytesIO(content)) if has_formulas else None
    except Exception as error:
        raise UnreadableFileError(f"{file}: damaged or no .xlsx workbook ({error})") from error
    sheets = [s.title for s in book.worksheets]
    full = [s.title for s in book.worksheets if s.sheet_state == "visible" and _filled(s, most_rows=1000)]
    chosen = [one_of(sheets, layer, file, "sheet")] if layer else full or sheets[:1]
    if not chosen:
        one_of([], None, file, "sheet")
    struck = {n for n, font in enumerate(book._fonts) if font.strike}  # noqa: SLF001
    several = len(full) > 1
    return [
        _sheet_grid(book[name], formulas and formulas[name], struck, file, limits, several=several)
        for name in chosen
    ]


def _sheet_grid(
    sheet: Any, formulas: Any, struck: set[int], file: str, limits: Limits, *, several: bool
) -> Grid:
    cells = _filled(sheet)
    marks = _marks(sheet, cells, struck)
    waiting = {at: text for at, text in _waiting(sheet, formulas).items() if at not in cells}
    errors = [at for at, text in cells.items() if text in ERRORS]
    marks += [(row - 1, column - 1, "formula") for row, column in (*errors, *waiting)]
    cells |= waiting
    last_row, last_column = (max((at[n] for at in cells), default=0) for n in (0, 1))
    limits.check_rows(last_row, file)
    limits.check_cells(last_row, last_column, file)
    rows: list[list[str]] = [[] for _ in range(last_row)]
    for (row, column), text in sorted(cells.items()):
        rows[row - 1] += [""] * (column - 1 - len(rows[row - 1]))
        rows[row - 1].append(text)
    areas = sorted(
        (r.min_row - 1, r.min_col - 1, r.max_row - 1, r.max_col - 1) for r in sheet.merged_cells.ranges
    )
    return Grid(
        file,
        even(rows, file, limits),
        1,
        merges=tuple(areas),
        notes=(("sheet", sheet.title),),
        sheet=sheet.title if several else "",
        marks=tuple(sorted(marks)),
    )


def _waiting(sheet: Any, formulas: Any) -> dict[tuple[int, int], str]:
    """Return the formulas of a sheet that no program has computed; one that came to an empty text has been."""
    if formulas is None:
        return {}
    computed = {at for at, cell in sheet._cells.items() if cell.data_type == "str"}  # noqa: SLF001
    found = {}
    for at, cell in formulas._cells.items():  # noqa: SLF001
        if cell.data_type == "f" and at not in computed:
            text = getattr(cell.value, "text", None) or (cell.value if isinstance(cell.value, str) else "=")
            found[at] = text
    return found


def _marks(sheet: Any, cells: dict[tuple[int, int], str], struck: set[int]) -> list[tuple[int, int, str]]:
    """Return the rows that are hidden and the cells whose text is struck through."""
    filled_rows = {row for row, _ in cells}
    marks = [
        (row - 1, -1, "hidden")
        for row, shape in sheet.row_dimensions.items()
        if shape.hidden and row in filled_rows
    ]
    if struck:
        styled = sheet._cells  # noqa: SLF001
        marks += [
            (row - 1, column - 1, "struck")
            for row, column in cells
            if styled[row, column]._style.fontId in struck  # noqa: SLF001
        ]
    return marks
