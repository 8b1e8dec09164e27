"""Hold points that were brought to roads, at the exact place along them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sy_coverage._frames import require_crs
from sy_coverage.errors import CoordinateSystemError, CRSMismatchError, FrameError, GeometryError, some

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from sy_coverage.roads.graph.links import Array

MAX_SNAP_M = 1000.0
"""A point farther than this from every road it may use is unreachable; it is counted, never moved."""
DECIMALS_M = 8
"""Places along a road are kept to 10⁻⁸ m: what reprojecting there and back adds is below that."""


@dataclass(frozen=True, eq=False)
class Snapped:
    """Points brought to links: which link, how far along it (0 at its tail, 1 at its head), and the way there."""

    ids: tuple[str, ...]
    link: Array
    """int64, −1 where the point is farther than the limit from every road."""
    fraction: Array
    snap_m: Array
    access_min: Array

    @property
    def unreachable(self) -> tuple[str, ...]:
        """The ids of the points that lie too far from every road."""
        return tuple(self.ids[i] for i in np.flatnonzero(self.link < 0))


def coordinates(points: GeoDataFrame, crs: str | None, what: str) -> tuple[tuple[str, ...], Array]:
    """Return ids as text and x, y in `crs` of a frame of points called `what`.

    Raises
    ------
    MissingCRSError, FrameError, GeometryError, CoordinateSystemError
        If the frame has no CRS, ids repeat, a row has no point, or a point cannot be projected.
    """
    require_crs(points, what)
    ids = tuple(str(i) for i in points.index)
    if len(set(ids)) != len(ids):
        twice = points.index[points.index.astype(str).duplicated()].unique()
        raise FrameError(what, [f"ids are given more than once: {some(twice)}"])
    geometry = points.geometry
    empty = geometry.isna() | geometry.is_empty
    if empty.any():
        raise GeometryError(
            f"{what}: rows without a point cannot be routed: {some(points.index[empty])}; "
            "locate them or leave them out"
        )
    wrong = geometry.geom_type != "Point"
    if wrong.any():
        raise GeometryError(f"{what}: geometry must be a point in rows {some(points.index[wrong])}")
    if crs is None:
        if points.crs.is_geographic:
            raise CRSMismatchError(
                f"{what}: the network has no declared CRS, so points must be in its metres, not in degrees; "
                "give crs= to from_edges"
            )
        placed = geometry
    else:
        placed = geometry.to_crs(crs)
    xy = np.column_stack([placed.x.to_numpy(), placed.y.to_numpy()]).astype(np.float64)
    lost = ~np.isfinite(xy).all(axis=1)
    if lost.any():
        raise CoordinateSystemError(
            f"{what}: coordinates cannot be projected in rows {some(points.index[lost])}; "
            "are longitude and latitude swapped?"
        )
    return ids, xy


def along(xy: Array, start: Array, link: Array, points: Array) -> tuple[Array, Array]:
    """Return for each point the fraction along its link of the nearest place, and the metres to it.

    Parameters
    ----------
    xy, start
        Vertices of all links.
    link
        One link a point.
    points
        float64 of shape (points, 2).
    """
    first, last = start[link], start[link + 1]
    segments = np.r_[0, np.cumsum(last - first - 1)]
    owner = np.repeat(np.arange(link.size), last - first - 1)
    rows = np.arange(segments[-1]) - segments[owner] + first[owner]
    a, b = xy[rows], xy[rows + 1]
    step = b - a
    squared = (step**2).sum(axis=1)
    length = np.sqrt(squared)
    place = ((points[owner] - a) * step).sum(axis=1) / np.where(squared > 0, squared, 1.0)
    place = np.clip(place, 0.0, 1.0)
    away = np.hypot(*(points[owner] - a - place[:, None] * step).T)
    order = np.lexsort((np.arange(owner.size), np.round(away, DECIMALS_M), owner))
    nearest = order[segments[:-1]]
    # summed link by link, so that a point's place does not depend on the points it came with
    passed = np.where(np.arange(owner.size) < nearest[owner], length, 0.0)
    total = np.add.reduceat(length, segments[:-1]) if link.size else np.zeros(0)
    passed_m = np.add.reduceat(passed, segments[:-1]) if link.size else np.zeros(0)
    metres = np.round(passed_m + place[nearest] * length[nearest], DECIMALS_M)
    # the end of a link is the end, whatever rounding has made of its length
    at_end = metres >= total - 10.0**-DECIMALS_M
    fraction = np.where(at_end, 1.0, metres / np.where(total > 0, total, 1.0))
    fraction = np.where(metres <= 0, 0.0, fraction)
    return fraction, np.round(away[nearest], DECIMALS_M)
