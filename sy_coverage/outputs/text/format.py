"""Write numbers, dates and text the way a planner reads them; what is not known is an empty string, never 0."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from pandas import Series

    from sy_coverage.labels import Language

NBSP = "\u00a0"
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_BREAKS = re.compile("[\t\r\n\u2028\u2029]+")
_GAP = re.compile("(?<=[。；！？]) +")
_WIDE = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\u201c\u201d"
_OPEN, _SAYS, _SHUT = "\ufdd0", "\ufdd1", "\ufdd2"
"""Code points that are no characters: between them stands the id of a figure, and what is written of it."""
_MARKED = re.compile(f"{_OPEN}([\\w.-]+){_SAYS}([^{_OPEN}-{_SHUT}]*){_SHUT}")
_BESIDE = re.compile(f"(?<=[{_WIDE}]) (?=[0-9{_OPEN}])|(?<=[0-9%{_SHUT}]) (?=[{_WIDE}])")
_FORMULA = tuple("=+-@＝＋－＠\t\r\n")
_MONTHS = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)


def known(value: Any) -> bool:
    """Return whether `value` says something: neither missing nor empty text."""
    return value is not None and not (pd.api.types.is_scalar(value) and pd.isna(value)) and value != ""


def plain(value: Any) -> str:
    """Return `value` as one line of text without control characters; empty where it is missing."""
    if not known(value):
        return ""
    return _CONTROL.sub("\ufffd", _BREAKS.sub(" ", str(value))).strip()


def inert(value: Any) -> str:
    """Return `value` as text that no spreadsheet takes for a formula: a ' before what would start one."""
    if not known(value):
        return ""
    text = str(value)
    dangerous = text.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA)
    return ("'" if dangerous else "") + plain(text)


def close_up(text: str) -> str:
    """Return Chinese text as an official document sets it: no blank between characters and figures, nor before ``%``."""
    return _BESIDE.sub("", text).replace(f"{NBSP}%", "%")


def marked(fact_id: str, text: str) -> str:
    """Return `text` as the figure called `fact_id`, until `pieces` takes it apart; what is not known has no mark."""
    return f"{_OPEN}{fact_id}{_SAYS}{text}{_SHUT}" if text else ""


def pieces(text: str) -> tuple[tuple[str, str], ...]:
    """Return what stands in `text` in order: the id of a figure (empty: none) and the words."""
    found, end = [], 0
    for match in _MARKED.finditer(text):
        found += [("", text[end : match.start()]), (match[1], match[2])]
        end = match.end()
    found.append(("", text[end:]))
    bare = str.maketrans("", "", _OPEN + _SAYS + _SHUT)
    return tuple((fact_id, words.translate(bare)) for fact_id, words in found if words)


def sentences(value: Any) -> str:
    """Return sentences that were joined with blanks as running text: no blank after a Chinese full stop."""
    return _GAP.sub("", plain(value))


def number(value: Any, digits: int = 0) -> str:
    """Return ``1,361,739`` with `digits` decimals."""
    return f"{float(value):,.{digits}f}" if known(value) else ""


def share_digits(value: Any, *, goal: float | None = None) -> int:
    """Return with how many decimals a share is written as per cent: one, but as many as it takes for what is short of `goal` not to read as it."""
    if goal is None or not known(value) or float(value) >= goal:
        return 1
    # six decimals of a per cent tell one person of a hundred million
    return next((d for d in range(1, 6) if round(float(value) * 100, d) < round(goal * 100, d)), 6)


def share(value: Any, *, goal: float | None = None) -> str:
    """Return a share in 0..1 as ``65.0 %``; short of everything never reads 100.0 %, above nothing never 0.0 %.

    Nor does a share that is short of `goal` read as the goal: 0.79996 of 0.8 is ``79.996 %``.
    """
    if not known(value):
        return ""
    digits = share_digits(value, goal=None if goal == 1 else goal)
    percent = float(value) * 100
    shown = round(percent, digits)
    if 0 < percent < 100:
        shown = min(max(shown, 0.1), 99.9)
    return f"{shown:.{digits}f}{NBSP}%"


def minutes(value: Any) -> str:
    """Return minutes with one decimal."""
    return number(value, 1)


def change(value: Any) -> str:
    """Return a difference with its sign: ``+120``, ``−35.5``, ``0``."""
    if not known(value):
        return ""
    digits = 0 if float(value).is_integer() else 1
    sign = "+" if float(value) > 0 else "−" if float(value) < 0 else ""
    return sign + number(abs(float(value)), digits)


MOST_DECIMALS = 4
"""Of a cost: 10⁴ yuan to the single yuan."""


def money(values: Iterable[Any]) -> list[str]:
    """Return costs with as many decimals, all of them alike, as the one that has most (up to 4), so that they add up as written."""
    every = [float(v) if known(v) else None for v in values]
    near = [v for v in every if v is not None]
    digits = next(
        (
            d
            for d in range(MOST_DECIMALS)
            if all(abs(v - round(v, d)) < 1e-9 * max(1.0, abs(v)) for v in near)
        ),
        MOST_DECIMALS,
    )
    return [number(v, digits) for v in every]


def total(values: Series) -> float | None:
    """Return the sum, or None where one of the numbers is not known: what lacks a part is no sum."""
    return None if values.isna().any() else float(values.sum())


def date(value: Any, language: Language) -> str:
    """Return ``2027年12月31日`` or ``31 December 2027``."""
    if not known(value):
        return ""
    day: dt.date = pd.Timestamp(value).date()
    if language == "zh":
        return f"{day.year}年{day.month}月{day.day}日"
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
