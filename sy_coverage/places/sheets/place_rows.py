"""Type the rows of a list of facilities or candidate sites: kinds, statuses, numbers, with a doubt for every guess."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

import pandas as pd

from sy_coverage._frames import FACILITIES, Contract
from sy_coverage.places.sheets import cells, words
from sy_coverage.places.sheets.kinds import UNKNOWN, is_no_facility, says_ownership
from sy_coverage.places.sheets.status_rows import read_statuses
from sy_coverage.places.sheets.statuses import told_status

if TYPE_CHECKING:
    from pandas import DataFrame, Series

    from sy_coverage.places.sheets.cells import Breaches
    from sy_coverage.places.sheets.kinds import KindWords
    from sy_coverage.places.sheets.tables import Report, Table

_TEXTS = ("address", "functions", "village")
_NUMBERS = ("beds", "nursing_beds", "floor_area_m2")
_CANDIDATE_TEXTS = ("host_id", "upgrade_of", "group_id", "fund_source", "responsible")
_FLAGS = ("has_medical", "dementia_ward")
_ASKED_ABOUT = ("beds", "nursing_beds", "opens_on", "status", "kind", "cost", "floor_area_m2", "lon", "lat")
"""Fields that decide something: a column that looks like one of them and is not used is asked about."""


def typed_rows(
    table: Table, contract: Contract, kinds: KindWords, breaches: Breaches, report: Report, *, kind: str = ""
) -> DataFrame:
    """Return the columns of the contract for one table, with the row they came from in `source`.

    Parameters
    ----------
    contract
        `FACILITIES` or `LISTED_CANDIDATES`.
    kind
        What every row is that does not say so itself: what the study says of the file.
    """
    columns: dict[str, Any] = {contract.index: cells.ids(table, breaches, report)}
    columns["name"] = _names(table, breaches)
    columns["kind"] = _kinds(table, contract, kinds, breaches, report, kind)
    columns |= {field: cells.text(table, field) for field in _TEXTS}
    columns |= {
        field: cells.numbers(table, field, breaches, report, told=_tells_status) for field in _NUMBERS
    }
    columns |= {field: cells.flags(table, field, breaches) for field in _FLAGS}
    columns["premises"] = _premises(table, breaches, report)
    if contract is FACILITIES:
        columns["opens_on"] = cells.dates(table, "opens_on", breaches, report, told=_tells_status)
        columns |= read_statuses(table, columns["opens_on"], breaches, report)
        if "demonstration" in table.headers:
            columns["demonstration"] = cells.flags(table, "demonstration", breaches)
    else:
        columns["cost"] = _costs(table, breaches, report)
        columns["premises"] = columns["premises"].where(columns["premises"].notna(), "unknown")
        required = cells.flags(table, "required", breaches)
        columns["required"] = required.where(required.notna(), False).astype(bool)
        columns["running_cost"] = cells.numbers(table, "running_cost", breaches, report)
        columns |= {field: cells.text(table, field) for field in _CANDIDATE_TEXTS}
        columns["origin"] = "listed"
    columns["unit_named"] = cells.text(table, "unit")
    columns["county_named"] = cells.text(table, "county")
    frame = pd.DataFrame(columns, index=table.rows.index)
    extras = [c for c in table.rows.columns if c not in table.headers and c not in frame.columns]
    frame[extras] = table.rows[extras]
    frame["source"] = [table.where(row) for row in table.rows.index]
    cells.ask_about_formulas(table, breaches)
    ask_about_looks(table, breaches)
    ask_about_columns(table, "place", _ASKED_ABOUT, breaches, also=frozenset(columns))
    return frame


def _names(table: Table, breaches: Breaches) -> Series:
    """Return the name of every row; one without is called by its unit and kind, as a doubt."""
    names = cells.required_text(table, "name", breaches)
    missing, waiting = names.index[names.isna()], table.formula_rows("name")
    for row in missing if not breaches.strict else ():
        parts = [str(cells.column(table, field)[row]) for field in ("unit", "village", "kind")]
        names[row] = words.tidy("".join(parts)) or f"（{table.where(row)}）"
        if row in waiting:
            continue
        breaches.ask(table, row, "name_missing", field="name", taken=str(names[row]), subject=str(names[row]))
    return names


def _kinds(
    table: Table, contract: Contract, kinds: KindWords, breaches: Breaches, report: Report, given: str
) -> Series:
    """Return the kind of every row: from its cell, else from what is said of the file, else from its name, as a doubt."""
    read: dict[object, str | None] = {}
    open_rows: list[tuple[object, str, str]] = []
    for row, cell, name in zip(
        table.rows.index, cells.column(table, "kind"), cells.column(table, "name"), strict=True
    ):
        meant, is_exact = (None, True) if words.is_blank(cell) else kinds.of_cell(cell)
        if meant is not None and not is_exact:
            report.say(table.file, "", "word_guessed", cell, meant)
        read[row] = meant or given or None
        if read[row] is None:
            open_rows.append((row, cell, name))
    usual = pd.Series([kind for kind in read.values() if kind], dtype=object).mode()
    assumed = str(usual.iloc[0]) if len(usual) else kinds.default
    for row, cell, name in open_rows:
        guess = kinds.of_name(name)
        if guess is None or (breaches.strict and not _says_no_kind(cell)):
            read[row] = UNKNOWN if contract is FACILITIES else assumed
            _ask_for_kind(table, row, cell, str(read[row]), kinds, breaches)
        else:
            read[row] = guess
            _ask_about_name(table, row, cell, guess, kinds, breaches, report)
    return pd.Series(read, dtype=object).reindex(table.rows.index)


def _says_no_kind(cell: str) -> bool:
    return words.is_blank(cell) or says_ownership(cell)


def _ask_for_kind(
    table: Table, row: object, cell: str, taken: str, kinds: KindWords, breaches: Breaches
) -> None:
    """Ask what a row is of which neither cell nor name tells it."""
    name = str(cells.column(table, "name")[row])
    problem = f"no kind is given and the name tells none (kinds: {', '.join(kinds.of_cells)})"
    if not _says_no_kind(cell):
        known = ", ".join(kinds.of_cells)
        problem = f"column '{table.headers['kind']}' (kind) must be one of {known}, or a word for one of them"
    asked = "kind_assumed"
    if taken == UNKNOWN:
        asked = "not_a_facility" if is_no_facility(name) else "kind_unknown"
    breaches.row(
        table,
        row,
        asked,
        problem,
        field="kind",
        written=cell or name,
        subject=cell or "—",
        value=taken,
        taken=taken,
    )


def _ask_about_name(
    table: Table, row: object, cell: str, guess: str, kinds: KindWords, breaches: Breaches, report: Report
) -> None:
    """Ask whether a row is what its name tells, unless it stands in a list of such facilities only, as its title says."""
    name = str(cells.column(table, "name")[row])
    report.say(table.file, row, "kind_from_name", name, guess)
    if "kind" in table.headers or all(kinds.of_name(title) != guess for title in table.titles):
        breaches.ask(
            table, row, "kind_from_name", field="kind", written=cell, subject=name, value=guess, taken=guess
        )


@cache
def _known(section: str) -> dict[str, tuple[str, ...]]:
    return {key: tuple(known) for key, known in words.table()[section].items()}


def _premises(table: Table, breaches: Breaches, report: Report) -> Series:
    """Return what kind of premises each row is; what is none of ours (the owner, a source) says nothing."""
    if breaches.strict:
        return cells.choices(table, "premises", _known("premises"), breaches, report)
    read = []
    for cell in cells.column(table, "premises"):
        meant, is_exact = (None, True) if words.is_blank(cell) else words.choice(cell, _known("premises"))
        if meant is not None and not is_exact:
            report.say(table.file, "", "word_guessed", cell, meant)
        elif meant is None and cell and not words.is_blank(cell):
            report.say(table.file, "", "word_unread", cell, table.headers["premises"])
        read.append(meant)
    return pd.Series(read, index=table.rows.index, dtype=object)


def _tells_status(cell: str) -> bool:
    return told_status(cell) is not None


def _costs(table: Table, breaches: Breaches, report: Report) -> Series:
    """Return what each candidate costs; one that nobody has priced is a doubt."""
    if "cost" not in table.headers:
        if breaches.strict:
            breaches.add("column 'cost' is missing", f"{table.file} ({cells.missing_column(table, 'cost')})")
        else:
            breaches.ask(table, "", "cost_column_missing", field="cost", value=str(len(table.rows)))
        return pd.Series(float("nan"), index=table.rows.index)
    cost = cells.numbers(table, "cost", breaches, report)
    header = table.headers["cost"]
    written = cells.column(table, "cost")
    unpriced = cost.index[cost.isna() & written.map(words.is_blank).astype(bool)]
    for row in unpriced.difference(list(table.formula_rows("cost")), sort=False):
        breaches.row(
            table,
            row,
            "cost_unknown",
            f"column '{header}' (cost) is empty",
            field="cost",
            written=written[row],
            subject=written[row] or "—",
        )
    return cost


def ask_about_looks(table: Table, breaches: Breaches) -> None:
    """Ask about rows that are hidden or struck through: they are read like any other."""
    at = {row: n for n, row in enumerate(table.rows.index)}
    for row, mark in sorted(table.marks, key=lambda one: (at.get(one[0], -1), one[1])):
        if row in at and not breaches.strict:
            breaches.ask(table, row, f"row_{mark}", field="row", written=mark)


def ask_about_columns(
    table: Table,
    what: str,
    fields: tuple[str, ...],
    breaches: Breaches,
    *,
    also: frozenset[str] = frozenset(),
) -> None:
    """Ask about columns that look like one that decides something, and are not used."""
    if breaches.strict:
        return
    open_fields = [field for field in fields if field not in table.headers]
    if {"lonlat", "x"} & set(table.headers):
        open_fields = [field for field in open_fields if field not in ("lon", "lat")]
    for header in table.rows.columns:
        if header in table.headers or header in also:
            continue
        if (
            re.sub(r"\.\d+$", "", str(header)) == table.headers.get("name")
            and (table.rows[header] != "").any()
        ):
            filled = str(int((table.rows[header] != "").sum()))
            subject = table.headers["name"]
            breaches.ask(
                table, "", "table_beside", field="row", written=str(header), subject=subject, value=filled
            )
            continue
        field = next((f for f in open_fields if _looks_like(str(header), what, f)), None)
        if field is not None:
            breaches.ask(
                table, "", "column_unused", field=field, written=str(header), subject=str(header), value=field
            )


@cache
def _looks_like(header: str, what: str, field: str) -> bool:
    """Return whether a header holds a word for a field, without being one."""
    key = words.plain(header)
    known = [words.plain(word) for word in words.table()["headers"][what].get(field, ())]
    return any(len(word) > 1 and not word.isascii() and word in key for word in known)
