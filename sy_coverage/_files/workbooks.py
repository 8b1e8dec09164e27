"""Read workbooks out of archives that are safe to unpack."""

from __future__ import annotations

import datetime as dt
import io
import stat
import zipfile
from pathlib import PurePosixPath
from typing import Any

from sy_coverage._files.grids import Grid, even, one_of
from sy_coverage._files.limits import USUAL, Limits
from sy_coverage.errors import UnreadableFileError, some


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


def sheet_grid(content: bytes, file: str, layer: str | None, limits: Limits) -> Grid:
    import openpyxl  # noqa: PLC0415

    with check_zip(content, file, limits) as archive:
        if "[Content_Types].xml" not in archive.namelist():
            raise UnreadableFileError(
                f"{file}: an archive, no workbook; unpack it and name the file inside: "
                f"{some(archive.namelist())}"
            )
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
    except Exception as error:
        raise UnreadableFileError(f"{file}: damaged or no .xlsx workbook ({error})") from error
    full = [
        s.title
        for s in book.worksheets
        if s.sheet_state == "visible"
        and any(c.value is not None for row in s.iter_rows(max_row=1000) for c in row)
    ]
    if layer in book.sheetnames:
        full = [str(layer)]
    sheet = book[one_of(full or [book.worksheets[0].title], layer, file, "sheet")]
    limits.check_rows(sheet.max_row or 0, file)
    rows = [[_sheet_text(cell) for cell in row] for row in sheet.iter_rows()]
    # a formatted but empty tail is not part of the table
    while rows and not any(rows[-1]):
        rows.pop()
    areas = sorted(
        (r.min_row - 1, r.min_col - 1, r.max_row - 1, r.max_col - 1) for r in sheet.merged_cells.ranges
    )
    return Grid(file, even(rows), 1, merges=tuple(areas), notes=(("sheet", sheet.title),))
