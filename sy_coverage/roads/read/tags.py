"""Read what OpenStreetMap tags say: who may pass, which way, how fast, how long a ferry takes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sy_coverage.roads.travel_modes import zones

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sy_coverage.roads.travel_modes import TravelMode

CLOSED = frozenset(
    {
        "no",
        "private",
        "agricultural",
        "forestry",
        "emergency",
        "military",
        "use_sidepath",
        "restricted",
        "delivery",
        "bus",
        "psv",
        "taxi",
        "hgv",
    }
)
"""Values of an access key that keep people out; every other value lets them in."""
OPENED = frozenset({"yes", "designated", "permissive", "official", "destination", "public"})
"""Values that open a road to a mode even if its class is not meant for it."""
NOT_THROUGH = frozenset({"destination", "customers"})
"""Values of an access key that let in who has business there, and nobody who only passes."""
FORWARD = frozenset({"yes", "true", "1"})
BACKWARD = frozenset({"-1", "reverse"})
IMPLIED_ONE_WAY = {"junction": frozenset({"roundabout", "circular"}), "highway": frozenset({"motorway"})}
KPH = {"": 1.0, "km/h": 1.0, "kmh": 1.0, "kph": 1.0, "mph": 1.609344, "knots": 1.852}
SLOWEST_KPH, FASTEST_KPH = 1.0, 160.0
"""A limit outside of these is a slip of the pen."""

CONTRAFLOW = frozenset({"opposite", "opposite_lane", "opposite_track", "opposite_share_busway"})
"""What a cycleway is called that runs against a one-way street."""
ACCESS = ("access", "vehicle", "motor_vehicle", "motorcar", "bicycle", "foot")

WANTED = frozenset(
    {
        *("highway", "service", "route", "area", "junction", "duration", "barrier"),
        *ACCESS,
        *(f"{key}:{way}" for key in ACCESS for way in ("forward", "backward")),
        *(
            "oneway",
            "oneway:vehicle",
            "oneway:motor_vehicle",
            "oneway:motorcar",
            "oneway:bicycle",
            "oneway:foot",
        ),
        *("maxwidth", "maxheight"),
        *("motorroad", "cycleway", "cycleway:left", "cycleway:right", "cycleway:both"),
        *("maxspeed", "maxspeed:forward", "maxspeed:backward"),
    }
)
"""Every tag that can change a minute."""
LEVEL = frozenset({"bridge", "tunnel"})
"""Tags of what does not follow the ground; wanted only when elevations are given."""

_NUMBER = re.compile(r"(\d+(?:\.\d+)?)\s*(km/h|kmh|kph|mph|knots)?", re.ASCII)
_METRES = re.compile(r"(\d{1,3}(?:\.\d+)?)\s*m?", re.ASCII)
_CLOCK = re.compile(r"(?:(?:(\d{1,3}):)?(\d{1,2}):)?(\d{1,4})", re.ASCII)
_PERIOD = re.compile(r"P(?:(\d{1,2})D)?(?:T(?:(\d{1,3})H)?(?:(\d{1,4})M)?(?:(\d{1,5})S)?)?", re.ASCII)


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
    """Return the minutes that a `duration` states: ``25``, ``00:25``, ``01:45:00``, ``PT1H45M``; None if unreadable."""
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
        period = _PERIOD.fullmatch(text)
        if not period:
            return None
        days, hours, mins, seconds = (float(g or 0) for g in period.groups())
        minutes = days * 1440 + hours * 60 + mins + seconds / 60
    return minutes if minutes > 0 else None


def may_pass(tags: Mapping[str, str], mode: TravelMode) -> bool | None:
    """Return what the most particular access key says about `mode`; None if no key says anything."""
    for key in mode.access:
        value = tags.get(key)
        if value is not None:
            return not set(_words(value)) <= CLOSED
    return None


def _words(value: str) -> list[str]:
    return [word.strip().lower() for word in value.split(";")]


def directions(tags: Mapping[str, str], mode: TravelMode) -> tuple[bool, bool]:
    """Return whether `mode` may go along a way, and against it: by one-way keys, and by access keys of one direction."""
    along, against = _one_way(tags, mode)
    return along and not _is_shut(tags, mode, "forward"), against and not _is_shut(tags, mode, "backward")


def _is_shut(tags: Mapping[str, str], mode: TravelMode, way: str) -> bool:
    said = next((tags[f"{key}:{way}"] for key in mode.access if f"{key}:{way}" in tags), None)
    return said is not None and set(_words(said)) <= CLOSED


def _one_way(tags: Mapping[str, str], mode: TravelMode) -> tuple[bool, bool]:
    for key in mode.oneway:
        value = tags.get(key, "").strip().lower()
        if value in FORWARD:
            lanes = (tags.get(k) for k in ("cycleway", "cycleway:left", "cycleway:right", "cycleway:both"))
            return True, "bicycle" in mode.access and any(lane in CONTRAFLOW for lane in lanes)
        if value in BACKWARD:
            return False, True
        if value:
            return True, True
        if key == "oneway" and any(tags.get(k) in values for k, values in IMPLIED_ONE_WAY.items()):
            return True, False
    return True, True


@dataclass(frozen=True)
class Pace:
    """How one mode goes on a way: km/h along it and against it, 0 where it may not."""

    forward_kph: float
    backward_kph: float


def pace(tags: Mapping[str, str], mode: TravelMode) -> Pace:
    """Return how `mode` goes on a road with `tags`."""
    free = mode.kph(tags["highway"], tags.get("service", ""))
    said = may_pass(tags, mode)
    if said is None and tags.get("motorroad") == "yes" and "motor_vehicle" not in mode.access:
        said = False
    if free is None and said and any(tags.get(key) in OPENED for key in mode.access if key != "access"):
        free = mode.opened_kph
    if free is None or said is False or not fits(tags, mode):
        return Pace(0.0, 0.0)
    forward, backward = directions(tags, mode)
    return Pace(
        _kph(tags, mode, free, "maxspeed:forward") if forward else 0.0,
        _kph(tags, mode, free, "maxspeed:backward") if backward else 0.0,
    )


def _kph(tags: Mapping[str, str], mode: TravelMode, free: float, key: str) -> float:
    kph = free
    if mode.uses_maxspeed:
        posted = tags.get(key, tags.get("maxspeed"))
        limit = None if posted is None else maxspeed_kph(posted)
        if limit is not None:
            # nobody drives through a car park as fast as its sign allows
            known = tags["highway"] == "service" and tags.get("service", "") in mode.service_kph
            kph = min(free, limit) if known else limit * mode.maxspeed_factor
    return min(kph, mode.most_kph)


def fits(tags: Mapping[str, str], mode: TravelMode) -> bool:
    """Return whether what `mode` travels with is as narrow and as low as signs ask; a sign that is no number of metres asks nothing."""
    for key, size in (("maxwidth", mode.width_m), ("maxheight", mode.height_m)):
        posted = _METRES.fullmatch(tags.get(key, "").strip())
        if posted and float(posted[1]) < size:
            return False
    return True


def is_not_through(tags: Mapping[str, str], mode: TravelMode) -> bool:
    """Return whether the most particular access key lets `mode` in only where it has business there."""
    said = next((tags[key] for key in mode.access if key in tags), "")
    return not NOT_THROUGH.isdisjoint(_words(said))


def is_barred(tags: Mapping[str, str], mode: TravelMode) -> bool:
    """Return whether a node with `tags` stops `mode`: by a sign if there is one, else by the kind of barrier."""
    said = may_pass(tags, mode)
    if not fits(tags, mode):
        return True
    return tags.get("barrier", "") in mode.barriers if said is None else not said
