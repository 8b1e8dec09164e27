"""Read a list with one column for each kind of facility, as officials keep it: every filled cell is a facility."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from sy_coverage.places.sheets import words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sy_coverage.places.sheets.tables import Report, Table


def kind_columns(table: Table, kinds: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Return ``{header: kind}`` for columns whose header is exactly the word for a kind, if no column gives names."""
    if "name" in table.headers:
        return {}
    found = {}
    for header in table.rows.columns:
        if header not in table.headers:
            kind, is_exact = words.choice(header, kinds)
            if kind is not None and is_exact:
                found[header] = kind
    return found


def unfolded(table: Table, kinds: Mapping[str, tuple[str, ...]], report: Report) -> Table:
    """Return `table` with one row for each facility its cells name, or as it is if it has a column of names.

    A cell holds a facility's name, or a word for yes or no; a name that a town repeats in each of its villages' rows is
    one facility. Rows are called ``<row>-<kind>``. Rows without any facility are reported, for a town that has none
    still counts as a town.
    """
    columns = kind_columns(table, kinds)
    if not columns:
        return table
    rows: dict[str, dict[str, str]] = {}
    seen: set[tuple[str, ...]] = set()
    for row, cells in zip(table.rows.index, table.rows.to_dict("records"), strict=True):
        named = {header: _name(cells, header, str(cells[header])) for header in columns}
        if not any(named.values()):
            place = "".join(str(cells.get(field, "")) for field in ("county", "unit", "village"))
            report.say(table.file, row, "no_facility", place)
        for header, name in named.items():
            kind = columns[header]
            key = (kind, str(cells.get("county", "")), str(cells.get("unit", "")), words.plain(name))
            if name and key in seen:
                report.say(table.file, row, "same_facility", name)
            elif name:
                seen.add(key)
                rows[f"{row}-{kind}"] = cells | {"name": name, "kind": kind}
    for header, kind in columns.items():
        report.unsay(table.file, "column_kept", header)
        report.say(table.file, "", "column_of_kind", header, kind)
    names = [*(c for c in table.rows.columns if c not in columns and c != "kind"), "name", "kind"]
    frame = pd.DataFrame(
        list(rows.values()), columns=names, index=pd.Index(list(rows), name="row"), dtype="str"
    )
    headers = table.headers | {"name": "name", "kind": "kind"}
    return replace(table, rows=frame, headers=headers)


def _name(cells: Mapping[str, str], header: str, cell: str) -> str:
    """Return the name of the facility a cell speaks of, made from its place where the cell only says yes."""
    said = words.flag(cell)
    if said is False or words.is_blank(cell):
        return ""
    if said is None:
        return words.tidy(cell)
    # the last part of a header such as 镇（街道）综合养老服务中心 names the facility behind its place
    ending = words.bare(header).removeprefix("镇").removeprefix("村")
    place = str(cells.get("village") or "") if "村" in header else ""
    return words.tidy((place or str(cells.get("unit", ""))) + ending)
