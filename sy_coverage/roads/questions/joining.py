"""Say how points join a network, and refuse what cannot be asked of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from sy_coverage._frames import GEOGRAPHIC
from sy_coverage.errors import CutoffError, InputError, MissingCRSError
from sy_coverage.roads.graph import describe
from sy_coverage.roads.graph.connected import ARRIVES, LEAVES
from sy_coverage.roads.graph.snap import coordinates
from sy_coverage.roads.travel_modes import elder_walk_m_per_s

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from pandas import DataFrame

    from sy_coverage.roads.graph.snap import Snapped
    from sy_coverage.roads.questions.prepared import Prepared

NO_MAP = "network: was made without a CRS and cannot be put on a map; give crs= to from_edges"
Direction = Literal["to_site", "from_site"]
Side = Literal["leaves", "arrives", "both"]
_SIDES = {"leaves": LEAVES, "arrives": ARRIVES, "both": LEAVES | ARRIVES}


@dataclass(frozen=True)
class Joining:
    """A network asked for one travel mode, and how points are brought to its roads."""

    prepared: Prepared
    mode: str
    max_snap_m: float
    access_m_per_s: float | None
    """How fast the way to the road is walked; None is the elders' speed."""

    @property
    def walk_m_per_s(self) -> float:
        """How fast the way to the road is walked."""
        return elder_walk_m_per_s() if self.access_m_per_s is None else self.access_m_per_s

    def snapped(self, points: GeoDataFrame, what: str, wanted: int) -> Snapped:
        """Return `points`, called `what` in errors, at the nearest roads that have the `wanted` bits."""
        return self.prepared.snapped(
            points,
            what,
            self.mode,
            wanted=wanted,
            max_snap_m=self.max_snap_m,
            access_m_per_s=self.access_m_per_s,
        )


def require_to_site(direction: str) -> bool:
    """Return whether travel goes to the sites; refuse what is no direction."""
    if direction not in {"to_site", "from_site"}:
        raise InputError(f"direction '{direction}': must be to_site or from_site")
    return direction == "to_site"


def require_count(name: str, value: int | None) -> None:
    """Refuse what is neither None nor a whole number above zero."""
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise InputError(f"{name}={value!r}: must be a whole number, 1 or more")


def require_cutoff(cutoff_min: float) -> None:
    """Refuse what is no number of minutes."""
    if not (isinstance(cutoff_min, (int, float, np.integer, np.floating)) and cutoff_min >= 0):
        raise CutoffError(f"cutoff_min={cutoff_min}: must be a number of minutes, 0 or more")


def joined(by: Joining, points: GeoDataFrame, *, side: Side) -> DataFrame:
    """Return where each point joins the roads; see `RoadNetwork.snap`."""
    if side not in _SIDES:
        raise InputError(f"side '{side}': must be {', '.join(_SIDES)}")
    s = by.snapped(points, "points", _SIDES[side])
    return pd.DataFrame(
        {
            "edge": pd.array(np.where(s.link < 0, 0, s.link), dtype="Int64"),
            "fraction": s.fraction,
            "snap_m": s.snap_m,
            "access_min": s.access_min,
        },
        index=points.index,
    ).assign(edge=lambda f: f["edge"].mask(s.link < 0))


def access_legs(by: Joining, points: GeoDataFrame, *, direction: Direction) -> GeoDataFrame:
    """Return the way from each point to the road; see `RoadNetwork.access_legs`."""
    parts = by.prepared.parts
    if parts.crs is None:
        raise MissingCRSError(NO_MAP)
    snapped = by.snapped(points, "points", LEAVES if require_to_site(direction) else ARRIVES)
    _, xy = coordinates(points, parts.crs, "points")
    return describe.access_legs(parts, snapped, xy).to_crs(GEOGRAPHIC)
