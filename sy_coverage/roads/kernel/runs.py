"""Lay out the arcs of a graph as the kernel searches them: straight through nodes where nothing else meets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sy_coverage.roads.kernel.search import unroll

if TYPE_CHECKING:
    from sy_coverage.roads.graph.arcs import Graph
    from sy_coverage.roads.graph.links import Array

MOST_BUCKETS = 2**14
"""Buckets of a queue at most; roads that are longer still make them wider."""
LEAST_WIDTH = 1e-9
"""Minutes of a bucket at least: how many make up a minute must be a number."""


@dataclass(frozen=True, eq=False)
class Runs:
    """The roads out of every node, as `unroll` returns them."""

    arrays: tuple[Array, ...]
    longest_min: float
    bucket_min: float
    """Minutes a bucket of the queue holds."""

    @property
    def nodes(self) -> int:
        """How many nodes there are, copies of split ones included."""
        return int(self.arrays[1].size)

    def ring(self, farthest_min: float, cutoff_min: float) -> tuple[float, int]:
        """Return the minutes of a bucket and how many make a ring that nothing `farthest_min` in the cutoff overruns."""
        farthest_min = min(farthest_min, cutoff_min)
        width = max(self.bucket_min, farthest_min / MOST_BUCKETS, LEAST_WIDTH)
        return width, int(2 ** np.ceil(np.log2(farthest_min / width + 3)))


def unrolled(graph: Graph) -> Runs:
    """Return the arcs of `graph` as the kernel searches them."""
    *arrays, longest = unroll(graph.indptr, graph.heads, graph.minutes)
    # labels are corrected within a bucket: a wide one costs 7 % more of them, and finds their neighbours still in cache
    bucket = float(np.median(graph.minutes)) * 2 if graph.minutes.size else 1.0
    return Runs(tuple(arrays), longest, bucket)
