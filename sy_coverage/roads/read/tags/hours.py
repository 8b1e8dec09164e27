"""Decide what a tag says that holds only at times: at one stated moment, an ordinary working day."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

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
_DAY = re.compile(r"(mo|tu|we|th|fr|sa|su)(?:\s*-\s*(mo|tu|we|th|fr|sa|su))?")


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

    Understands ``(Mo-Fr 07:00-09:00,16:00-18:00)``, ``22:00-06:00``, ``Sa,Su``, ``24/7``, several of them with ``;`` between. A
    condition on weather, weight, months or who one is is not decided: what holds without it counts.
    """
    text = condition.strip().strip("()").lower()
    parts = [part.strip() for part in text.split(";") if part.strip()]
    answers = [_one(part) for part in parts]
    if any(answers):
        return True
    return None if not answers or None in answers else False


def _one(part: str) -> bool | None:
    day, minute = moment()
    if part == "24/7":
        return True
    for long, short in LONG.items():
        part = part.replace(long, short)
    part = part.replace("ph off", "").strip(" ,")
    spans = [tuple(map(int, found)) for found in _SPAN.findall(part)]
    rest = _SPAN.sub("", part)
    days = [(DAYS.index(a), DAYS.index(b or a)) for a, b in _DAY.findall(rest)]
    if _DAY.sub("", rest).strip(" ,") or not (spans or days):
        return None
    today = not days or any(a <= day <= b if a <= b else day >= a or day <= b for a, b in days)
    return today and (not spans or any(_within(minute, *span) for span in spans))


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
