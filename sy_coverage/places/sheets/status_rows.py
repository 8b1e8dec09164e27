"""Decide row by row whether a facility is open, planned or closed, and when it opens, asking about all that is not plain."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pandas as pd

from sy_coverage.places.sheets import cells, words
from sy_coverage.places.sheets.statuses import (
    Told,
    is_doubtful,
    status_of,
    telling_columns,
    told_in_name,
    told_status,
)

if TYPE_CHECKING:
    from pandas import Series

    from sy_coverage.places.sheets.cells import Breaches
    from sy_coverage.places.sheets.tables import Report, Table

_TELLING = ("opens_on", "beds", "nursing_beds", "floor_area_m2", "functions")
"""Fields whose cells may say instead that a facility is being built or has closed."""
_DAY = re.compile(r"(\d{4})\s*[年./-]\s*(\d{1,2})(?:\s*[月./-]\s*\d{1,2})?")


def read_statuses(table: Table, opens_on: Series, breaches: Breaches, report: Report) -> dict[str, Series]:
    """Return the columns `status` and `opens_on` of the rows of a table.

    A status is what its cell says, unless another cell says that the place is being built or has closed. A day of opening that
    cannot be the coming one (of a place that is being rebuilt, or past when the list was made) is asked about and not used.
    """
    told = _of_cells(table, breaches, report)
    status = {row: one.status for row, one in told.items()}
    for row, (cell, header, written) in _told_elsewhere(table, breaches).items():
        if status[row] != "open" or (row, "status") in table.settled:
            # two cells that say the same say more together: when, and whether it stood before
            told[row] = cell if cell.status == status[row] else told[row]
            continue
        status[row], told[row] = cell.status, cell
        breaches.ask(
            table,
            row,
            "status_in_cell",
            field="status",
            written=written,
            subject=f"{header}：{written}",
            value=cell.status,
            taken=cell.status,
        )
    read = pd.Series(status, dtype=object).reindex(table.rows.index)
    if breaches.strict:
        return {"status": read, "opens_on": opens_on}
    return {"status": read, "opens_on": _openings(table, told, opens_on, breaches, report)}


def _of_cells(table: Table, breaches: Breaches, report: Report) -> dict[object, Told]:
    """Return what the column of statuses says of each row; a row that does not say it is open."""
    header = table.headers.get("status", "")
    found: dict[object, Told] = {}
    silent = 0
    for row, cell in cells.column(table, "status").items():
        is_said = not words.is_blank(cell) and not cell.startswith("=")
        meant, is_exact = status_of(cell, header) if is_said else (None, True)
        if meant is not None and not is_exact:
            report.say(table.file, "", "word_guessed", cell, meant.status)
        elif meant is None and cell and not words.is_blank(cell):
            known = ", ".join(words.table()["status"])
            problem = f"column '{header}' (status) must be one of {known}, or a word for one of them"
            kind = "formula_unread" if cell.startswith("=") else "status_unread"
            breaches.row(table, row, kind, problem, field="status", written=cell, subject=header, value=cell)
        silent += meant is None
        found[row] = meant or Told("open")
    if silent:
        report.say(table.file, "", "status_assumed", "open", silent)
    return found


def _told_elsewhere(table: Table, breaches: Breaches) -> dict[object, tuple[Told, str, str]]:
    """Return the rows of which another cell than their status tells that they are not open: what, its header and its words."""
    remarks = telling_columns(table)
    found: dict[object, tuple[Told, str, str]] = {}
    for column in [*(field for field in _TELLING if field in table.headers), *remarks, "name"]:
        if column not in table.rows.columns:
            continue
        header, texts = table.headers.get(column, column), table.rows[column]
        tell = told_in_name if column == "name" else told_status
        for row, text in texts[texts != ""].items():
            meant = tell(text)
            if meant is not None and (row not in found or meant.status < found[row][0].status):
                found[row] = (meant, header, text)  # closed comes before planned
            elif meant is None and column in remarks and is_doubtful(text):
                breaches.ask(
                    table,
                    row,
                    "remark_doubtful",
                    field="name",
                    written=text,
                    subject=text,
                    value=header,
                )
    return found


def _openings(
    table: Table, told: dict[object, Told], opens_on: Series, breaches: Breaches, report: Report
) -> Series:
    """Return when each place opens: a planned one when the cell says that tells of it, or never on a day that is past already."""
    made = _made_on(table, told, opens_on)
    found = opens_on.to_dict()
    dates = cells.column(table, "opens_on").to_dict()
    for row, one in told.items():
        if one.status != "planned" or (row, "opens_on") in table.settled:
            continue
        if one.opens_on is not None:
            found[row] = pd.Timestamp(one.opens_on)
            report.say(table.file, row, "opening_told", "", one.opens_on.isoformat())
            continue
        is_past = pd.notna(found[row]) and pd.notna(made) and found[row] <= made
        if pd.isna(found[row]) or not (one.is_rebuilt or is_past):
            continue
        found[row] = pd.NaT
        written = str(dates[row])
        breaches.ask(
            table,
            row,
            "reopens_when" if one.is_rebuilt else "opening_past",
            field="opens_on",
            written=written,
            subject=table.headers["opens_on"],
            value=written,
        )
    return pd.to_datetime(pd.Series(found).reindex(opens_on.index))


def _made_on(table: Table, told: dict[object, Told], opens_on: Series) -> pd.Timestamp:
    """Return the day a list was surely not made before: the one its title names, or the last opening of a place that is open."""
    for title in table.titles:
        day = _DAY.search(title)
        when = words.date(f"{day.group(1)}-{day.group(2)}")[0] if day else None
        if when is not None:
            return pd.Timestamp(when)
    there = [row for row, one in told.items() if one.status == "open"]
    return opens_on.loc[there].max()
