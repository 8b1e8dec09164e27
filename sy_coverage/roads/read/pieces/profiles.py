"""Bring the ways of an extract down to a few hundred kinds of road, each thought about once, and count what was decided."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sy_coverage.roads.appraisal.ferries import STATED_FERRY
from sy_coverage.roads.read import tags as osm_tags

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sy_coverage._osm import Ways
    from sy_coverage.roads.graph.links import Array
    from sy_coverage.roads.travel_modes import TravelMode

FERRY = "ferry"
LISTED = 5
"""So many ferries are named."""
Speeds = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Profile:
    """One kind of road as it runs: forward and backward speeds in km/h by mode, and what else tells it from others."""

    highway: str
    speeds: Speeds
    ends_only: tuple[bool, ...]
    """By mode: only trips that begin or end there may use it."""
    is_level: bool
    """A bridge, a tunnel or a ferry, which does not follow the ground."""
    is_circle: bool
    """Part of a roundabout."""

    def turned(self) -> Profile:
        """Return the same road the other way round."""
        back = tuple((backward, forward) for forward, backward in self.speeds)
        return Profile(self.highway, back, self.ends_only, self.is_level, self.is_circle)


@dataclass(frozen=True, eq=False)
class Profiles:
    """What the ways of an extract come down to."""

    of_way: Array
    """int64, −1 for a way that no mode may use."""
    each: tuple[Profile, ...]
    kph: Array
    """float64 of shape (profiles, modes, 2)."""
    turned: Array
    """int64: the profile of the same road the other way round."""
    notes: Mapping[str, Any]

    def column(self, name: str) -> Array:
        """Return one property of all profiles as an array."""
        return np.array([getattr(profile, name) for profile in self.each])


def profiles(ways: Ways, modes: tuple[TravelMode, ...], metres: Array) -> Profiles:
    """Return the kinds of road of `ways`.

    Parameters
    ----------
    metres
        From each vertex to the next; float64 of shape (vertices − 1,).
    """
    known: dict[Profile, int] = {}
    notes: Counter[str] = Counter()
    count = np.bincount(ways.kind, minlength=len(ways.kinds))
    of_kind = np.full(len(ways.kinds), -1, np.int64)
    for k, tags in enumerate(ways.kinds):
        if "highway" in tags and count[k]:
            profile = _road(tags, modes)
            used = any(kph for pair in profile.speeds for kph in pair)
            if used:
                of_kind[k] = known.setdefault(profile, len(known))
            for note in _remarks(tags, modes, profile, used=used):
                notes[note] += int(count[k])
    of_way = of_kind[ways.kind] if len(ways.kinds) else np.zeros(0, np.int64)
    ferries = _ferries(ways, modes, metres, notes)
    for way, profile in ferries.items():
        of_way[way] = known.setdefault(profile, len(known))
    for profile in list(known):
        known.setdefault(profile.turned(), len(known))
    each = tuple(known)
    kph = np.array([p.speeds for p in each], np.float64).reshape(len(each), len(modes), 2)
    turned = np.array([known[p.turned()] for p in each], np.int64)
    named = sorted(
        {
            ways.kinds[ways.kind[w]].get("name", f"w{ways.ids[w]}")
            for w, p in ferries.items()
            if p.highway == STATED_FERRY
        }
    )
    more = {"ferries_at_stated_speed_named": "; ".join(named[:LISTED])} if named else {}
    return Profiles(of_way, each, kph, turned, {**notes, **more})


def _road(tags: Mapping[str, str], modes: tuple[TravelMode, ...]) -> Profile:
    # people walk along the edge of a square, and across it for all we know; a car has no way there
    is_area = tags.get("area") == "yes"
    paces = [
        osm_tags.Pace(0.0, 0.0) if is_area and "motor_vehicle" in mode.access else osm_tags.pace(tags, mode)
        for mode in modes
    ]
    return Profile(
        tags["highway"],
        tuple((p.forward_kph, p.backward_kph) for p in paces),
        tuple(osm_tags.is_ends_only(tags, mode) for mode in modes),
        any(tags.get(key, "no") != "no" for key in osm_tags.LEVEL),
        tags.get("junction") in ("roundabout", "circular"),
    )


def _remarks(
    tags: Mapping[str, str], modes: tuple[TravelMode, ...], profile: Profile, *, used: bool
) -> Iterator[str]:
    """Yield what was decided about a road, a word each to count."""
    if osm_tags.is_undone(tags):
        yield "roads_undone_left_closed"
        return
    causes = {cause for mode in modes for cause in osm_tags.condition(tags, mode).causes}
    if "sac_scale" in causes:
        yield "mountain_paths_left_closed"
    yield from (f"roads_slower_{cause}" for cause in sorted(causes - {"sac_scale"}))
    said = [osm_tags.holds_now(tags, key) for key in tags if key.endswith(osm_tags.CONDITIONAL)]
    for answer, word in ((True, "in_force"), (False, "not_in_force"), (None, "undecided_plain_value_taken")):
        if answer in said:
            yield f"roads_with_signs_at_times_{word}"
    if not used:
        return
    if any(profile.ends_only):
        yield "roads_open_to_who_begins_or_ends_there"
    if "maxspeed" in tags:
        is_read = osm_tags.maxspeed_kph(tags["maxspeed"]) is not None
        yield "maxspeed_read" if is_read else "maxspeed_not_understood_class_speed_taken"


def _ferries(
    ways: Ways, modes: tuple[TravelMode, ...], metres: Array, notes: Counter[str]
) -> dict[int, Profile]:
    """Return the profile of each ferry by way; one that does not say how long it takes goes at a stated speed."""
    along = np.r_[0.0, np.cumsum(np.nan_to_num(metres, nan=0.0))]
    lost = np.r_[0, np.cumsum(np.isnan(metres))]
    kinds = {k for k, tags in enumerate(ways.kinds) if tags.get("route") == FERRY and "highway" not in tags}
    found = {}
    for way in np.flatnonzero(np.isin(ways.kind, list(kinds))).tolist() if kinds else []:
        tags = ways.kinds[ways.kind[way]]
        first, last = ways.start[way], ways.start[way + 1] - 1
        length = float(along[last] - along[first])
        if lost[last] > lost[first] or length <= 0:
            notes["ferries_cut_by_the_extract_left_out"] += 1
            continue
        minutes = osm_tags.duration_min(tags.get("duration", ""))
        speeds = []
        for mode in modes:
            kph = mode.ferry_kph if minutes is None else length * 0.06 / minutes
            is_open = osm_tags.may_pass(tags, mode) is not False and not osm_tags.is_undone(tags)
            speeds.append(
                tuple(kph if is_open and way_open else 0.0 for way_open in osm_tags.directions(tags, mode))
            )
        if not any(kph for pair in speeds for kph in pair):
            notes["ferries_left_out"] += minutes is None
            continue
        notes["ferries" if minutes is not None else "ferries_without_duration_at_stated_speed"] += 1
        highway = STATED_FERRY if minutes is None else FERRY
        none = tuple(False for _ in modes)
        found[way] = Profile(highway, tuple(speeds), none, is_level=True, is_circle=False)  # type: ignore[arg-type]  # pairs
    return found
