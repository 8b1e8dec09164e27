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


def graph(links: Links, nodes: int, mode: str, turns: Turning, *, reverse: bool = False) -> Graph:
    """Return the arcs of `mode` between nodes and their copies; with `reverse`, every arc turned round."""
    forward, backward = links.minutes[mode].T
    copy, link, way, there = turns.leaves.T
    tail = np.concatenate([links.tail, links.head, copy])
    head = np.concatenate([turns.onward[:, 0], turns.onward[:, 1], there])
    minutes = np.concatenate([forward, backward, links.minutes[mode][link, way]])
    nodes += turns.origin.size
    if reverse:
        tail, head = head, tail
    kept = np.isfinite(minutes) & (tail != head)
    tail, head, minutes = tail[kept], head[kept], minutes[kept]
    order = np.lexsort((minutes, head, tail))
    tail, head, minutes = tail[order], head[order], minutes[order]
    first = np.ones(tail.size, dtype=bool)
    first[1:] = (tail[1:] != tail[:-1]) | (head[1:] != head[:-1])
    tail, head, minutes = tail[first], head[first], minutes[first]
    indptr = np.zeros(nodes + 1, np.int64)
    np.cumsum(np.bincount(tail, minlength=nodes), out=indptr[1:])
    return Graph(indptr, head.astype(np.int32), np.ascontiguousarray(minutes))
