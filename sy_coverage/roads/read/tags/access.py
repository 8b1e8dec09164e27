"""Read who may pass a road or a barrier, and which way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sy_coverage.roads.read.tags.hours import in_force
from sy_coverage.roads.read.tags.numbers import metres

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sy_coverage.roads.travel_modes import TravelMode

Entry = Literal["open", "ends_only", "closed"]
CLOSED = frozenset({
    "no", "agricultural", "forestry", "agricultural;forestry", "emergency", "military", "use_sidepath", "restricted", "delivery",
    "bus", "psv", "taxi", "hgv", "hov", "goods", "coach", "tourist_bus", "minibus", "tram", "bicycle", "horse", "foot",
    "closed", "impassable",
})  # fmt: skip
"""Values of an access key that keep people out; a value that is in none of these sets lets them in."""
PRIVATE = frozenset(
    {"private", "residents", "resident", "employees", "staff", "members", "students", "tenants", "owner"}
)
"""Values that let in who lives or works there, and whom they expect."""
VISITORS = frozenset({"destination", "customers", "visitors", "guests", "unloading", "loading"})
"""Values that let in who has business there."""
OPENED = frozenset({"yes", "designated", "permissive", "official", "destination", "public", "permit"})
"""Values that open a road to a mode even if its class is not meant for it. A permit is one that is ordinarily granted."""
FORWARD = frozenset({"yes", "true", "1"})
BACKWARD = frozenset({"-1", "reverse"})
IMPLIED_ONE_WAY = {"junction": frozenset({"roundabout", "circular"}), "highway": frozenset({"motorway"})}
CONTRAFLOW = frozenset({"opposite", "opposite_lane", "opposite_track", "opposite_share_busway"})
"""What a cycleway is called that runs against a one-way street."""
STATES = (
    "proposed", "planned", "construction", "razed", "abandoned", "disused", "demolished", "removed", "destroyed", "dismantled",
    "collapsed", "obliterated", "ruined", "under_construction", "closed",
)  # fmt: skip
"""What a road is that is not yet or no longer one: as a key beside its class."""
STATUS = ("status", "operational_status", "lifecycle", "state")
STILL_OPEN = frozenset({"no", "minor", "widening", "completed", "complete", "finished", ""})
"""Values of such a key that leave the road open."""
LANES = ("cycleway", "cycleway:left", "cycleway:right", "cycleway:both")
WIDTHS = ("width", "maxwidth", "maxwidth:physical")
HEIGHTS = ("maxheight", "maxheight:physical")
ACCESS = ("access", "vehicle", "motor_vehicle", "motorcar", "bicycle", "foot")


def is_undone(tags: Mapping[str, str]) -> bool:
    """Return whether a road is planned, being built, out of use or gone, whatever its access tags say."""
    if any(_words(tags[key])[0] not in STILL_OPEN for key in STATES if key in tags):
        return True
    said = {word.replace(" ", "_") for key in STATUS for word in _words(tags.get(key, ""))}
    return not said.isdisjoint({*STATES, "in_construction"})


def entry(tags: Mapping[str, str], mode: TravelMode) -> Entry | None:
    """Return what the most particular access key says about `mode`; None if no key says anything."""
    for key in mode.access:
        value = in_force(tags, key)
        if value is not None:
            return _entry(value)
    return None


def _entry(value: str) -> Entry:
    words = set(_words(value))
    if words - CLOSED - PRIVATE - VISITORS:
        return "open"
    return "closed" if words <= CLOSED else "ends_only"


def may_pass(tags: Mapping[str, str], mode: TravelMode) -> bool | None:
    """Return whether the most particular access key lets `mode` in, at the ends of a trip at least; None if none says."""
    said = entry(tags, mode)
    return None if said is None else said != "closed"


def is_ends_only(tags: Mapping[str, str], mode: TravelMode) -> bool:
    """Return whether the most particular access key lets `mode` in only where its trip begins or ends."""
    return entry(tags, mode) == "ends_only"


def is_private(tags: Mapping[str, str], mode: TravelMode) -> bool:
    """Return whether the most particular access key lets in only who lives or works there."""
    said = next((v for key in mode.access if (v := in_force(tags, key)) is not None), "")
    return set(_words(said)) <= CLOSED | PRIVATE and said != ""


def _words(value: str) -> list[str]:
    return [word.strip().lower() for word in value.split(";")]


def directions(tags: Mapping[str, str], mode: TravelMode) -> tuple[bool, bool]:
    """Return whether `mode` may go along a way, and against it: by one-way keys, and by access keys of one direction."""
    along, against = _one_way(tags, mode)
    return along and not _is_shut(tags, mode, "forward"), against and not _is_shut(tags, mode, "backward")


def _is_shut(tags: Mapping[str, str], mode: TravelMode, way: str) -> bool:
    for key in mode.access:
        said = in_force(tags, f"{key}:{way}")
        if said is not None:
            return set(_words(said)) <= CLOSED | PRIVATE
    return False


def _one_way(tags: Mapping[str, str], mode: TravelMode) -> tuple[bool, bool]:
    for key in mode.oneway:
        value = (in_force(tags, key) or "").strip().lower()
        if value in FORWARD:
            return True, "bicycle" in mode.access and any(tags.get(k) in CONTRAFLOW for k in LANES)
        if value in BACKWARD:
            return False, True
        if value:
            return True, True
        if key == "oneway" and any(tags.get(k) in values for k, values in IMPLIED_ONE_WAY.items()):
            return True, False
    return True, True


def fits(tags: Mapping[str, str], mode: TravelMode) -> bool:
    """Return whether `mode` is as narrow and as low as signs and the road itself ask; what is no number asks nothing."""
    sizes = {**dict.fromkeys(WIDTHS, mode.width_m), **dict.fromkeys(HEIGHTS, mode.height_m)}
    posted = ((metres(tags[key]), size) for key, size in sizes.items() if key in tags)
    return all(room is None or room >= size for room, size in posted)


def is_barred(tags: Mapping[str, str], mode: TravelMode) -> bool:
    """Return whether a node with `tags` stops `mode`: by a lock, by a sign if there is one, else by the kind of barrier."""
    if not fits(tags, mode):
        return True
    particular = [in_force(tags, key) for key in mode.access if key != "access"]
    if tags.get("locked") == "yes" and not any(p is not None and _entry(p) == "open" for p in particular):
        return True
    if tags.get("ford") == "stepping_stones" and "vehicle" in mode.access:
        return True
    for key in mode.access:
        value = in_force(tags, key)
        if value is not None:
            # behind a private gate begins somebody's ground: nobody is sent through it
            return set(_words(value)) <= CLOSED | PRIVATE
    return tags.get("barrier", "") in mode.barriers
