"""Read how an adopted plan is carried out: a list of its sites as an office types it, with the quarter of every milestone."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

import pandas as pd

from sy_coverage._files import USUAL, Limits
from sy_coverage.errors import FrameError
from sy_coverage.places.sheets import words
from sy_coverage.places.sheets.tables import Report, read_table

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from pandas import DataFrame

MILESTONES = ("approved", "started", "completed", "opened")
"""立项, 开工, 竣工, 运营: in this order."""
_QUARTERS = (
    re.compile(r"(\d{2}|\d{4})\s*年?\s*[-/.]?\s*Q\s*([1-4])", re.IGNORECASE),
    re.compile(r"(\d{2}|\d{4})\s*年?\s*[-/.]?\s*第?\s*([一二三四1-4])\s*季度?"),
)
_STOPPED = ("取消", "停建", "不建", "终止", "放弃", "撤销", "调整出", "stopped", "cancelled", "dropped")
_NOT_YET = re.compile(r"(未|尚未|待|暂未|没有|not).*|[-—/无\\]+", re.IGNORECASE)


def quarter_of(text: str) -> pd.Period | None:
    """Return the quarter of a cell: 2026年三季度, 2026Q3, 26年第3季度, 2026年9月, 2026-09-15; None if it is none."""
    written = unicodedata.normalize("NFKC", text).strip()
    for pattern in _QUARTERS:
        found = pattern.match(written)
        if found:
            year = int(found.group(1)) + (2000 if len(found.group(1)) == 2 else 0)
            number = "一二三四".find(found.group(2)) + 1 or int(found.group(2))
            return pd.Period(year=year, quarter=number, freq="Q")
    day, _ = words.date(written)
    return None if day is None else pd.Period(day, freq="Q")


def read_works(
    path: str | os.PathLike[str],
    *,
    columns: Mapping[str, str] | None = None,
    limits: Limits = USUAL,
) -> DataFrame:
    """Return the sites of an adopted plan, and how far each has come.

    Parameters
    ----------
    path
        Any table, as an office keeps it: one row a site, named by its id or name.
    columns
        Our field to the header that means it, as in `read_facilities`.
    limits
        How much of the file is read.

    Returns
    -------
    works
        Indexed by `row` of the file: `site` (an id or a name), `due` (the quarter in which it is to open; of a year its last),
        `approved`, `started`, `completed`, `opened` (the quarter of each milestone that is reached; missing where it is not),
        `cost` (10⁴ yuan spent or contracted), `stopped` (given up). ``.attrs["unread"]`` lists cells that are no quarter or
        amount: (row, field, text).

    Raises
    ------
    FrameError
        If there is no such table, or no column names the sites.
    """
    table = read_table(path, "works", Report(), columns=columns, limits=limits)
    if "site" not in table.headers:
        raise FrameError(
            "works", [f"{table.file}: no column names the sites; there are: {', '.join(table.rows.columns)}"]
        )
    rows, unread = table.rows, list[tuple[int, str, str]]()
    found = pd.DataFrame(index=rows.index)
    found["site"] = rows["site"].str.strip()
    for field in ("due", *MILESTONES):
        cells = rows[field] if field in rows else pd.Series("", index=rows.index)
        quarters = []
        for row, cell in cells.items():
            quarter = quarter_of(cell) if cell.strip() else None
            if quarter is None and cell.strip() and not _NOT_YET.fullmatch(cell.strip()):
                unread.append((int(str(row)), field, cell))
            quarters.append(quarter)
        found[field] = pd.PeriodIndex(quarters, freq="Q")
    costs = []
    for row, cell in (rows["cost"] if "cost" in rows else pd.Series("", index=rows.index)).items():
        said_none = not cell.strip() or _NOT_YET.fullmatch(cell.strip()) is not None
        value = None if said_none else words.number(cell, "cost", table.headers["cost"])[0]
        if value is None and not said_none:
            unread.append((int(str(row)), "cost", cell))
        costs.append(value)
    found["cost"] = pd.Series(costs, index=rows.index, dtype="float64")
    said = rows["status"] if "status" in rows else pd.Series("", index=rows.index)
    found["stopped"] = [any(word in cell.lower() for word in _STOPPED) for cell in said]
    found = found[found["site"] != ""]
    found.attrs["unread"] = tuple(unread)
    return found
