"""Turn the links of a network into what the kernel runs on: arcs of one travel mode, in one direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sy_coverage.roads.graph.links import Array, Links
    from sy_coverage.roads.graph.states import Turning


@dataclass(frozen=True, eq=False)
class Graph:
    """Arcs of one travel mode in compressed rows; parallel arcs are reduced to the quickest, loops left out."""

    indptr: Array
    """int64, nodes + 1."""
    heads: Array
    """int32, one an arc, ascending within a row."""
    minutes: Array
    """float64, one an arc."""


@dataclass(frozen=True, eq=False)
class ArcOrder:
    """Where the arcs of a travel mode lie in a graph, whatever their minutes are."""

    indptr: Array
    heads: Array
    row: Array
    """int64 by arc before parallel ones are reduced: its place among forward links, backward links and leaves of copies."""
    first: Array
    """int64 by arc of the graph: where its parallel ones begin in `row`."""

    def graph(self, links: Links, mode: str, turns: Turning) -> Graph:
        """Return the graph with the minutes that `links` have; what is closed must be what was closed."""
        minutes = self._minutes(links, mode, turns)
        least = np.minimum.reduceat(minutes, self.first) if self.first.size else minutes
        return Graph(self.indptr, self.heads, np.ascontiguousarray(least))

    def _minutes(self, links: Links, mode: str, turns: Turning) -> Array:
        forward, backward = links.minutes[mode].T
        _, link, way, _ = turns.leaves.T
        every: Array = np.concatenate([forward, backward, links.minutes[mode][link, way]])[self.row]
        return every

    def steps(self, links: Links, mode: str, turns: Turning) -> Array:
        """Return for each arc the quickest link it stands for: its position times two, one more where it is gone against."""
        minutes = self._minutes(links, mode, turns)
        arc = np.repeat(np.arange(self.first.size), np.diff(np.r_[self.first, self.row.size]))
        quickest = self.row[np.lexsort((minutes, arc))[self.first]]
        along = np.arange(len(links)) * 2
        _, link, way, _ = turns.leaves.T
        steps: Array = np.concatenate([along, along + 1, link * 2 + way])[quickest]
        return steps


def arc_order(links: Links, nodes: int, mode: str, turns: Turning, *, reverse: bool = False) -> ArcOrder:
    """Return the order of the arcs of `mode` between nodes and their copies; with `reverse`, every arc turned round."""
    forward, backward = links.minutes[mode].T
    copy, link, way, there = turns.leaves.T
    tail = np.concatenate([links.tail, links.head, copy])
    head = np.concatenate([turns.onward[:, 0], turns.onward[:, 1], there])
    if reverse:
        tail, head = head, tail
    minutes = np.concatenate([forward, backward, links.minutes[mode][link, way]])
    nodes += turns.origin.size
    kept = np.flatnonzero(np.isfinite(minutes) & (tail != head))
    row = kept[np.lexsort((head[kept], tail[kept]))]
    tail, head = tail[row], head[row]
    fresh = np.ones(tail.size, dtype=bool)
    fresh[1:] = (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])
    first = np.flatnonzero(fresh)
    indptr = np.zeros(nodes + 1, np.int64)
    np.cumsum(np.bincount(tail[first], minlength=nodes), out=indptr[1:])
    return ArcOrder(indptr, head[first].astype(np.int32), row, first)
