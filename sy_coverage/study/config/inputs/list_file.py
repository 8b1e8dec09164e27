"""Look up what one entry of `files` in a study file may say, beside its path."""

from __future__ import annotations

from sy_coverage.study.config.section import CoordinateSystem, Section


class ListFile(Section):
    """`files = [{ path = "台账.xlsx", sheet = "养老机构" }, "服务中心.csv"]`: one file of a list and what is special about it."""

    path: str
    """A table, vector file, document or table of a PostGIS database."""
    sheet: str | None = None
    """One sheet, layer or table of it; without, every sheet that holds a table."""
    columns: dict[str, str] = {}
    """Which column of this file holds which of ours, besides what the list says."""
    kind: str = ""
    """What its rows are that do not say so themselves: the id of a kind, or a word for one."""
    coordinate_system: CoordinateSystem | None = None
    """What its coordinates are in."""
    encoding: str | None = None
    """What its text is in, where that is not found out."""


def path_of(entry: str | ListFile) -> str:
    """Return the path of an entry of `files`, with the sheet after ``#`` where it names one."""
    if isinstance(entry, str):
        return entry
    return f"{entry.path}#{entry.sheet}" if entry.sheet else entry.path
