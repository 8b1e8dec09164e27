"""See in any cell of a row that a facility is not open yet or no longer: in its status, date, beds, remark or name."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from sy_coverage.places.sheets import words

if TYPE_CHECKING:
    import datetime as dt

    from sy_coverage.places.sheets.tables import Table

_CLAUSES = re.compile(r"[,。;、()/|\n]+|(?<=[^\x00-\x7f])\s+|\s+(?=[^\x00-\x7f])")
_BRACKETS = re.compile(r"[（(]([^（）()]+)[）)]")
_KNOWN_TEXTS = 1 << 14


@dataclass(frozen=True)
class Told:
    """What a cell tells of a facility that is not open."""

    status: str
    """``planned`` or ``closed``."""
    is_rebuilt: bool = False
    """Whether it stood before: the day it once opened is not the day it opens."""
    opens_on: dt.date | None = None
    """The day the same cell names for its opening."""


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    """Return what a clause says as a whole, by kind of meaning: after its when and why, before its end."""
    told = words.table()["told"]
    before, after = (rf"(?:{'|'.join(told[name])})*" for name in ("before", "after"))
    return {
        meaning: re.compile(rf"{before}(?:{'|'.join(told[meaning])}){after}", re.IGNORECASE)
        for meaning in ("closed", "planned", "rebuilt")
    }


@lru_cache(maxsize=_KNOWN_TEXTS)
def told_status(cell: str) -> Told | None:
    """Return what a cell tells of a facility that is not open, or None; only a clause of its own says it (not 利用停用校舍)."""
    if not cell or cell.replace(".", "").replace("-", "").isdigit():
        return None
    clauses = [part.strip() for part in _CLAUSES.split(unicodedata.normalize("NFKC", cell)) if part.strip()]
    meant = {
        name for name, pattern in _patterns().items() if any(pattern.fullmatch(part) for part in clauses)
    }
    if "closed" in meant:
        return Told("closed")
    if not meant:
        return None
    days = [day for day in (words.date(part)[0] for part in clauses) if day is not None]
    return Told("planned", "rebuilt" in meant, days[0] if days else None)


def told_in_name(name: str) -> Told | None:
    """Return what the brackets of a name tell: 某某敬老院（停用）."""
    if "（" not in name and "(" not in name:
        return None
    return next((told for told in map(told_status, _BRACKETS.findall(name)) if told), None)


def status_of(cell: str, header: str) -> tuple[Told | None, bool]:
    """Return what a cell of the column of statuses tells (open is a `Told` too), and whether it says so exactly."""
    known = {key: tuple(known) for key, known in words.table()["status"].items()}
    key, is_exact = words.choice(cell, known)
    is_so = words.flag(cell) if "否" in header else None
    if is_so is not None:
        is_open = is_so != bool(re.search("停|关|撤|注销|闲置", header))
        return Told("open" if is_open else "closed"), True
    told = told_status(cell)
    if told is not None:
        return told, True
    if is_exact:
        is_rebuilt = any(word in cell for word in words.table()["told"]["works"])
        return Told(str(key), key == "planned" and is_rebuilt), True
    text = unicodedata.normalize("NFKC", cell)
    for status in ("closed", "planned"):  # 暂不对外开放, 尚未投入使用: the words for open stand in them
        if re.search("|".join(words.table()["told"][f"not_{status}"]), text):
            return Told(status), False
    return (None if key is None else Told(key)), False


def telling_columns(table: Table) -> list[str]:
    """Return the columns of a table, not understood as ours, that say how things stand: remarks, progress, situation."""
    known = {words.plain(word) for word in words.table()["words"]["remarks"]}
    return [
        column
        for column in table.rows.columns
        if column not in table.headers
        and (
            words.bare(str(column)) in known
            or any(word in str(column) for word in words.table()["words"]["situation"])
        )
    ]


def is_doubtful(remark: str) -> bool:
    """Return whether a remark says that something about its row must still be settled."""
    return any(word in remark for word in words.table()["words"]["doubtful"])
