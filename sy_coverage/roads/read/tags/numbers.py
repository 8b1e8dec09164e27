"""Read the numbers in tags: limits, durations, metres."""

from __future__ import annotations

import re

from sy_coverage.roads.travel_modes import zones

KPH = {"": 1.0, "km/h": 1.0, "kmh": 1.0, "kph": 1.0, "mph": 1.609344, "knots": 1.852}
SLOWEST_KPH, FASTEST_KPH = 1.0, 160.0
"""A limit outside of these is a slip of the pen."""

_NUMBER = re.compile(r"(\d+(?:\.\d+)?)\s*(km/h|kmh|kph|mph|knots)?", re.ASCII)
_METRES = re.compile(r"(\d{1,3}(?:[.,]\d+)?)\s*(m|cm)?", re.ASCII)
_FEET = re.compile(r"""(\d{1,2})\s*'\s*(?:(\d{1,2}(?:\.\d+)?)\s*(?:"|''))?""", re.ASCII)
UNITS_M = {"": 1.0, "m": 1.0, "cm": 0.01}
INCH_M = 0.0254
_CLOCK = re.compile(r"(?:(?:(\d{1,3}):)?(\d{1,2}):)?(\d{1,4})", re.ASCII)
_PERIOD = re.compile(
    r"P(?:(?P<d>\d{1,2})D)?(?:T(?:(?P<h>\d{1,3})H)?(?:(?P<m>\d{1,4})M)?(?:(?P<s>\d{1,5})S)?)?", re.ASCII
)
_SPOKEN = re.compile(
    r"(?P<d>)(?P<s>)(?:(?P<h>\d{1,2}(?:\.\d+)?)\s*H(?:OURS?|RS?)?\s*)?(?:(?P<m>\d{1,4})\s*(?:M(?:INS?|INUTES?)?)?)?",
    re.ASCII,
)
"""As people write it: 1h 45 min."""


def maxspeed_kph(value: str) -> float | None:
    """Return the limit that a `maxspeed` value states, the lowest if it states several; None if it states none.

    Understands ``50``, ``50 km/h``, ``30 mph``, ``30;50``, ``CN:urban``, ``DE:zone30``, ``walk``. ``none``, ``signals``,
    ``variable``, ``999`` and anything else state no limit that could be used.
    """
    limits = [_one_limit(part) for part in re.split(r"[;|,]", value)]
    usable = [limit for limit in limits if limit is not None]
    return min(usable) if usable else None


def _one_limit(part: str) -> float | None:
    text = part.strip()
    number = _NUMBER.fullmatch(text.lower())
    if number:
        limit = float(number[1]) * KPH[number[2] or ""]
    else:
        country, _, zone = text.rpartition(":")
        zone = zone.strip().lower()
        named = zones().get(f"{country.split(':')[0]}:{zone}", zones().get(zone))
        inner = re.fullmatch(r"(?:zone)?:?(\d{1,3})", zone, re.ASCII)
        if named is not None:
            limit = named
        elif inner and country:
            limit = float(inner[1])
        else:
            return None
    return limit if SLOWEST_KPH <= limit <= FASTEST_KPH else None


def duration_min(value: str) -> float | None:
    """Return the minutes that a `duration` states: ``25``, ``00:25``, ``01:45:00``, ``PT1H45M``, ``1h 45 min``; None if unreadable."""
    text = value.strip().upper()
    clock = _CLOCK.fullmatch(text)
    if clock:
        first, second, last = clock.groups()
        if second is None:
            minutes = float(last)
        elif first is None:
            minutes = float(second) * 60 + float(last)
        else:
            minutes = float(first) * 60 + float(second) + float(last) / 60
    else:
        period = _PERIOD.fullmatch(text) or _SPOKEN.fullmatch(text)
        if not period:
            return None
        days, hours, mins, seconds = (float(g or 0) for g in period.group("d", "h", "m", "s"))
        minutes = days * 1440 + hours * 60 + mins + seconds / 60
    return minutes if minutes > 0 else None


def metres(value: str) -> float | None:
    """Return the metres of a `width` or `maxheight` such as ``3``, ``3.5 m``, ``2,5``, ``250 cm`` or ``8'2"``; None if it is no length."""
    text = value.strip().lower()
    feet = _FEET.fullmatch(text)
    if feet:
        return (int(feet[1]) * 12 + float(feet[2] or 0)) * INCH_M
    found = _METRES.fullmatch(text)
    return float(found[1].replace(",", ".")) * UNITS_M[found[2] or ""] if found else None
