"""Bring points to the nearest road that a travel mode may use, at the exact place along it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sy_coverage._frames import require_crs
from sy_coverage.errors import CoordinateSystemError, CRSMismatchError, FrameError, GeometryError, some
from sy_coverage.roads.graph.links import ranges

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from sy_coverage.roads.graph.arcs import Turning
    from sy_coverage.roads.graph.links import Array, Links

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


class Snapper:
    """Links of one travel mode, ready to be asked for the nearest one to many points at once."""

    def __init__(self, links: Links, mode: str) -> None:
        """Index the links that `mode` may use in at least one direction."""
        import shapely  # noqa: PLC0415

        self.links = links
        self.usable = np.flatnonzero(np.isfinite(links.minutes[mode]).any(axis=1))
        self.tree = shapely.STRtree(links.lines(self.usable))

    def snap(
        self, ids: tuple[str, ...], points: Array, *, access_m_per_s: float, max_snap_m: float
    ) -> Snapped:
        """Return the nearest place of every point; of links equally near the first."""
        import shapely  # noqa: PLC0415

        link = np.full(len(ids), -1, np.int64)
        if self.usable.size and len(ids):
            # ties are found at a little more than the nearest distance, then decided by the link's position
            which, near = self.tree.query_nearest(
                shapely.points(points), max_distance=max_snap_m * (1 + 1e-9) + 1e-6, all_matches=True
            )
            best = np.full(len(ids), np.iinfo(np.int64).max)
            np.minimum.at(best, which, self.usable[near])
            link = np.where(best < np.iinfo(np.int64).max, best, -1)
        fraction = np.full(len(ids), np.nan)
        snap_m = np.full(len(ids), np.nan)
        found = np.flatnonzero(link >= 0)
        fraction[found], snap_m[found] = along(self.links.xy, self.links.start, link[found], points[found])
        far = snap_m > max_snap_m
        link[far], fraction[far], snap_m[far] = -1, np.nan, np.nan
        return Snapped(ids, link, fraction, snap_m, snap_m / access_m_per_s / 60)


@dataclass(frozen=True, eq=False)
class Legs:
    """Ways between points and the ends of their links: point i owns rows ``ptr[i]`` to ``ptr[i + 1]``."""

    ptr: Array
    """int64"""
    node: Array
    """int32"""
    minutes: Array
    """float64"""

    def by_node(self, nodes: int) -> Legs:
        """Return the same legs the other way round: node i owns rows, and `node` holds points."""
        point = np.repeat(np.arange(self.ptr.size - 1), np.diff(self.ptr))
        order = np.lexsort((point, self.node))
        ptr = np.zeros(nodes + 1, np.int64)
        np.cumsum(np.bincount(self.node, minlength=nodes), out=ptr[1:])
        return Legs(ptr, point[order].astype(np.int32), self.minutes[order])


def legs(snapped: Snapped, links: Links, mode: str, turns: Turning, *, outgoing: bool) -> Legs:
    """Return the legs from points to nodes (`outgoing`), or from nodes to points, walking to the road included.

    A point at the very end of a link stands on its node, whatever the directions of that link.
    """
    found = np.flatnonzero(snapped.link >= 0)
    link, fraction, access = snapped.link[found], snapped.fraction[found], snapped.access_min[found]
    forward, backward = links.minutes[mode][link].T
    within = (fraction > 0) & (fraction < 1)
    with np.errstate(invalid="ignore"):
        ahead = np.where(within, (1 - fraction if outgoing else fraction) * forward, np.inf) + access
        back = np.where(within, (fraction if outgoing else 1 - fraction) * backward, np.inf) + access
    stands = np.where(fraction == 0, links.tail[link], links.head[link])
    there = np.where(within, np.inf, access)
    if outgoing:
        one, other = turns.arrival[link].T
        parts = [(found, one, ahead), (found, other, back), (found, stands, there)]
    else:
        parts = [(found, links.tail[link], ahead), (found, links.head[link], back), (found, stands, there)]
        parts += _from_copies(found, link, stands, (ahead, back, there), turns)
    point, node, minutes = (np.concatenate([part[i] for part in parts]) for i in range(3))
    kept = np.isfinite(minutes)
    point, node, minutes = point[kept], node[kept], minutes[kept]
    order = np.lexsort((node, point))
    ptr = np.zeros(len(snapped.ids) + 1, np.int64)
    np.cumsum(np.bincount(point, minlength=len(snapped.ids)), out=ptr[1:])
    return Legs(ptr, node[order].astype(np.int32), np.ascontiguousarray(minutes[order]))


def _from_copies(
    found: Array, link: Array, stands: Array, legs_min: tuple[Array, Array, Array], turns: Turning
) -> list[tuple[Array, Array, Array]]:
    """Return the legs that start at copies of split nodes: those from which the point's link may be taken."""
    parts = []
    for way in (0, 1):
        rows = turns.leaves[turns.leaves[:, 2] == way]
        rows = rows[np.argsort(rows[:, 1], kind="stable")]
        parts.append(_matched(found, link, legs_min[way], rows[:, 1], rows[:, 0]))
    first = turns.arrival.max(initial=-1) + 1 - turns.origin.size
    order = np.argsort(turns.origin, kind="stable")
    parts.append(_matched(found, stands, legs_min[2], turns.origin[order], first + order))
    return parts


def _matched(
    point: Array, key: Array, minutes: Array, keys: Array, nodes: Array
) -> tuple[Array, Array, Array]:
    first, last = np.searchsorted(keys, key), np.searchsorted(keys, key, side="right")
    rows, owner = ranges(first, last - first)
    return point[owner], nodes[rows], minutes[owner]


def pairs(origins: Snapped, targets: Snapped, links: Links, mode: str) -> tuple[Array, Array, Array]:
    """Return (origin, target, minutes) of all points on one link that reach each other along it."""
    by_link = np.argsort(targets.link, kind="stable")
    sorted_link = targets.link[by_link]
    first = np.searchsorted(sorted_link, origins.link, side="left")
    last = np.searchsorted(sorted_link, origins.link, side="right")
    last = np.where(origins.link < 0, first, last)
    rows, origin = ranges(first, last - first)
    target = by_link[rows]
    forward, backward = links.minutes[mode][origins.link[origin]].T
    ahead = targets.fraction[target] - origins.fraction[origin]
    with np.errstate(invalid="ignore"):
        travel = np.where(ahead == 0, 0.0, np.where(ahead > 0, ahead * forward, -ahead * backward))
    there = travel + origins.access_min[origin] + targets.access_min[target]
    kept = np.isfinite(there)
    return origin[kept], target[kept], there[kept]
