"""Say which parts of a road network are roads to somewhere, and from which links one can get to them or be reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

if TYPE_CHECKING:
    from sy_coverage.roads.graph.arcs import Graph
    from sy_coverage.roads.graph.links import Array, Links
    from sy_coverage.roads.graph.states import Turning

USABLE, LEAVES, ARRIVES = 1, 2, 4
"""Bits of a link: the mode may go there; whoever starts there gets to a large part; whoever is in a large part gets there."""
ALIKE = 0.5
"""Where no part has junctions enough, those with so much of the metres of the longest one are as large as it."""


@dataclass(frozen=True, eq=False)
class Connected:
    """How a travel mode's network hangs together."""

    part: Array
    """int64 by node of the kernel: its strongly connected part, 0 the one with most nodes, of equals the one met first."""
    large: Array
    """bool by part: no stub but a network of its own."""
    bits: Array
    """uint8 by link: which of `USABLE`, `LEAVES` and `ARRIVES` hold."""

    def in_large(self, nodes: int) -> Array:
        """Return which of the first `nodes` nodes lie in a large part."""
        among: Array = self.large[self.part[:nodes]]
        return among


def connected(
    links: Links, arcs: Graph, turns: Turning, mode: str, *, nodes: int, least_junctions: int
) -> Connected:
    """Return which parts of the network of `mode` are large, and what reaches them and is reached from them.

    Parameters
    ----------
    arcs
        Of `mode`, not turned round.
    nodes
        How many there are without copies of split ones.
    least_junctions
        A part with so many nodes is large; where none has, the longest are.
    """
    part = _strong_parts(arcs, turns)
    parts = int(part.max(initial=-1)) + 1
    junctions = np.bincount(part[:nodes], minlength=parts)
    large = junctions >= least_junctions
    if not large.any():
        inside = part[links.tail] == part[links.head]
        inside &= np.isfinite(links.minutes[mode]).any(axis=1)
        metres = np.bincount(part[links.tail[inside]], links.length_m[inside], minlength=parts)
        large = metres >= ALIKE * metres.max(initial=0.0)
    tail = np.repeat(np.arange(part.size), np.diff(arcs.indptr))
    stands = large[part]
    leaves = _spread(arcs.heads, tail, stands)
    arrives = _spread(tail, arcs.heads, stands)
    forward, backward = np.isfinite(links.minutes[mode]).T
    # what may start on a link: into it from its end, or from a copy of the end from which it may be taken
    copy, link, way, _ = turns.leaves.T
    into = np.column_stack([arrives[links.tail], arrives[links.head]])
    np.logical_or.at(into, (link, way), arrives[copy])
    bits = USABLE * (forward | backward)
    bits |= LEAVES * ((forward & leaves[turns.arrival[:, 0]]) | (backward & leaves[turns.arrival[:, 1]]))
    bits |= ARRIVES * ((forward & into[:, 0]) | (backward & into[:, 1]))
    return Connected(part, large, bits.astype(np.uint8))


def _strong_parts(arcs: Graph, turns: Turning) -> Array:
    """Return the number of the strongly connected part of every node: 0 the largest, of equals the one met first.

    Who lives in a private road reaches the others and is reached by them, though nobody passes through it.
    """
    nodes = arcs.indptr.size - 1
    alias = np.arange(nodes)
    alias[turns.first :] = turns.twin
    pairs = (alias[np.repeat(np.arange(nodes), np.diff(arcs.indptr))], alias[arcs.heads])
    matrix = sparse.csr_array((np.ones(arcs.heads.size, np.int8), pairs), shape=(nodes, nodes))
    _, label = csgraph.connected_components(matrix, directed=True, connection="strong")
    _, first, label, size = np.unique(label, return_index=True, return_inverse=True, return_counts=True)
    rank = np.empty(size.size, np.int64)
    rank[np.lexsort((first, -size))] = np.arange(size.size)
    numbers: Array = rank[label][alias]
    return numbers


def _spread(origin: Array, target: Array, begin: Array) -> Array:
    """Return `begin` and all nodes that arcs lead to from there, from `origin` to `target`."""
    known = begin.copy()
    open_arcs = np.flatnonzero(~known[target])
    while open_arcs.size:
        hit = open_arcs[known[origin[open_arcs]]]
        if not hit.size:
            break
        known[target[hit]] = True
        open_arcs = open_arcs[~known[target[open_arcs]]]
    return known
