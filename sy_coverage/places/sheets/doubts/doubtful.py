"""Gather what a reader could only guess or not use, a doubt each, in the office's own words, for somebody to answer."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import pandas as pd

from sy_coverage._frames import DOUBTS
from sy_coverage.places.sheets.words import plain

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """One thing that somebody should settle; its columns are those of the contract `DOUBTS`."""

    kind: str
    """The id of its sentence: label ``places.doubt_<kind>``, with {name}, {subject} and {value}."""
    list: str
    row_id: str = ""
    """The row it is about; empty where it is about a column or file."""
    name: str = ""
    file: str = ""
    sheet: str = ""
    row: str = ""
    """As a person sees it beside the sheet."""
    field: str = ""
    """Which of our columns an answer changes."""
    written: str = ""
    """What stands in the cell."""
    subject: str = ""
    value: str = ""
    taken: str = ""
    """What the program goes on with meanwhile."""
    suggestion: str = ""
    """What to answer if nothing speaks against it; taken only when it is confirmed."""

    @property
    def source(self) -> str:
        """Return where it stands, as the frames of lists say it in `source`."""
        return f"{self.file}{'#' if self.sheet else ''}{self.sheet} row {self.row}"


def doubts_frame(doubts: Iterable[Doubt]) -> pd.DataFrame:
    """Return doubts as a frame, columns of the contract `DOUBTS`, indexed by `doubt_id`.

    An id is made of what a doubt is about and what was written, never of its row number: it stays when rows are inserted.
    """
    every = list(doubts)
    known = [f.name for f in fields(Doubt)]
    seen: Counter[str] = Counter()
    ids = []
    for doubt in every:
        about = "|".join((doubt.list, doubt.kind, doubt.file, doubt.sheet, doubt.field, plain(doubt.name)))
        key = hashlib.sha256(f"{about}|{plain(doubt.written or doubt.subject)}".encode()).hexdigest()[:10]
        seen[key] += 1
        ids.append(key if seen[key] == 1 else f"{key}-{seen[key]}")
    rows = {name: pd.Series([getattr(d, name) for d in every], dtype=object) for name in known}
    frame = pd.DataFrame(rows, columns=known).set_index(pd.Index(ids, name=DOUBTS.index, dtype=object))
    empty: dict[str, Any] = {"units": "", "elders": float("nan"), "targets": ""}
    return frame.assign(**empty)


_OF_CELLS = frozenset(
    [
        "number_unread",
        "date_unread",
        "flag_unread",
        "choice_unread",
        "status_unread",
        "share_unread",
        "age_unread",
        "system_unread",
        "kind_unknown",
        "kind_assumed",
        "unit_unknown",
        "unit_likely",
        "unit_several",
        "census_unit_unknown",
        "cohort_county_unknown",
    ]
)
"""Doubts about what a cell says: they may be about an answer too."""


def unanswered(doubts: pd.DataFrame, answers: pd.DataFrame | None) -> pd.DataFrame:
    """Return the doubts that no answer settles: neither itself, nor one about the same field of the same row.

    A row that is not to be used (`set_aside`) leaves nothing to ask; an answer that says nothing itself (六+, 某镇) settles nothing.
    """
    if answers is None or answers.empty or doubts.empty:
        return doubts
    of_rows = answers[answers["row_id"].fillna("") != ""]
    fields_answered = set(of_rows[["list", "row_id", "field"]].itertuples(index=False, name=None))
    for column, name in (("unit", "unit"), ("facility_kind", "kind")):
        given = of_rows[of_rows[column].fillna("") != ""]
        fields_answered |= {(one, row, name) for one, row in zip(given["list"], given["row_id"], strict=True)}
    said = {
        (one, row, plain(str(value)))
        for column in ("value", "unit", "facility_kind")
        for one, row, value in zip(
            of_rows["list"], of_rows["row_id"], of_rows[column].fillna(""), strict=True
        )
        if value != ""
    }
    aside = of_rows[of_rows["decision"] == "set_aside"]
    rows_aside = set(aside[["list", "row_id"]].itertuples(index=False, name=None))
    settled = [
        doubt_id in answers.index
        or (one, row) in rows_aside
        or (
            field != ""
            and (one, row, field) in fields_answered
            and not (kind in _OF_CELLS and (one, row, plain(cell)) in said)
        )
        for doubt_id, one, row, field, kind, cell in zip(
            doubts.index,
            *(doubts[c] for c in ("list", "row_id", "field", "kind")),
            doubts["written"].where(doubts["written"] != "", doubts["subject"]),
            strict=True,
        )
    ]
    return doubts[~pd.Series(settled, index=doubts.index)]
