"""Turn the links of a network into what the kernel runs on: arcs of one travel mode, in one direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sy_coverage.roads.links import Array, Links


@dataclass(frozen=True, eq=False)
class Graph:
    """Arcs of one travel mode in compressed rows; parallel arcs are reduced to the quickest, loops left out."""

    indptr: Array
    """int64, nodes + 1."""
    heads: Array
    """int32, one an arc, ascending within a row."""
    minutes: Array
    """float64, one an arc."""
    width: float
    """Minutes a bucket of the queue holds."""

    def buckets(self, longest_leg: float) -> int:
        """Return how many buckets make a ring that no arc and no leg of `longest_leg` minutes overruns."""
        longest = max(float(self.minutes.max(initial=0.0)), longest_leg)
        return int(2 ** np.ceil(np.log2(longest / self.width + 3)))


MOST_BUCKETS = 2**20


def graph(links: Links, nodes: int, mode: str, *, reverse: bool = False) -> Graph:
    """Return the arcs of `mode` between `nodes` nodes; with `reverse`, every arc turned round."""
    forward, backward = links.minutes[mode].T
    tail = np.concatenate([links.tail, links.head])
    head = np.concatenate([links.head, links.tail])
    minutes = np.concatenate([forward, backward])
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
    middle = float(np.median(minutes)) / 2 if minutes.size else 1.0
    width = max(middle, float(minutes.max(initial=0.0)) / MOST_BUCKETS)
    return Graph(indptr, head.astype(np.int32), np.ascontiguousarray(minutes), width)


def parts_of(arcs: Graph, nodes: int) -> Array:
    """Return the number of the strongly connected part of every node: 0 the largest, of equals the one met first."""
    from scipy import sparse  # noqa: PLC0415
    from scipy.sparse import csgraph  # noqa: PLC0415

    matrix = sparse.csr_array((arcs.minutes, arcs.heads, arcs.indptr.astype(np.int32)), shape=(nodes, nodes))
    _, label = csgraph.connected_components(matrix, directed=True, connection="strong")
    _, first, label, size = np.unique(label, return_index=True, return_inverse=True, return_counts=True)
    rank = np.empty(size.size, np.int64)
    rank[np.lexsort((first, -size))] = np.arange(size.size)
    numbers: Array = rank[label]
    return numbers
