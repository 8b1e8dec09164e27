"""See in any cell of a row that a facility is not open yet or no longer: in its status, date, beds or remark."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from sy_coverage.places.sheets import words

if TYPE_CHECKING:
    from sy_coverage.places.sheets.tables import Table

_SHORT = 10
"""A cell so short says its word and nothing else; longer ones may speak of something else (利用停用校舍)."""


@cache
def _statuses() -> dict[str, tuple[str, ...]]:
    return {key: tuple(known) for key, known in words.table()["status"].items()}


@cache
def told_status(cell: str) -> str | None:
    """Return the status other than open that a cell tells: ``planned``, ``closed``, or None."""
    if not cell or cell.replace(".", "").replace("-", "").isdigit():
        return None
    told = [word for word in words.table()["words"]["telling"] if word in cell]
    if not told:
        return None
    longest = max(told, key=len)
    if len(cell) > _SHORT and longest + "（" not in cell and not _stands_alone(cell, longest):
        return None
    return words.choice(longest, _statuses())[0]


def _stands_alone(cell: str, word: str) -> bool:
    """Return whether a word is a clause of its own in a longer text."""
    marks = "（）()，,。；;、 　"
    return any(
        part.strip() == word or part.strip() in ("已" + word, "现" + word, "目前" + word)
        for part in _parts(cell, marks)
    )


def _parts(cell: str, marks: str) -> list[str]:
    for mark in marks[1:]:
        cell = cell.replace(mark, marks[0])
    return cell.split(marks[0])


def remark_columns(table: Table) -> list[str]:
    """Return the columns of a table, not understood as ours, that hold remarks."""
    known = {words.plain(word) for word in words.table()["words"]["remarks"]}
    return [c for c in table.rows.columns if c not in table.headers and words.bare(str(c)) in known]


def is_doubtful(remark: str) -> bool:
    """Return whether a remark says that something about its row must still be settled."""
    return any(word in remark for word in words.table()["words"]["doubtful"])
