"""Turn the text cells of a table into the typed columns of a frame, gathering every breach with its row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from sy_coverage.errors import FrameError, some
from sy_coverage.places.sheets import words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pandas import Series

    from sy_coverage.places.sheets.tables import Report, Table

_SHOWN = 50
"""How many rows a message lists for one problem of one column."""


class Breaches:
    """Gather what is wrong with a table, problem by problem, and raise it all at once."""

    def __init__(self) -> None:
        """Begin with nothing wrong."""
        self._found: dict[str, list[str]] = {}

    def add(self, problem: str, where: str) -> None:
        """Note that `problem` is found at `where`."""
        self._found.setdefault(problem, []).append(where)

    def stop(self, what: str) -> None:
        """Raise FrameError for the frame called `what` if anything was noted."""
        if self._found:
            raise FrameError(what, [f"{p}: {some(rows, most=_SHOWN)}" for p, rows in self._found.items()])


def column(table: Table, field: str) -> Series:
    """Return a field's text cells, empty where the table has no such column."""
    if field in table.headers:
        return table.rows[field]
    return pd.Series("", index=table.rows.index, dtype="str")


def _called(table: Table, field: str) -> str:
    header = table.headers.get(field, field)
    return f"column '{header}'" + (f" ({field})" if header != field else "")


def text(table: Table, field: str) -> Series:
    """Return a field as text, missing only where its cell is empty."""
    cells = column(table, field).map(words.tidy)
    return cells.astype(object).where(cells != "", None)


def _each(
    table: Table, field: str, parse: Callable[[str], tuple[Any, str | None]], breaches: Breaches
) -> Series:
    values: list[Any] = []
    for row, cell in column(table, field).items():
        if words.is_blank(cell):
            values.append(None)
            continue
        value, problem = parse(cell)
        if problem is not None:
            breaches.add(f"{_called(table, field)} {problem}", f"{table.where(row)} '{cell}'")
        values.append(value)
    return pd.Series(values, index=table.rows.index, dtype=object)


def numbers(table: Table, field: str, breaches: Breaches, report: Report) -> Series:
    """Return a field as finite numbers of 0 or more, units such as 张 or 万元 taken into account; guesses are reported."""
    header = table.headers.get(field, "")

    def parse(cell: str) -> tuple[float | None, str | None]:
        value, problem = words.number(cell, field, header)
        if problem is None and value is not None and value < 0:
            return None, "must be 0 or more"
        if problem is None and cell in words.table()["words"]["none"]:
            report.say(table.file, "", "number_guessed", cell, f"{value:g}")
        return value, problem

    return _each(table, field, parse, breaches).astype("float64")


def flags(table: Table, field: str, breaches: Breaches) -> Series:
    """Return a field as True, False or missing, from words such as 是 and 无."""

    def parse(cell: str) -> tuple[bool | None, str | None]:
        value = words.flag(cell)
        return value, "must be 是 or 否 (yes or no)" if value is None else None

    # a plain 无 or — is an answer here, not a blank
    cells = column(table, field)
    values: list[bool | None] = []
    for row, cell in cells.items():
        if words.flag(cell) is None and words.is_blank(cell):
            values.append(None)
            continue
        value, problem = parse(cell)
        if problem:
            breaches.add(f"{_called(table, field)} {problem}", f"{table.where(row)} '{cell}'")
        values.append(value)
    return pd.Series(values, index=table.rows.index, dtype=object)


def dates(table: Table, field: str, breaches: Breaches, report: Report) -> Series:
    """Return a field as dates; a month or year without a day is its last day, and reported."""

    def parse(cell: str) -> tuple[Any, str | None]:
        value, to_the_day = words.date(cell)
        if value is None:
            return None, "must be a date such as 2027-12-31 or 2027年12月"
        if not to_the_day:
            report.say(table.file, "", "date_completed", cell, value.isoformat())
        return pd.Timestamp(value), None

    return pd.to_datetime(_each(table, field, parse, breaches))


def choices(
    table: Table, field: str, allowed: Mapping[str, tuple[str, ...]], breaches: Breaches, report: Report
) -> Series:
    """Return a field as keys of `allowed`; a word that only contains a known one is taken, and reported."""

    def parse(cell: str) -> tuple[str | None, str | None]:
        key, is_exact = words.choice(cell, allowed)
        if key is None:
            return None, f"must be one of {', '.join(allowed)}, or a word for one of them"
        if not is_exact:
            report.say(table.file, "", "word_guessed", cell, key)
        return key, None

    return _each(table, field, parse, breaches)


def ids(table: Table, breaches: Breaches, report: Report) -> Series:
    """Return the id of every row as text; a table without an id column gets ``<file stem>-<row>``."""
    if "id" not in table.headers:
        report.say(table.file, "", "ids_made", "", f"{table.stem}-<row>")
        return pd.Series(
            [f"{table.stem}-{row}" for row in table.rows.index], index=table.rows.index, dtype=object
        )
    cells = column(table, "id").map(words.code)
    for row in cells.index[cells == ""]:
        breaches.add(f"{_called(table, 'id')} is empty", table.where(row))
    return cells.astype(object)


def unique_ids(frame: Any, where: Series, breaches: Breaches) -> None:
    """Note every id of `frame`'s index that stands in more than one row."""
    repeated = sorted({value for value in frame.index[frame.index.duplicated()] if value})
    if repeated:
        rows = [f"{value} ({some(where[frame.index == value])})" for value in repeated]
        breaches.add("ids stand more than once", some(rows))


def required_text(table: Table, field: str, breaches: Breaches) -> Series:
    """Return a field as text; rows without one are breaches."""
    values = text(table, field)
    if field not in table.headers:
        near = ", ".join(map(str, table.rows.columns))
        breaches.add(f"column '{field}' is missing", f"{table.file} (there are: {near})")
    else:
        for row in values.index[values.isna()]:
            breaches.add(f"{_called(table, field)} is empty", table.where(row))
    return values


def code_of(named: Series, shape: Any, digits: int) -> Series:
    """Return the codes among names, missing where a row gives a name."""
    codes = named.map(lambda text: shape(text) if isinstance(text, str) else None).astype(object)
    is_code = codes.map(lambda code: isinstance(code, str) and code.isdigit() and len(code) == digits)
    return codes.astype(object).where(is_code.astype(bool), None)
