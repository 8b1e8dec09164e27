"""Draw what can be reached: the places from which the minutes along their road and to it are within each cutoff."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from sy_coverage._frames import GEOGRAPHIC
from sy_coverage.roads.graph.links import spans
from sy_coverage.roads.kernel import contour, sweep
from sy_coverage.roads.kernel.sweep import usable_cores
from sy_coverage.roads.travel_times import SLACK_MIN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geopandas import GeoDataFrame, GeoSeries

    from sy_coverage.roads.catchments.field import Field
    from sy_coverage.roads.graph.legs import Legs
    from sy_coverage.roads.graph.links import Array, Links
    from sy_coverage.roads.graph.snap import Snapped
    from sy_coverage.roads.graph.states import Turning
    from sy_coverage.roads.kernel.runs import Runs

SIMPLER = 0.5
"""Outlines are simplified to within this share of a cell."""
SMALLEST_HOLE = 16
"""Holes smaller than so many cells are no water and no mountain."""

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
class Pen:
    """How catchments are drawn: how far from a road at most, and how long a metre is walked."""

    most_m: float
    min_per_m: float


class Drawer:
    """The links of one mode in one direction, ready to be drawn as catchments of many sites.

    A place belongs to the road it would snap to and is as late as `travel_times` says: minutes along that road and those to
    walk to it. So the drawing and the minutes agree, but for what happens within a cell of the grid.
    """

    def __init__(self, links: Links, nodes: int, mode: str, turns: Turning, *, to_site: bool) -> None:
        """Index links by node."""
        self.links = links
        forward, backward = links.minutes[mode].T
        # what it takes to cross a link from its tail side and from its head side, seen from the site
        sides = (backward, forward) if to_site else (forward, backward)
        self.from_tail, self.from_head = (np.ascontiguousarray(side) for side in sides)
        self.usable = np.isfinite(forward) | np.isfinite(backward)
        self.at_node, self.node_start = _incidence(links, nodes)
        self.minutes_at = np.full(nodes + turns.origin.size, np.inf)
        self.whole_node = np.r_[np.arange(nodes), turns.origin]
        self.to_site = to_site
        self.first_copy, self.leaves = nodes, np.zeros((0, 4), np.int64) if to_site else turns.leaves
        ends = np.column_stack([links.head, links.tail])
        # to the site a link is crossed into where it arrives, from the site out of the node it leaves
        self.at_tail, self.at_head = (turns.arrival if to_site else ends).T[::-1]
        self.own = threading.local()

    def catchments(self, reaches: list[Reach], grids: Mapping[float, Field], pen: Pen) -> list[list[Any]]:
        """Return for each site its polygon at each of the ascending cutoffs of `grids`, None where nothing is reached.

        Each is drawn on a grid of its own, and holds those of the shorter cutoffs.
        """
        ends = [self._ends(reach) for reach in reaches]
        with ThreadPoolExecutor(usable_cores()) as pool:
            return list(pool.map(lambda r, e: self._nested(r, e, grids, pen), reaches, ends))

    def _nested(
        self, reach: Reach, known: tuple[Array, Array], grids: Mapping[float, Field], pen: Pen
    ) -> list[Any]:
        answer: list[Any] = []
        for cutoff, field in grids.items():
            shape, inner = self._drawn(reach, known, cutoff, field, pen), answer[-1] if answer else None
            both = shape is not None and inner is not None
            answer.append(shapely.union(shape, inner) if both else inner if shape is None else shape)
        return answer

    def _ends(self, reach: Reach) -> tuple[Array, Array]:
        """Return the links within reach, and at their ends the minutes for who goes along them and for who stands there.

        int64 of shape (links,), and float64 of shape (4, links): tail and head going, tail and head standing.
        """
        at = self.minutes_at
        at[reach.nodes] = reach.minutes
        whole = np.unique(self.whole_node[reach.nodes])
        rows, _ = spans(self.node_start, whole)
        which = np.unique(np.r_[self.at_node[rows], reach.link]).astype(np.int64)
        which = which[self.usable[which]]
        minutes = np.column_stack([at[self.at_tail[which]], at[self.at_head[which]]])
        copies = reach.nodes[reach.nodes >= self.first_copy]
        if copies.size and len(self.leaves):
            left = self.leaves[np.isin(self.leaves[:, 0], copies)]
            place = np.searchsorted(which, left[:, 1])
            known = (place < which.size) & (which[np.minimum(place, which.size - 1)] == left[:, 1])
            np.minimum.at(minutes, (place[known], left[known, 2]), at[left[known, 0]])
        if not self.to_site and copies.size:
            # who arrives at a node does so whichever way was taken
            np.minimum.at(at, self.whole_node[copies], at[copies])
        here = np.stack([at[self.links.tail[which]], at[self.links.head[which]]])
        at[reach.nodes] = at[whole] = np.inf
        return which, np.concatenate([minutes.T, here])

    def _work(self) -> list[Array]:
        if not hasattr(self.own, "work"):
            self.own.work = [np.full(len(self.links), np.inf) for _ in range(4)]
        work: list[Array] = self.own.work
        return work

    def _tiles(self, known: tuple[Array, Array], reach: Reach, cutoff: float, cell: float, pen: Pen) -> Array:
        """Return the columns and rows of the tiles that may hold a place within reach: int64 of shape (tiles, 2)."""
        which, ends = known
        side = cell * contour.TILE
        is_near = (ends <= cutoff).any(axis=0) | (which == reach.link)
        soonest = min(float(ends.min(initial=np.inf)), reach.access_min)
        if soonest > cutoff:
            return np.zeros((0, 2), np.int64)
        margin = min(pen.most_m, (cutoff - soonest) / pen.min_per_m) + 2 * cell
        rows, owner = spans(self.links.start, which[is_near])
        begins = np.flatnonzero(owner[:-1] == owner[1:])
        pieces = np.column_stack([self.links.xy[rows[begins]], self.links.xy[rows[begins + 1]]])
        low = np.floor((pieces.reshape(-1, 2).min(axis=0) - margin) / side) - 1
        wide = int((pieces[:, [0, 2]].max() + margin) / side - low[0]) + 2
        pieces = np.ascontiguousarray(pieces - np.tile(low * side, 2))
        numbers = np.unique(contour.near(pieces, margin, side, wide)[:, 0])
        tiles: Array = np.column_stack([numbers % wide, numbers // wide]) + low.astype(np.int64)
        return tiles

    def _drawn(self, reach: Reach, known: tuple[Array, Array], cutoff: float, field: Field, pen: Pen) -> Any:
        """Return what is within `cutoff` as a polygon, simplified; None where nothing is."""
        tiles = self._tiles(known, reach, cutoff, field.cell, pen)
        if not len(tiles):
            return None
        rows = field.rows(tiles)
        work = self._work()
        for array, values in zip(work, known[1], strict=True):
            array[known[0]] = values
        low = tiles.min(axis=0)
        wide = int(tiles[:, 0].max() - low[0]) + 2
        numbers = (tiles[:, 1] - low[1]) * wide + tiles[:, 0] - low[0]
        steps, places = contour.contour(
            *(field.link, field.fraction, field.away_m, rows, numbers),
            *(*work, self.from_tail, self.from_head),
            *(reach.link, reach.fraction, reach.access_min, pen.min_per_m, pen.most_m),
            *(cutoff + SLACK_MIN, wide, field.cell),
        )
        for array in work:
            array[known[0]] = np.inf
        order = np.argsort(steps[:, 0])
        then = np.searchsorted(steps[order, 0], steps[order, 1])
        origin = low * (field.cell * contour.TILE)
        xy, start = contour.rings(then, places[order] + origin)
        return _shape(xy, start, field.cell)


def _shape(xy: Array, start: Array, cell: float) -> Any:
    """Return the polygon with these rings, simplified; None where there are none."""
    if not xy.size:
        return None
    exact = polygons(xy, start, SMALLEST_HOLE * cell**2)
    shape = shapely.simplify(exact, SIMPLER * cell, preserve_topology=False)
    if shape.is_empty or not shape.is_valid:
        shape = shapely.simplify(exact, SIMPLER * cell)
    return shape


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
