"""Cut a road network into pieces that overlap: for each area its roads and those within so many minutes of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from scipy import sparse
from scipy.sparse.csgraph import dijkstra

from sy_coverage.roads.graph.links import Links, spans

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from shapely.geometry.base import BaseGeometry

    from sy_coverage.roads.graph.links import Array
    from sy_coverage.roads.graph.parts import RoadParts


def pieces(
    parts: RoadParts, areas: Mapping[str, BaseGeometry], *, reach_min: Mapping[str, float], margin_m: float
) -> Iterator[tuple[str, RoadParts]]:
    """Yield for each of `areas` the roads in it and those that matter to it.

    A road matters that lies within `margin_m` of the area, or within the minutes of `reach_min`, by its mode, of a road that
    does, in either direction. So a piece holds every way of at most so many minutes from or to the area, and every way of at
    most twice as many between two places in it: their minutes are those of the whole network.

    Parameters
    ----------
    areas
        Polygons in the network's CRS.
    """
    nodes = len(parts.node_xy)
    ways = {mode: _arcs(parts.links, mode, nodes) for mode in reach_min}
    for area_id, area in areas.items():
        near = _near(parts.node_xy, area.buffer(margin_m))
        kept = near.copy()
        for mode, minutes in reach_min.items():
            for arcs in ways[mode]:
                if near.any():
                    taken = dijkstra(arcs, indices=np.flatnonzero(near), min_only=True, limit=minutes)
                    kept |= np.isfinite(taken)
        yield area_id, piece(parts, kept)


def _near(xy: Array, ground: BaseGeometry) -> Array:
    west, south, east, north = ground.bounds
    x, y = xy.T
    near: Array = (x >= west) & (x <= east) & (y >= south) & (y <= north)
    rows = np.flatnonzero(near)
    near[rows] = shapely.contains_xy(ground, x[rows], y[rows])
    return near


def _arcs(links: Links, mode: str, nodes: int) -> tuple[Any, Any]:
    """Return the graph of a mode and that graph turned round; turns cost nothing in it, so that it reaches no less far."""
    forward, backward = links.minutes[mode].T
    tail, head = np.concatenate([links.tail, links.head]), np.concatenate([links.head, links.tail])
    minutes = np.concatenate([forward, backward])
    kept = np.flatnonzero(np.isfinite(minutes) & (tail != head))
    order = kept[np.lexsort((minutes[kept], head[kept], tail[kept]))]
    tail, head, minutes = tail[order], head[order], minutes[order]
    first = np.ones(order.size, dtype=bool)
    first[1:] = (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])  # of parallel ones the quickest
    arcs = sparse.csr_matrix((minutes[first], (tail[first], head[first])), shape=(nodes, nodes))
    return arcs, arcs.T.tocsr()


def piece(parts: RoadParts, kept: Array) -> RoadParts:
    """Return the part of a network that the nodes `kept` (one truth a node) and the roads from them make."""
    links = parts.links
    which = np.flatnonzero(kept[links.tail] | kept[links.head])
    ends = np.unique(np.concatenate([links.tail[which], links.head[which]]))
    place = np.full(len(kept), -1, np.int64)
    place[ends] = np.arange(ends.size)
    rows, _ = spans(links.start, which)
    own = Links(
        tail=place[links.tail[which]].astype(np.int32),
        head=place[links.head[which]].astype(np.int32),
        length_m=links.length_m[which],
        minutes={mode: minutes[which] for mode, minutes in links.minutes.items()},
        highway=links.highway[which],
        classes=links.classes,
        xy=links.xy[rows],
        start=np.r_[0, np.cumsum(np.diff(links.start)[which])].astype(np.int64),
        delay_min={mode: waited[which] for mode, waited in links.delay_min.items()},
    )
    link = np.full(len(links) + 1, -1, np.int64)  # what fills up a path stays −1
    link[which] = np.arange(which.size)
    return replace(
        parts,
        node_ids=parts.node_ids[ends],
        node_xy=parts.node_xy[ends],
        links=own,
        forbidden={mode: _paths(paths, link) for mode, paths in parts.forbidden.items()},
        ends_only={mode: link[e][link[e] >= 0] for mode, e in parts.ends_only.items()},
    )


def _paths(paths: Array, link: Array) -> Array:
    """Return the paths whose links are all there, by their new positions."""
    named, own = paths[:, 0::2], paths.copy()
    own[:, 0::2] = link[named]
    gone = (named >= 0) & (own[:, 0::2] < 0)
    return own[~gone.any(axis=1)]
