"""The text cells of a table or layer, before anybody has said what they mean."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sy_coverage.errors import UnreadableFileError

if TYPE_CHECKING:
    from geopandas import GeoSeries
    from pandas import DataFrame

    from sy_coverage._files.limits import Limits


@dataclass(frozen=True)
class Grid:
    """What a table or layer holds, as text cells: row by row, before anybody has said what they mean."""

    file: str
    cells: list[list[str]]
    """Rows of equal length; of a layer the first row is its column names."""
    first_row: int
    """The number a person sees beside the first row: 1 in a sheet, 0 in a layer (whose features count from 1)."""
    merges: tuple[tuple[int, int, int, int], ...] = ()
    """Merged areas as (top, left, bottom, right), zero-based, inclusive."""
    geometry: GeoSeries | None = None
    """Of a layer: one geometry a row below the first, in the CRS the file declares (None: it declares none)."""
    notes: tuple[tuple[str, str], ...] = ()
    """What was found out or assumed on the way: (label id, value)."""
    stem: str = ""
    """What ids begin with where the table gives none, if not the file's name without its ending."""
    sheet: str = ""
    """Of a file with several tables, which one it is."""
    marks: tuple[tuple[int, int, str], ...] = ()
    """What a cell or row looks like, (row, column or −1 for all of it, zero-based; ``hidden``, ``struck`` or ``formula``): a formula
    whose value no program has stored."""


def even(rows: list[list[str]], file: str, limits: Limits) -> list[list[str]]:
    """Return rows of equal length, the shorter ones filled with empty cells."""
    width = max((len(row) for row in rows), default=0)
    limits.check_cells(len(rows), width, file)
    return [row + [""] * (width - len(row)) for row in rows]


def one_of(there: list[str], wanted: str | None, file: str, what: str) -> str:
    """Return the layer or sheet that is meant; several without a choice are refused by name."""
    if wanted is not None and wanted not in there:
        raise UnreadableFileError(f"{file}: there is no {what} '{wanted}'; there are: {', '.join(there)}")
    if not there:
        raise UnreadableFileError(f"{file}: there is no {what} in it")
    if wanted is None and len(there) > 1:
        raise UnreadableFileError(
            f"{file}: several {what}s ({', '.join(there)}); say which one, as {file}#{there[0]}"
        )
    return wanted or there[0]


def _value_text(value: Any) -> str:
    if value is None or (isinstance(value, float) and value != value):  # noqa: PLR0124  (NaN)
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, dt.datetime) and value.time() == dt.time(0):
        return value.date().isoformat()
    return "" if str(value) in {"NaT", "<NA>"} else str(value)


def frame_grid(frame: DataFrame, file: str, notes: tuple[tuple[str, str], ...]) -> Grid:
    geometry = getattr(frame, "_geometry_column_name", None)
    shapes = frame.geometry if geometry in frame.columns else None
    # by position: two columns may have one name
    columns = [i for i, c in enumerate(frame.columns) if c != geometry]
    values = [[_value_text(v) for v in frame.iloc[:, i].astype(object)] for i in columns]
    body = [list(row) for row in zip(*values, strict=True)] if values else [[] for _ in range(len(frame))]
    header = [str(frame.columns[i]) for i in columns]
    if shapes is not None:
        shapes = shapes.reset_index(drop=True)
    return Grid(file, [header, *body], 0, geometry=shapes, notes=notes)
