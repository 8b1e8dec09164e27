"""Read how fast one goes on a road: by its class, its signs and its condition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sy_coverage.roads.read.tags.access import (
    ACCESS,
    HEIGHTS,
    LANES,
    OPENED,
    STATES,
    STATUS,
    WIDTHS,
    directions,
    entry,
    fits,
    is_undone,
)
from sy_coverage.roads.read.tags.condition import CONDITION, condition
from sy_coverage.roads.read.tags.hours import CONDITIONAL, in_force
from sy_coverage.roads.read.tags.numbers import maxspeed_kph

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sy_coverage.roads.travel_modes import TravelMode

ONEWAY = tuple(f"oneway{end}" for end in ("", ":vehicle", ":motor_vehicle", ":motorcar", ":bicycle", ":foot"))
LIMITS = ("maxspeed", "maxspeed:forward", "maxspeed:backward", "maxspeed:advisory")
BY_DIRECTION = tuple(f"{key}:{way}" for key in ACCESS for way in ("forward", "backward"))
AT_TIMES = (*ACCESS, *ONEWAY, *LIMITS, *BY_DIRECTION)
WANTED = frozenset(
    {
        *(
            "highway",
            "service",
            "route",
            "area",
            "junction",
            "duration",
            "barrier",
            "locked",
            "name",
            "motorroad",
        ),
        *(*WIDTHS, *HEIGHTS),
        *(*LANES, *STATES, *STATUS, *CONDITION),
        *AT_TIMES,
        *(f"{key}{CONDITIONAL}" for key in AT_TIMES),
    }
)
"""Every tag that can change a minute, and the name a ferry is called by."""
LEVEL = frozenset({"bridge", "tunnel"})
"""Tags of what does not follow the ground; wanted only when elevations are given."""
OPENABLE = frozenset(
    {"footway", "path", "pedestrian", "cycleway", "bridleway", "track", "service", "busway", "bus_guideway", "corridor",
     "platform", "steps", "living_street", "trunk", "trunk_link", "motorway", "motorway_link"}
)  # fmt: skip
"""Classes that a sign can open to a mode they are not meant for; whatever else stands there is no road."""


@dataclass(frozen=True)
class Pace:
    """How one mode goes on a way: km/h along it and against it, 0 where it may not."""

    forward_kph: float
    backward_kph: float


NONE = Pace(0.0, 0.0)


def pace(tags: Mapping[str, str], mode: TravelMode) -> Pace:
    """Return how `mode` goes on a road with `tags`."""
    highway = tags["highway"]
    free = mode.kph(highway, tags.get("service", ""))
    said = entry(tags, mode)
    if said is None and tags.get("motorroad") == "yes" and "motor_vehicle" not in mode.access:
        said = "closed"
    is_signed = any(tags.get(key) in OPENED for key in mode.access if key != "access")
    if free is None and said not in (None, "closed") and is_signed and highway in OPENABLE:
        free = mode.opened_kph
    if free is None or said == "closed" or is_undone(tags) or not fits(tags, mode):
        return NONE
    free *= condition(tags, mode).factor
    if free <= 0:
        return NONE
    # a sign that opens steps to bicycles opens them to people who push theirs
    if in_force(tags, mode.access[0]) == "dismount" or (highway == "steps" and "bicycle" in mode.access):
        free = min(free, mode.dismount_kph)
    forward, backward = directions(tags, mode)
    return Pace(
        _kph(tags, mode, free, "forward") if forward else 0.0,
        _kph(tags, mode, free, "backward") if backward else 0.0,
    )


def _kph(tags: Mapping[str, str], mode: TravelMode, free: float, way: str) -> float:
    kph = min(free, mode.most_kph)
    if mode.uses_maxspeed:
        posted = in_force(tags, f"maxspeed:{way}") or in_force(tags, "maxspeed")
        for value, factor in ((posted, mode.maxspeed_factor), (in_force(tags, "maxspeed:advisory"), 1.0)):
            limit = None if value is None else maxspeed_kph(value)
            if limit is not None:
                kph = min(kph, limit * factor)
    return kph
