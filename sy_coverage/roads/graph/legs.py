"""Lead points that were brought to roads on to the ends of their links, and straight to others on the same link."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sy_coverage.roads.graph.links import ranges

if TYPE_CHECKING:
    from sy_coverage.roads.graph.links import Array, Links
    from sy_coverage.roads.graph.snap import Snapped
    from sy_coverage.roads.graph.states import Turning


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
    order = np.argsort(turns.origin, kind="stable")
    parts.append(_matched(found, stands, legs_min[2], turns.origin[order], turns.first + order))
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
