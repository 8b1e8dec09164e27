"""Read in what condition a road is, and how much slower it makes those who use it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sy_coverage.roads.read.tags.access import FORWARD
from sy_coverage.roads.read.tags.numbers import metres

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sy_coverage.roads.travel_modes import TravelMode

FLAGS = ("flood_prone", "seasonal", "impassable", "ice_road", "winter_road", "ford")
"""Keys of which every value but a no says that something is the matter with the road."""
CONDITION = frozenset({"surface", "smoothness", "tracktype", "lanes", "width", "sac_scale", *FLAGS})


@dataclass(frozen=True)
class Condition:
    """The share of the class's speed that is left, 0 where nobody gets through, and the keys that took something off."""

    factor: float = 1.0
    causes: tuple[str, ...] = ()


def condition(tags: Mapping[str, str], mode: TravelMode) -> Condition:
    """Return what the condition of a road with `tags` leaves of the speed of `mode`."""
    tables = {
        "surface": mode.surface_factor,
        "smoothness": mode.smoothness_factor,
        "tracktype": mode.tracktype_factor,
    }
    usual = mode.usual_factor.get(tags.get("highway", ""), 1.0)
    said = {
        key: factor for key, table in tables.items() if (factor := _least(tags.get(key), table)) is not None
    }
    # the three speak of one badness: the worst word counts, not their product
    factor = min(said.values()) / usual if said else 1.0
    causes = [key for key in said if said[key] != usual]
    if tags.get("ford") in {"stepping_stones", "boat"} and "vehicle" in mode.access:
        return Condition(0.0, ("ford",))
    for key in FLAGS:
        if key in mode.condition_factor and _says_so(tags, key):
            factor *= mode.condition_factor[key]
            causes.append(key)
    if (
        "narrow" in mode.condition_factor
        and tags.get("highway") not in mode.usual_factor
        and is_narrow(tags, mode)
    ):
        factor *= mode.condition_factor["narrow"]
        causes.append("narrow")
    if "sac_scale" in tags and mode.sac_scale and tags["sac_scale"] not in mode.sac_scale:
        return Condition(0.0, (*causes, "sac_scale"))
    return Condition(factor, tuple(causes))


def _least(value: str | None, table: Mapping[str, float]) -> float | None:
    if value is None:
        return None
    # concrete:lanes is some concrete
    words = [word.strip().lower() for word in value.split(";")]
    known = [table.get(word, table.get(word.partition(":")[0])) for word in words]
    return min((factor for factor in known if factor is not None), default=None)


def _says_so(tags: Mapping[str, str], key: str) -> bool:
    return tags.get(key, "no").strip().lower() not in ("no", "")


def is_narrow(tags: Mapping[str, str], mode: TravelMode) -> bool:
    """Return whether two cannot pass each other on a road of both directions without one of them waiting."""
    if tags.get("oneway", "").strip().lower() in {*FORWARD, "-1"}:
        return False
    width = metres(tags.get("width", ""))
    if width is not None:
        return width < mode.narrow_m
    return tags.get("lanes", "").strip() == "1"
