"""Draw what can be reached: the parts of roads within each cutoff, cut at the exact minute, as outlines of one width."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sy_coverage._frames import GEOGRAPHIC
from sy_coverage.roads.graph.links import spans
from sy_coverage.roads.kernel import sweep
from sy_coverage.roads.kernel.sweep import usable_cores

if TYPE_CHECKING:
    from geopandas import GeoDataFrame, GeoSeries

    from sy_coverage.roads.graph.legs import Legs
    from sy_coverage.roads.graph.links import Array, Links
    from sy_coverage.roads.graph.snap import Snapped
    from sy_coverage.roads.graph.states import Turning
    from sy_coverage.roads.kernel.runs import Runs

CELLS = 4
"""Cells of the grid a drawn width is wide: a notch between two roads is right to a cell, all else to a hundredth."""
SIMPLER = 1 / 10
"""Outlines are simplified to within this share of the width."""
SMALLEST_HOLE = 1
"""Holes smaller than this share of a square of the width are no water and no mountain."""

SITES_AT_ONCE = 256
"""Sites whose reached nodes are held in memory together."""


@dataclass(frozen=True, eq=False)
class Reach:
    """What one site reaches: minutes at nodes, its own place on a link, and the minutes to walk there."""

    nodes: Array
    minutes: Array
    link: int
    fraction: float
    access_min: float


@dataclass(frozen=True, eq=False)
class Parts:
    """Parts of links within reach, from a fraction to a fraction, and the rank of the cutoff that adds each."""

    link: Array
    span: Array
    rank: Array


class Drawer:
    """The links of one mode in one direction, ready to be drawn as catchments of many sites."""

    def __init__(
        self, links: Links, nodes: int, mode: str, turns: Turning, *, to_site: bool, buffer_m: float
    ) -> None:
        """Index links by node and measure along their lines."""
        self.links, self.buffer_m = links, buffer_m
        forward, backward = links.minutes[mode].T
        # what it takes to cross a link from its tail side and from its head side, seen from the site
        self.from_tail, self.from_head = (backward, forward) if to_site else (forward, backward)
        self.usable = np.isfinite(forward) | np.isfinite(backward)
        self.at_node, self.node_start = _incidence(links, nodes)
        steps = np.r_[0.0, np.hypot(*np.diff(links.xy, axis=0).T)]
        along = np.cumsum(steps)
        self.along = along - np.repeat(along[links.start[:-1]], np.diff(links.start))
        self.total = self.along[links.start[1:] - 1]
        self.minutes_at = np.full(nodes + turns.origin.size, np.inf)
        self.whole_node = np.r_[np.arange(nodes), turns.origin]
        self.first_copy, self.leaves = nodes, np.zeros((0, 4), np.int64) if to_site else turns.leaves
        ends = np.column_stack([links.head, links.tail])
        # to the site a link is crossed into where it arrives, from the site out of the node it leaves
        self.at_tail, self.at_head = (turns.arrival if to_site else ends).T[::-1]

    def catchments(self, reaches: list[Reach], cutoffs: list[float]) -> list[list[Any]]:
        """Return for each site its polygon at each of the ascending `cutoffs`, None where nothing is reached."""
        parts = [self.parts(reach, cutoffs) for reach in reaches]
        with ThreadPoolExecutor(usable_cores()) as pool:
            return list(pool.map(lambda p: self._drawn(p, len(cutoffs)), parts))

    def parts(self, reach: Reach, cutoffs: list[float]) -> Parts:
        """Return the parts of links within each of the ascending `cutoffs`; a link is whole but once."""
        at = self.minutes_at
        at[reach.nodes] = reach.minutes
        rows, _ = spans(self.node_start, np.unique(self.whole_node[reach.nodes]))
        which = np.unique(np.r_[self.at_node[rows], reach.link]).astype(np.int64)
        which = which[self.usable[which]]
        tail_min, head_min = self._ends(which, reach)
        at[reach.nodes] = np.inf
        left = np.ones(which.size, dtype=bool)
        found = []
        for rank, cutoff in enumerate(cutoffs):
            near, far = self._reached(which, tail_min, head_min, cutoff)
            whole = near + far >= 1
            link, span = _spans_of(which, near, far, self._own(reach, which, cutoff), whole, left)
            found.append((link, span, np.full(link.size, rank)))
            left &= ~whole
        return Parts(*(np.concatenate(columns) for columns in zip(*found, strict=True)))

    def _ends(self, which: Array, reach: Reach) -> tuple[Array, Array]:
        """Return the minutes at the tail and the head of links, as far as the turn there may be made."""
        at = self.minutes_at
        minutes = np.column_stack([at[self.at_tail[which]], at[self.at_head[which]]])
        copies = reach.nodes[reach.nodes >= self.first_copy]
        if copies.size and len(self.leaves):
            rows = self.leaves[np.isin(self.leaves[:, 0], copies)]
            place = np.searchsorted(which, rows[:, 1])
            known = (place < which.size) & (which[np.minimum(place, which.size - 1)] == rows[:, 1])
            np.minimum.at(minutes, (place[known], rows[known, 2]), at[rows[known, 0]])
        return minutes[:, 0], minutes[:, 1]

    def _reached(self, which: Array, tail_min: Array, head_min: Array, cutoff: float) -> tuple[Array, Array]:
        with np.errstate(invalid="ignore"):
            near = np.clip((cutoff - tail_min) / self.from_tail[which], 0, 1)
            far = np.clip((cutoff - head_min) / self.from_head[which], 0, 1)
        # a link that is closed that way has infinite minutes: nothing of it is reached
        return np.nan_to_num(near, nan=0.0), np.nan_to_num(far, nan=0.0)

    def _own(self, reach: Reach, which: Array, cutoff: float) -> tuple[Array, Array]:
        left = cutoff - reach.access_min
        at = np.flatnonzero(which == reach.link)
        if left < 0 or not at.size:
            return at[:0], np.zeros((0, 2))
        # a link that is closed that way has infinite minutes, and a cutoff may be as long
        to_head, to_tail = float(self.from_head[reach.link]), float(self.from_tail[reach.link])
        back = reach.fraction - (left / to_head if np.isfinite(to_head) else 0.0)
        ahead = reach.fraction + (left / to_tail if np.isfinite(to_tail) else 0.0)
        return at, np.array([[max(back, 0.0), min(ahead, 1.0)]])

    def segments(self, parts: Parts) -> tuple[Array, Array]:
        """Return the straight pieces of parts, float64 of shape (pieces, 4): x, y and x, y; and the rank of each."""
        from sy_coverage.roads.kernel.contour import cut  # noqa: PLC0415 - numba is heavy, loaded when it is asked for

        metres = parts.span * self.total[parts.link][:, None]
        begin, end = np.ascontiguousarray(metres.T)
        pieces, rank = cut(self.links.xy, self.along, self.links.start, parts.link, begin, end, parts.rank)
        return pieces, rank

    def _drawn(self, parts: Parts, cutoffs: int) -> list[Any]:
        """Return the outline of each rank, each holding the one before it."""
        from sy_coverage.roads.kernel import contour  # noqa: PLC0415 - as above

        nothing: list[Any] = [None] * cutoffs
        pieces, ranks = self.segments(parts)
        if not len(pieces):
            return nothing
        width, cell = self.buffer_m, self.buffer_m / CELLS
        side = cell * contour.TILE
        ends = pieces.reshape(-1, 2)
        # tiles lie at multiples of their side wherever the site is; one more all round keeps outlines off the rim
        origin = (np.floor(ends.min(axis=0) / side) - 2) * side
        wide = int((ends[:, 0].max() - origin[0]) / side) + 3
        pieces = pieces - np.tile(origin, 2)
        tiles, which = contour.near(pieces, width + 2 * cell, side, wide).T
        order = np.lexsort((ranks[which], tiles))
        steps, places = contour.contour(
            *(pieces, ranks, tiles[order], which[order], cutoffs - 1, wide, cell, width)
        )
        answer, inner = [], None
        for rank in range(cutoffs):
            mine = np.flatnonzero(steps[:, 0] == rank)
            mine = mine[np.argsort(steps[mine, 1])]
            then = np.searchsorted(steps[mine, 1], steps[mine, 2])
            xy, start = contour.rings(then, places[mine] + origin)
            inner = self._shape(xy, start, inner)
            answer.append(inner)
        return answer

    def _shape(self, xy: Array, start: Array, inner: Any) -> Any:
        """Return the polygon with these rings, simplified, and `inner` in it."""
        import shapely  # noqa: PLC0415

        if not xy.size:
            return inner
        exact = polygons(xy, start, SMALLEST_HOLE * self.buffer_m**2)
        shape = shapely.simplify(exact, SIMPLER * self.buffer_m, preserve_topology=False)
        if shape.is_empty or not shape.is_valid:
            shape = shapely.simplify(exact, SIMPLER * self.buffer_m)
        return shape if inner is None else shapely.union(shape, inner)


def reaches(runs: Runs, legs: Legs, sites: Snapped, which: range, cutoff_min: float) -> list[Reach]:
    """Return what the sites at the positions `which` reach, as far as there are any and they stand by a road."""
    first, last = which.start, min(which.stop, len(sites.ids))
    mine = replace(legs, ptr=legs.ptr[first : last + 1])
    none = sweep.no_legs(last - first)
    times = sweep.reached(runs, mine, None, none, points=0, cutoff_min=cutoff_min)
    return [
        Reach(
            times.indices[times.indptr[i - first] : times.indptr[i - first + 1]],
            times.data[times.indptr[i - first] : times.indptr[i - first + 1]],
            int(sites.link[i]),
            float(sites.fraction[i]),
            float(sites.access_min[i]),
        )
        for i in range(first, last)
        if sites.link[i] >= 0
    ]


def as_frame(
    ids: list[str],
    cutoffs: list[float],
    shapes: list[list[Any]],
    crs: str,
    *,
    within: GeoDataFrame | None,
    without: GeoDataFrame | None,
) -> GeoDataFrame:
    """Return shapes by site and cutoff as a frame in EPSG:4326, clipped to `within` and off `without`; what is None has no row."""
    import geopandas as gpd  # noqa: PLC0415

    rows = [
        (site, cutoff, shape)
        for site, nested in zip(ids, shapes, strict=True)
        for cutoff, shape in zip(cutoffs, nested, strict=True)
        if shape is not None
    ]
    index = pd.MultiIndex.from_tuples([r[:2] for r in rows], names=["facility_id", "cutoff_min"])
    drawn = gpd.GeoSeries([r[2] for r in rows], index=index, crs=crs)
    if within is not None or without is not None:
        drawn = drawn[:0] if drawn.empty else _clipped(drawn, within, without)
    return gpd.GeoDataFrame({"area_km2": drawn.area / 1e6}, geometry=drawn.to_crs(GEOGRAPHIC))


def _clipped(drawn: GeoSeries, within: GeoDataFrame | None, without: GeoDataFrame | None) -> GeoSeries:
    """Return what of each shape lies in `within` and not in `without`; what nothing is left of is dropped.

    All shapes are cut by the same ones, so what held another still does.
    """
    import geopandas as gpd  # noqa: PLC0415
    import shapely  # noqa: PLC0415

    shapes = np.array(drawn.geometry, dtype=object)
    if within is not None:
        land = within.to_crs(drawn.crs).union_all()
        shapely.prepare(land)
        cut = np.flatnonzero(~shapely.covers(land, shapes))
        shapes[cut] = shapely.intersection(shapes[cut], land)
    if without is not None:
        wet = np.asarray(without.to_crs(drawn.crs).geometry, dtype=object)
        tree = shapely.STRtree(wet)
        for i, shape in enumerate(shapes):
            near = tree.query(shape, predicate="intersects")
            if near.size:
                shapes[i] = shapely.difference(shape, shapely.union_all(wet[near]))
    left = gpd.GeoSeries([_areas(shape) for shape in shapes], index=drawn.index, crs=drawn.crs)
    return left[~left.is_empty]


def _areas(shape: Any) -> Any:
    """Return the areas of a shape: where it only touched what it was cut by, lines and points are left over."""
    import shapely  # noqa: PLC0415

    if shape.geom_type in {"Polygon", "MultiPolygon"}:
        return shape
    parts = shapely.get_parts(shape)
    return shapely.union_all(parts[shapely.get_dimensions(parts) == 2])


def polygons(xy: Array, start: Array, smallest_hole: float) -> Any:
    """Return one polygon or multipolygon from rings that do not touch: anticlockwise ones are shells, others holes.

    Parameters
    ----------
    xy, start
        Closed rings one after the other; ring i owns rows ``start[i]`` to ``start[i + 1]``.
    smallest_hole
        Holes of less area are filled.
    """
    import shapely  # noqa: PLC0415

    x, y = (xy - xy[0]).T
    twice = np.r_[x[:-1] * y[1:] - x[1:] * y[:-1], 0.0]
    twice[start[1:] - 1] = 0.0
    area = np.add.reduceat(twice, start[:-1]) / 2
    owner = np.repeat(np.arange(area.size), np.diff(start))
    closed = shapely.linearrings(xy, indices=owner)
    shells, holes = np.flatnonzero(area > 0), np.flatnonzero(area < -smallest_hole)
    whose = np.zeros(holes.size, np.int64)
    if shells.size > 1 and holes.size:
        # of the shells around a hole the smallest is its own: the others are around islands within other holes
        ordered = shells[np.argsort(area[shells], kind="stable")[::-1]]
        hole, shell = shapely.STRtree(shapely.polygons(closed[ordered])).query(
            shapely.points(xy[start[holes]]), predicate="within"
        )
        np.maximum.at(whose, hole, shell)
        shells = ordered
    mine = [closed[holes[whose == i]] for i in range(shells.size)]
    made = [
        shapely.polygons(closed[s], holes=h if h.size else None) for s, h in zip(shells, mine, strict=True)
    ]
    return made[0] if len(made) == 1 else shapely.multipolygons(made)


def _incidence(links: Links, nodes: int) -> tuple[Array, Array]:
    at = np.concatenate([links.tail, links.head])
    which = np.concatenate([np.arange(len(links)), np.arange(len(links))])
    order = np.argsort(at, kind="stable")
    return which[order], np.r_[0, np.cumsum(np.bincount(at, minlength=nodes))].astype(np.int64)


def _spans_of(
    which: Array, near: Array, far: Array, own: tuple[Array, Array], whole: Array, fresh: Array
) -> tuple[Array, Array]:
    """Return links and fractions of the reached parts of those that are `fresh`."""
    full = np.flatnonzero(whole & fresh)
    head = np.flatnonzero(~whole & fresh & (near > 0))
    tail = np.flatnonzero(~whole & fresh & (far > 0))
    mine = np.flatnonzero(fresh[own[0]])
    link = which[np.concatenate([full, head, tail, own[0][mine]])]
    span = np.concatenate(
        [
            np.tile([0.0, 1.0], (full.size, 1)),
            np.column_stack([np.zeros(head.size), near[head]]),
            np.column_stack([1 - far[tail], np.ones(tail.size)]),
            own[1][mine],
        ]
    )
    return link, span
