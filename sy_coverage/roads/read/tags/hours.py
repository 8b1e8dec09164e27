"""Decide what a tag says that holds only at times: at one stated moment, an ordinary working day."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from sy_coverage.roads.travel_modes import moment

if TYPE_CHECKING:
    from collections.abc import Mapping

CONDITIONAL = ":conditional"
DAYS = ("mo", "tu", "we", "th", "fr", "sa", "su")
LONG = {
    "monday": "mo", "tuesday": "tu", "wednesday": "we", "thursday": "th", "friday": "fr", "saturday": "sa", "sunday": "su",
}  # fmt: skip
_CLAUSE = re.compile(r"([^@;]+?)\s*@\s*(\([^)]*\)|[^;]+)")
_SPAN = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})", re.ASCII)
_DAY = re.compile(r"\b(mo|tu|we|th|fr|sa|su)(?:\s*-\s*(mo|tu|we|th|fr|sa|su))?\b")
_HOLIDAY = re.compile(r"\bph\b")
_OFF = re.compile(r"\b(?:off|closed)\b")
_NEXT_DAY = re.compile(r"(?<=\d)\s*,\s*(?=(?:mo|tu|we|th|fr|sa|su|ph)\b)")
"""A comma after hours before a day: another rule begins."""


def in_force(tags: Mapping[str, str], key: str) -> str | None:
    """Return what `key` says at the moment that counts: its conditional value where that holds, else its plain one."""
    said = tags.get(f"{key}{CONDITIONAL}")
    if said is not None:
        # of conditions that hold together the last one counts
        for value, condition in reversed(_CLAUSE.findall(said)):
            if holds(condition):
                return str(value).strip()
    return tags.get(key)


def holds_now(tags: Mapping[str, str], key: str) -> bool | None:
    """Return whether a value of a conditional tag is in force; None if none is and one could not be decided."""
    answers = [holds(condition) for _, condition in _CLAUSE.findall(tags[key])] or [None]
    if any(answers):
        return True
    return None if None in answers else False


def holds(condition: str) -> bool | None:
    """Return whether a condition on days and hours holds at the moment that counts; None if it is of another kind.

    Understands ``(Mo-Fr 07:00-09:00,16:00-18:00)``, ``22:00-06:00``, ``Sa,Su``, ``24/7``, ``Tu off``, several of them with ``;``
    between or with a comma before the next day; what is said of a day after a ``;`` replaces what was said of it before. The
    moment is no holiday. A condition on weather, weight, months or who one is is not decided: what holds without it counts.
    """
    text = condition.strip().strip("()").lower().replace("–", "-")
    for long, short in LONG.items():
        text = text.replace(long, short)
    answers: list[bool | None] = []
    for part in text.split(";"):
        said = [_one(rule.strip()) for rule in _NEXT_DAY.split(part) if rule.strip()]
        if any(rule.is_of_today for rule in said):
            answers.clear()
        answers += [rule.holds for rule in said]
    if any(answers):
        return True
    return None if not answers or None in answers else False


class _Said(NamedTuple):
    holds: bool | None
    is_of_today: bool = False
    """The rule names today, so that it replaces what was said of every day."""


def _one(rule: str) -> _Said:
    day, minute = moment()
    if rule == "24/7":
        return _Said(holds=True)
    rest, off = _OFF.subn("", rule)
    spans = [tuple(map(int, found)) for found in _SPAN.findall(rest)]
    rest, holidays = _HOLIDAY.subn("", _SPAN.sub("", rest))
    days = [(DAYS.index(a), DAYS.index(b or a)) for a, b in _DAY.findall(rest)]
    if _DAY.sub("", rest).strip(" ,"):
        return _Said(None)
    if not days and holidays:
        return _Said(holds=False)
    if not (spans or days):
        return _Said(None)
    today = not days or any(a <= day <= b if a <= b else day >= a or day <= b for a, b in days)
    now = today and (not spans or any(_within(minute, *span) for span in spans))
    if off:
        # hours in which it does not hold say nothing of the others
        return _Said(holds=False, is_of_today=now)
    return _Said(now, is_of_today=today and bool(days))


def _within(minute: int, hour_on: int, minute_on: int, hour_off: int, minute_off: int) -> bool:
    on, off = hour_on * 60 + minute_on, hour_off * 60 + minute_off
    return on <= minute < off if on <= off else minute >= on or minute < off


def old_hours(tags: Mapping[str, str]) -> str | None:
    """Return the condition that `hour_on`, `hour_off`, `day_on` and `day_off` of a restriction make; None if there are none."""
    day = "-".join(
        LONG.get(v, v)[:2] for k in ("day_on", "day_off") if (v := tags.get(k, "").strip().lower())
    )
    hours = [tags.get(key, "").strip() for key in ("hour_on", "hour_off")]
    if not any(key in tags for key in ("hour_on", "hour_off", "day_on", "day_off")):
        return None
    return f"{day} {'-'.join(hours) if any(hours) else ''}".strip()
