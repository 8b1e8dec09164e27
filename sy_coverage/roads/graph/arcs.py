"""Turn the links of a network into what the kernel runs on: arcs of one travel mode, in one direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sy_coverage.roads.graph.links import ranges

if TYPE_CHECKING:
    from sy_coverage.roads.graph.links import Array, Links


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
class Turning:
    """Where turns are forbidden, a node is split: one copy for each way in that may not go on everywhere.

    Copies are numbered after the nodes. A way into a junction is a pair of a link and 0 (along it) or 1 (against it).
    """

    arrival: Array
    """int64 of shape (links, 2): the node, or the copy of it, where each way in arrives."""
    origin: Array
    """int64 by copy: the node it is a copy of."""
    leaves: Array
    """int64 of shape (rows, 3), sorted: copy, link and direction that may be taken from it."""


def turning(links: Links, nodes: int, mode: str, forbidden: Array) -> Turning:
    """Return the split nodes that `forbidden` turns ask for.

    Parameters
    ----------
    forbidden
        int64 of shape (turns, 4): link and direction in, link and direction out.
    """
    arrival = np.column_stack([links.head, links.tail]).astype(np.int64)
    if not len(forbidden):
        return Turning(arrival, np.zeros(0, np.int64), np.zeros((0, 3), np.int64))
    goes = np.isfinite(links.minutes[mode])
    taken = np.unique(forbidden[goes[forbidden[:, 0], forbidden[:, 1]]], axis=0)
    into, which = np.unique(taken[:, :2], axis=0, return_inverse=True)
    origin = arrival[into[:, 0], into[:, 1]].copy()
    arrival[into[:, 0], into[:, 1]] = nodes + np.arange(len(into))
    link, way = np.nonzero(goes)
    start = np.where(way == 0, links.tail[link], links.head[link])
    order = np.argsort(start, kind="stable")
    link, way, start = link[order], way[order], start[order]
    first, last = np.searchsorted(start, origin), np.searchsorted(start, origin, side="right")
    rows, copy = ranges(first, last - first)
    leaves = np.column_stack([copy, link[rows], way[rows]])
    shut = np.column_stack([which.ravel(), taken[:, 2:]])
    both, inverse = np.unique(np.concatenate([shut, leaves]), axis=0, return_inverse=True)
    barred = np.zeros(len(both), dtype=bool)
    barred[inverse.ravel()[: len(shut)]] = True
    leaves = leaves[~barred[inverse.ravel()[len(shut) :]]]
    leaves = leaves[np.lexsort(leaves.T[::-1])]
    leaves[:, 0] += nodes
    return Turning(arrival, origin, leaves)


def graph(links: Links, nodes: int, mode: str, turns: Turning, *, reverse: bool = False) -> Graph:
    """Return the arcs of `mode` between nodes and their copies; with `reverse`, every arc turned round."""
    forward, backward = links.minutes[mode].T
    copy, link, way = turns.leaves.T
    tail = np.concatenate([links.tail, links.head, copy])
    head = np.concatenate([turns.arrival[:, 0], turns.arrival[:, 1], turns.arrival[link, way]])
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
